/** Steps in the ledger that several stories take. */
import type { ArraySecret } from '../edges/secrets.ts';
import { FlashBladeError, known } from '../ground/errors.ts';
import { type Item, type LeaseItem, leaseKey, type Opening, refusalKey, suspectKey } from '../ground/lease-items.ts';
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

/** Records that a dead attempt may have left a session, which takes a place of the array until it has ended as idle. */
export async function writeSuspect(edges: ClosingEdges, opening: Opening, by: number): Promise<void> {
  const { leaseId, attemptId, target } = opening;
  const item = stamped(edges, suspect(opening, edges.limits.arrayIdleSeconds));
  if (!(await edges.leases.write(item, undefined, by))) return;
  const message = `a login without a known outcome was recorded: array ${target.name} may hold a session until it is idle for too long`;
  edges.report({ event: 'SuspectRecorded', leaseId, array: target.name, requestId: attemptId, message });
  const place = { attemptId, until: item.until, limit: Number.MAX_SAFE_INTEGER };
  await tidy(edges, opening, async () => void (await edges.leases.join(target.name, suspectKey(attemptId), place, by)));
}

/**
 * An attempt has ended without a session that anybody holds: its item goes, or becomes CLOSED, and so does the place that it took.
 * An item that is not this attempt's, or is OPEN, stays as it is. Never throws: the sweeper comes after.
 */
export async function settle(
  edges: ClosingEdges,
  attempt: Pick<Opening, 'leaseId' | 'attemptId' | 'target'>,
  by: number,
): Promise<void> {
  const { leaseId, attemptId, target } = attempt;
  await tidy(edges, attempt, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const current = await readLease(edges, leaseId, by);
      const inUse = current !== undefined && current.state !== 'CLOSED' && current.target.name === target.name;
      const mine = current?.attemptId === attemptId && current.state === 'OPENING';
      if (inUse && !mine) return;
      if (!mine) break;
      const next = giveUp(current, seconds(edges.now()));
      if (next === 'remove' && (await edges.leases.remove(current, by))) break;
      // A closed lease needs no place, whichever of its attempts took it.
      if (next !== 'remove' && (await edges.leases.write(stamped(edges, next), current, by))) {
        return edges.leases.leave(target.name, leaseId, by);
      }
    }
    await edges.leases.leave(target.name, leaseId, by, attemptId);
  });
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
