/** Closes leases in the same way as the `logout` function. */
import { known } from '../../lib/core/errors.ts';
import { mapLimit } from '../../lib/core/map-limit.ts';
import { type CloseResult, closeSession } from '../../lib/leases/close.ts';
import { readLease } from '../../lib/leases/ledger.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { liveRows, unknown } from './read.ts';

const READING_MS = 60_000;
const CLOSING_MS = 30_000;
const AT_A_TIME = 4;

export type Closed =
  | CloseResult
  | { readonly leaseId: string; readonly array?: string; readonly code: string; readonly message: string };

/**
 * Closes one lease. Throws LEASE_UNKNOWN for an unknown id, because closing an unknown lease would make its id unusable. Also throws the
 * errors from `closeSession`.
 */
export async function closeLease(ports: Ports, leaseId: string): Promise<CloseResult> {
  if ((await readLease(ports, leaseId, ports.now() + READING_MS)) === undefined) throw unknown(leaseId);
  return closeSession(ports, leaseId, ports.now() + CLOSING_MS);
}

/** Tries to close every lease on the array. Skips SUSPECTs, which cannot be closed. Throws AWS_UNAVAILABLE if the ledger cannot be read. */
export async function closeArray(ports: Ports, array: string): Promise<Closed[]> {
  const rows = await liveRows(ports, array, ports.now() + READING_MS);
  const closed: Closed[] = [];
  const leases = rows.filter(({ kind }) => kind === 'lease').map(({ id }) => id);
  await mapLimit(leases, AT_A_TIME, async (leaseId) => {
    closed.push(
      await closeSession(ports, leaseId, ports.now() + CLOSING_MS).catch((error) => failed(leaseId, array, error)),
    );
  });
  return closed.sort((a, b) => a.leaseId.localeCompare(b.leaseId));
}

function failed(leaseId: string, array: string, error: unknown): Closed {
  const { code, message } = known(error);
  return { leaseId, array, code, message };
}
