/** Moves the end of a lease, and keeps its session from being dropped as idle. */
import { compareVersions } from '../edges/flashblade.ts';
import { FlashBladeError } from '../ground/errors.ts';
import type { LeaseItem, Open } from '../ground/lease-items.ts';
import { renew } from '../ground/lease-states.ts';
import type { Lease } from '../ground/model.ts';
import type { RenewRequest } from '../ground/requests.ts';
import { closingDeadlines, seconds } from '../ground/time.ts';
import type { Edges } from './edges.ts';
import { contended, ROUNDS, readLease, stamped } from './ledger.ts';
import { leaseOf } from './open-session.ts';
import { withLease } from './use-session.ts';

/**
 * Keeps a lease until `expiresAt` (seconds since the epoch), never shorter than it is and never longer than the configured maximum
 * after its request. Repeatable. Throws REQUEST_INVALID, LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED, and what a call of the array
 * throws: the lease then ends when it would have ended.
 */
export async function renewLease(edges: Edges, request: RenewRequest, deadline: number): Promise<Lease> {
  const by = closingDeadlines(deadline, edges.now());
  const { leaseId } = request;
  await keepAlive(edges, renewed(edges, await readLease(edges, leaseId, by.logout), request), by.logout);
  for (let round = 0; round < ROUNDS; round++) {
    const current = await readLease(edges, leaseId, by.record);
    const next = renewed(edges, current, request);
    if (await edges.leases.write(next, current, by.record)) return leaseOf(next);
  }
  throw contended(leaseId);
}

function renewed(edges: Edges, current: LeaseItem | undefined, { leaseId, expiresAt }: RenewRequest): Open {
  if (!current) throw new FlashBladeError('LEASE_UNKNOWN', `there is no lease ${leaseId}: open a session first`);
  const { maxLeaseSeconds } = edges.limits;
  if (expiresAt > current.createdAt + maxLeaseSeconds) {
    const rule = `expiresAt must be at most ${maxLeaseSeconds} seconds after the lease was asked for (MAX_LEASE_SECONDS)`;
    throw new FlashBladeError('REQUEST_INVALID', `renew request: ${rule}`);
  }
  return stamped(edges, renew(current, expiresAt, seconds(edges.now())));
}

/** One cheap call under the session: every use begins its idle time anew. */
async function keepAlive(edges: Edges, { leaseId, target }: Open, deadline: number): Promise<void> {
  // Nothing is asked of a host before the seal has vouched for it.
  await withLease(
    leaseId,
    async ({ request, apiVersions }) => {
      const newest = (await apiVersions()).toSorted(compareVersions).at(-1);
      const path = `/api/${newest}/arrays`;
      const { status } = await request({ method: 'GET', path });
      if (status !== 200) throw notRenewed(leaseId, target.name, path, status);
    },
    { edges, deadline },
  );
}

const notRenewed = (leaseId: string, array: string, path: string, status: number): FlashBladeError =>
  new FlashBladeError(
    status === 429 || status >= 500 ? 'ARRAY_BUSY' : 'ANSWER_INVALID',
    `array ${array} answered ${status} to GET ${path}: lease ${leaseId} was not renewed, try again before it ends`,
    { status, sent: true },
  );
