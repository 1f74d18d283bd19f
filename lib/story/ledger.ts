/** Steps in the ledger that several stories take. */
import type { ArraySecret } from '../edges/secrets.ts';
import { FlashBladeError, known } from '../ground/errors.ts';
import { type Item, type LeaseItem, leaseKey, type Opening, refusalKey } from '../ground/lease-items.ts';
import { giveUp, suspect } from '../ground/lease-states.ts';
import { seconds } from '../ground/time.ts';
import type { ClosingEdges } from './edges.ts';

/** How often a call looks again at an item that others change under its hands. */
export const ROUNDS = 3;

/** The item of a lease. It is this lease's whatever it says of itself: under its own id, a copy of another's does not unseal. */
export async function readLease(edges: ClosingEdges, leaseId: string, by: number): Promise<LeaseItem | undefined> {
  const item = await edges.leases.read(leaseKey(leaseId), by);
  return item?.kind === 'lease' ? { ...item, leaseId } : undefined;
}

/** An item as it is about to be written: every write has a version of its own. */
export const stamped = <T extends Item>(edges: ClosingEdges, item: T): T => ({ ...item, version: edges.newId() });

/** What is thrown when an item was changed by others in every round. */
export const contended = (leaseId: string): FlashBladeError =>
  new FlashBladeError('LEASE_OPENING', `lease ${leaseId} is being changed by other calls: try again`);

/** What is thrown when all slots of an array are taken. */
export const tooMany = (array: string, limit: number, suspects = 0): FlashBladeError =>
  new FlashBladeError(
    'LEASE_LIMIT',
    `array ${array} has ${limit} sessions already (SESSIONS_PER_ARRAY)${suspects > 0 ? `, ${suspects} of them SUSPECTs` : ''}: close some, or wait`,
  );

/** Throws LOGIN_REFUSED if the array refused this version of the secret a short while ago. */
export async function refuseIfMarked(
  edges: ClosingEdges,
  { array, versionId }: ArraySecret,
  by: number,
): Promise<void> {
  const marker = await edges.leases.read(refusalKey(array.name, versionId), by);
  if (marker?.kind !== 'refusal' || marker.until <= seconds(edges.now())) return;
  throw new FlashBladeError(
    'LOGIN_REFUSED',
    `array ${array.name} refused the API token of secret version ${versionId} within the last ten minutes and is not asked again: correct the secret`,
  );
}

/** Records that a dead attempt may have left a session, which keeps its slot until it has ended as idle. */
export async function writeSuspect(edges: ClosingEdges, opening: Opening, by: number): Promise<void> {
  const { leaseId, attemptId, target } = opening;
  const item = stamped(edges, suspect(opening, edges.limits.arrayIdleSeconds));
  if (!(await edges.leases.write(item, undefined, by))) return;
  const message = `a login without a known outcome was recorded: array ${target.name} may hold a session until it is idle for too long`;
  edges.report({ event: 'SuspectRecorded', leaseId, array: target.name, requestId: attemptId, message });
  const slot = { attemptId, leaseId, until: item.until, suspect: true } as const;
  await tidy(edges, opening, () => edges.leases.keepSlot(target.name, slot, by));
}

/**
 * An attempt has ended without a session: its item goes, or becomes what it was before, and its slot is free unless the lease needs it.
 * `error`: why it ended. An item that is not this attempt's stays as it is. Never throws: the sweeper comes after.
 */
export async function settleNothing(
  edges: ClosingEdges,
  attempt: Attempt,
  error: FlashBladeError,
  by: number,
): Promise<void> {
  const { attemptId, target, again } = attempt;
  await tidy(edges, attempt, async () => {
    const left = await settle(edges, attempt, by, error.retryable);
    const before = typeof again === 'object' ? again.attemptId : undefined;
    if (left?.state !== 'OPEN' || left.attemptId !== attemptId) {
      await edges.leases.freeSlot(target.name, { attemptId }, by);
    } else if (before !== undefined) {
      // Open as before: the slot may still be that of the session before.
      const slot = { attemptId, leaseId: attempt.leaseId, until: left.expiresAt };
      await edges.leases.moveSlot(target.name, before, slot, edges.limits.sessionsPerArray, by);
    }
  });
}

/**
 * What an attempt may have left is a SUSPECT now, which has its slot: its item goes, or becomes CLOSED. An item that is not this
 * attempt's stays as it is. Never throws: the sweeper comes after.
 */
export async function settleSuspect(edges: ClosingEdges, attempt: Attempt, by: number): Promise<void> {
  await tidy(edges, attempt, async () => void (await settle(edges, attempt, by, false)));
}

type Attempt = Pick<Opening, 'leaseId' | 'attemptId' | 'target' | 'again'>;

/** Returns what the ledger holds of the lease then. */
async function settle(
  edges: ClosingEdges,
  { leaseId, attemptId }: Attempt,
  by: number,
  retryable: boolean,
): Promise<LeaseItem | undefined> {
  for (let round = 0; round < ROUNDS; round++) {
    const current = await readLease(edges, leaseId, by);
    if (current?.state !== 'OPENING' || current.attemptId !== attemptId) return current;
    const next = giveUp(current, seconds(edges.now()), retryable);
    if (next === 'remove') {
      if (await edges.leases.remove(current, by)) return undefined;
    } else {
      if (await edges.leases.write(stamped(edges, next), current, by)) return next;
    }
  }
  throw contended(leaseId);
}

/** Tidies up after an error, which a further one must not hide. */
export async function tidy(
  edges: ClosingEdges,
  of: { leaseId: string; target: { name: string } },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message } = known(error);
    edges.report({ event: 'LedgerWriteFailed', leaseId: of.leaseId, array: of.target.name, code, message });
  }
}
