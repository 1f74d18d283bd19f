/** Reads leases from the ledger, without tokens. */
import { FlashBladeError } from '../../lib/core/errors.ts';
import { mapLimit } from '../../lib/core/map-limit.ts';
import { type Item, type LeaseItem, leaseKey, suspectKey } from '../../lib/leases/items.ts';
import { readLease } from '../../lib/leases/ledger.ts';
import type { Pending, Ports } from '../../lib/leases/ports.ts';

const READING_MS = 60_000;
const READS_AT_A_TIME = 16;

/** A lease that has not ended, or a SUSPECT. `endsAt` is when the lease ends or the SUSPECT is dropped, in seconds since the epoch. */
export type Line = {
  readonly leaseId: string;
  readonly array: string;
  readonly username?: string;
  readonly state: LeaseItem['state'] | 'SUSPECT';
  readonly owner?: string;
  readonly endsAt: number;
  readonly tries?: number;
};

/** Returns all live leases and SUSPECTs, sorted by array, then by end time. Throws AWS_UNAVAILABLE. */
export async function liveLines(ports: Ports, array?: string): Promise<Line[]> {
  const by = ports.now() + READING_MS;
  const lines: Line[] = [];
  await mapLimit(await liveRows(ports, array, by), READS_AT_A_TIME, async ({ kind, id }) => {
    // Read the item itself, because the index is eventually consistent.
    const item = await ports.store.read(kind === 'suspect' ? suspectKey(id) : leaseKey(id), by);
    const line = lineOf(item);
    if (line !== undefined) lines.push(line);
  });
  return lines.sort(
    (a, b) => a.array.localeCompare(b.array) || a.endsAt - b.endsAt || a.leaseId.localeCompare(b.leaseId),
  );
}

/** Returns the leases and SUSPECTs in the `due` index, for one array or all arrays. */
export async function liveRows(ports: Ports, array: string | undefined, by: number): Promise<Pending[]> {
  const rows = await ports.store.pending(by);
  return rows.filter(
    (row) => (row.kind === 'lease' || row.kind === 'suspect') && (array === undefined || row.array === array),
  );
}

/** Returns one lease, without its token. Throws LEASE_UNKNOWN or AWS_UNAVAILABLE. */
export async function oneLease(ports: Ports, leaseId: string): Promise<object> {
  const item = await readLease(ports, leaseId, ports.now() + READING_MS);
  if (item === undefined) throw unknown(leaseId);
  return withoutToken(item);
}

export const unknown = (leaseId: string): FlashBladeError =>
  new FlashBladeError(
    'LEASE_UNKNOWN',
    `the ledger has no lease ${leaseId}; to list live leases, run: npm run leases -- list`,
  );

function lineOf(item: Item | undefined): Line | undefined {
  if (item?.kind === 'suspect') {
    return { leaseId: item.leaseId, array: item.target.name, state: 'SUSPECT', endsAt: item.until };
  }
  if (item?.kind !== 'lease' || item.state === 'CLOSED') return undefined;
  const { leaseId, target, state, owner, expiresAt } = item;
  return {
    ...{ leaseId, array: target.name, state, endsAt: expiresAt },
    ...('username' in item ? { username: item.username } : {}),
    ...(owner === undefined ? {} : { owner }),
    ...('tries' in item ? { tries: item.tries } : {}),
  };
}

/** Omits the sealed token, which is useless without the key. */
const withoutToken = (item: LeaseItem): object =>
  Object.fromEntries(Object.entries(item).filter(([name]) => name !== 'sealed'));
