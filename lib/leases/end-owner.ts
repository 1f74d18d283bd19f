/** Ends an owner. The owner's work is over, so its leases are closed, and a late request from the owner fails with LEASE_ENDED. */
import { closingDeadlines, INDEX_LAG_SECONDS, SLACK_SECONDS, seconds } from '../core/deadlines.ts';
import { type FlashBladeError, known } from '../core/errors.ts';
import { mapLimit } from '../core/map-limit.ts';
import { type CloseResult, closeSession, endInLedger } from './close.ts';
import { type OwnerEnd, ownerKey } from './items.ts';
import { LEDGER_CALLS_AT_A_TIME, readLease, retryChanged } from './ledger.ts';
import type { ClosingPorts, Pending } from './ports.ts';
import { release } from './states.ts';

/** How long the sweeper waits before it looks again for an ended owner's leases. The owner index lags behind the table. */
const OWNER_AGAIN_SECONDS = INDEX_LAG_SECONDS;
/**
 * How long the sweeper keeps looking for an ended owner's leases. By then, the index is certain to have caught up, despite clock skew and
 * even if the ended owner was recorded late.
 */
const OWNER_SETTLED_SECONDS = INDEX_LAG_SECONDS + SLACK_SECONDS;
/**
 * How long the ledger keeps an ended owner. By then, no late request can still open a session: requests expire after at most six hours, the
 * last tries take another half hour, and the login takes a few minutes. Every execution of a matching state machine leaves such an item.
 */
export const KEEP_OWNER_END_SECONDS = 86_400;
/** How long the sweeper waits after a permanent failure to end one of an owner's leases. */
const OWNER_FAILED_SECONDS = 600;

/**
 * Records that an owner has ended, then closes the owner's leases. Safe to repeat. `onClosed` is called and awaited for each closed lease.
 * If `onClosed` throws, the lease is treated as not closed. After trying all leases, throws one of the errors, preferably a retryable one.
 * Either way, the sweeper later looks for the owner's leases again.
 */
export async function endOwner(
  ports: ClosingPorts,
  ownerId: string,
  deadline: number,
  onClosed?: (result: CloseResult) => Promise<void>,
): Promise<CloseResult[]> {
  const by = closingDeadlines(deadline, ports.now());
  const end = ownerEnd(ownerId, seconds(ports.now()));
  const before = await ports.store.read(end.id, by.logout);
  // Record the ended owner before looking up the leases, so that a login that the lookup misses finds it.
  if (!before) await ports.store.write(end, undefined, by.logout);
  const results: CloseResult[] = [];
  const failure = await forEachLease(ports, ownerId, by.logout, async (leaseId) => {
    const result = await closeSession(ports, leaseId, deadline, true);
    results.push(result);
    await onClosed?.(result);
  });
  if (failure) throw failure;
  return results;
}

/**
 * Marks an ended owner's leases as closing. Updates only the ledger, so that no array can cause a delay. Returns the leases whose sessions
 * the sweeper must log out of. If anything failed, also returns one of the errors.
 */
export async function endLeasesOf(
  ports: ClosingPorts,
  ownerId: string,
  by: number,
): Promise<{ readonly live: readonly Pending[]; readonly failure: FlashBladeError | undefined }> {
  const live: Pending[] = [];
  const failure = await forEachLease(ports, ownerId, by, async (leaseId) => {
    live.push(...(await endLease(ports, leaseId, by)));
  });
  return { live, failure };
}

/**
 * Runs `work` for each of an owner's leases in the index. If anything failed, returns one of the errors, preferably a retryable one, so
 * that the caller tries again.
 */
async function forEachLease(
  ports: ClosingPorts,
  ownerId: string,
  by: number,
  work: (leaseId: string) => Promise<void>,
): Promise<FlashBladeError | undefined> {
  const failures: FlashBladeError[] = [];
  await mapLimit(await ports.store.ofOwner(ownerId, by), LEDGER_CALLS_AT_A_TIME, (leaseId) =>
    work(leaseId).catch((error) => void failures.push(known(error))),
  );
  return failures.find(({ retryable }) => retryable) ?? failures[0];
}

/** Ends a lease in the ledger. Returns the lease if it has a session to log out of. */
const endLease = (ports: ClosingPorts, leaseId: string, by: number): Promise<Pending[]> =>
  retryChanged(leaseId, async () => {
    const current = await readLease(ports, leaseId, by);
    const step = release(current, leaseId, seconds(ports.now()), true);
    if (step.state !== 'LIVE') return (await endInLedger(ports, current, step, by)) && [];
    // The lease was already claimed, so the sweeper tries again when the lease is due.
    if (current?.state !== 'OPEN') return [];
    const claimed = await ports.store.write(step.write, current, by);
    const { state, dueAt = 0, target } = step.write;
    return claimed && [{ kind: 'lease', id: leaseId, state, dueAt, array: target.name }];
  });

export const ownerEnd = (ownerId: string, now: number): OwnerEnd => ({
  kind: 'owner',
  id: ownerKey(ownerId),
  ownerId,
  endedAt: now,
  dueAt: now + OWNER_AGAIN_SECONDS,
  purgeAt: now + KEEP_OWNER_END_SECONDS,
});

/**
 * Called after the sweeper has looked for the owner's leases again. Returns the updated item, or undefined if the next sweep must look
 * again. After a permanent failure, the sweeper waits longer, and the item is kept as long as it is needed.
 */
export function settleOwner(
  { dueAt: _dueAt, ...item }: OwnerEnd,
  now: number,
  failure?: { readonly retryable: boolean },
): OwnerEnd | undefined {
  if (failure && !failure.retryable)
    return { ...item, dueAt: now + OWNER_FAILED_SECONDS, purgeAt: now + KEEP_OWNER_END_SECONDS };
  return failure || now < item.endedAt + OWNER_SETTLED_SECONDS ? undefined : item;
}
