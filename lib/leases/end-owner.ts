/** Ends an owner: the work that leases were opened for has ended, so they close, and a late request of that owner opens nothing. */
import { closingDeadlines, INDEX_LAG_SECONDS, SLACK_SECONDS, seconds } from '../core/deadlines.ts';
import { type FlashBladeError, known } from '../core/errors.ts';
import { mapLimit } from '../core/map-limit.ts';
import { type CloseResult, closeSession, endInLedger } from './close.ts';
import { type OwnerEnd, ownerKey } from './items.ts';
import { LEDGER_CALLS_AT_A_TIME, readLease, retryChanged } from './ledger.ts';
import type { ClosingPorts, Pending } from './ports.ts';
import { KEEP_CLOSED_SECONDS, release } from './states.ts';

/** The index of owners lags behind the table, so the sweeper looks for an owner's leases again after this, */
const OWNER_AGAIN_SECONDS = INDEX_LAG_SECONDS;
/** and until the index has certainly caught up, by any clock: the end may be written a while after its time. */
const OWNER_SETTLED_SECONDS = INDEX_LAG_SECONDS + SLACK_SECONDS;
/** The sweeper looks again after this at an owner one of whose leases cannot be ended. */
const OWNER_FAILED_SECONDS = 600;

/**
 * Ends an owner: records its end, then closes its leases. Repeatable. `onClosed` is called and awaited for each lease that was closed; what
 * it throws counts as a failure to close that lease. After all leases were tried, throws one failure, a retryable one first. The sweeper
 * looks for the owner's leases again in any case.
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
  // Before the leases are looked for: an opening that is not found finds this.
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
 * Marks the leases of an ended owner as closing, in the ledger only, so that no array delays it. Returns those that have a session, which
 * the sweeper logs out, and the worst failure.
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

/** Works on all leases of an owner that the index lists. Returns one of the failures: a retryable one, so that it is tried again. */
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

/** Returns the lease, if there is a session to log out. */
const endLease = (ports: ClosingPorts, leaseId: string, by: number): Promise<Pending[]> =>
  retryChanged(leaseId, async () => {
    const current = await readLease(ports, leaseId, by);
    const step = release(current, leaseId, seconds(ports.now()), true);
    if (step.state !== 'LIVE') return (await endInLedger(ports, current, step, by)) && [];
    // Claimed before: the sweeper tries it again when it is due.
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
  purgeAt: now + KEEP_CLOSED_SECONDS,
});

/** The owner's leases were looked for again. Returns undefined if the next sweep must do it once more. A permanent failure waits longer. */
export function settleOwner(
  { dueAt: _dueAt, ...item }: OwnerEnd,
  now: number,
  failure?: { readonly retryable: boolean },
): OwnerEnd | undefined {
  if (failure && !failure.retryable) return { ...item, dueAt: now + OWNER_FAILED_SECONDS };
  return failure || now < item.endedAt + OWNER_SETTLED_SECONDS ? undefined : item;
}
