/** Steps shared by opening, closing, renewing and sweeping. Most steps use the ledger. `by` is a deadline in epoch milliseconds. */
import { seconds } from '../core/deadlines.ts';
import { FlashBladeError, known } from '../core/errors.ts';
import type { EventName, Report } from '../core/reports.ts';
import type { WithHttpInfo } from '../flashblade/client.ts';
import {
  type LeaseItem,
  leaseKey,
  type Opening,
  type Refusal,
  refusalKey,
  type Stored,
  type Suspect,
} from './items.ts';
import type { ArraySecret, ClosingPorts, Slot, StoredSlot } from './ports.ts';
import { giveUp, suspect } from './states.ts';

/** How many items a call reads or closes in parallel. */
export const LEDGER_CALLS_AT_A_TIME = 8;
/** How many times a call tries to change an item that other calls keep changing. */
const ROUNDS = 3;
/** How many times a call checks an array's slots while duplicate requests hold some of them. */
const SLOT_ROUNDS = 10;
/** How long to wait before a refused API token is sent again. */
const REFUSAL_SECONDS = 600;

/**
 * Reads a lease's item. The result always has the requested `leaseId`, so if another lease's item was copied over this one, its token
 * cannot be unsealed.
 */
export async function readLease(
  ports: ClosingPorts,
  leaseId: string,
  by: number,
): Promise<Stored<LeaseItem> | undefined> {
  const item = await ports.store.read(leaseKey(leaseId), by);
  return item?.kind === 'lease' ? { ...item, leaseId } : undefined;
}

/**
 * Runs a step that reads and replaces an item. Retries while the step returns undefined, which means that the item changed in the meantime.
 * Throws LEASE_OPENING after three tries.
 */
export async function retryChanged<Result>(leaseId: string, step: () => Promise<Result | undefined>): Promise<Result> {
  for (let round = 0; round < ROUNDS; round++) {
    const result = await step();
    if (result !== undefined) return result;
  }
  throw contended(leaseId);
}

export const contended = (leaseId: string): FlashBladeError =>
  new FlashBladeError('LEASE_OPENING', `lease ${leaseId} is being changed by other calls. Try again`);

/** Logs in or out and reports the outcome once. Rethrows any error. */
export async function reported<T>(
  ports: ClosingPorts,
  call: 'Login' | 'Logout',
  about: Partial<Report>,
  done: string,
  make: () => Promise<WithHttpInfo<T>>,
): Promise<T> {
  const startedAt = ports.now();
  try {
    const { data, status } = await make();
    const durationMs = ports.now() - startedAt;
    ports.report({ event: `${call}Succeeded`, ...about, status, durationMs, message: done });
    return data;
  } catch (thrown) {
    const error = known(thrown);
    const { code, message, facts } = error;
    const durationMs = ports.now() - startedAt;
    ports.report({ event: `${call}Failed`, ...about, code, status: facts.status, durationMs, message });
    throw error;
  }
}

/**
 * Runs work whose failure must not hide an earlier result or error. A failure is reported as `event`, with the prefix `what`, and never
 * thrown.
 */
export async function bestEffort(
  ports: ClosingPorts,
  event: EventName,
  { what, ...about }: { readonly leaseId?: string; readonly array?: string; readonly what?: string },
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message } = known(error);
    ports.report({ event, ...about, code, message: what === undefined ? message : `${what}: ${message}` });
  }
}

/** Runs a call's remaining ledger writes with `bestEffort`. If a write fails, the sweeper cleans up. */
export const tryToWrite = (
  ports: ClosingPorts,
  { leaseId, target }: Pick<Opening, 'leaseId' | 'target'>,
  work: () => Promise<unknown>,
): Promise<void> => bestEffort(ports, 'LedgerWriteFailed', { leaseId, array: target.name }, work);

/** Throws LOGIN_REFUSED if the array has recently refused this version of the secret. */
export async function checkRefusal(ports: ClosingPorts, { array, versionId }: ArraySecret, by: number): Promise<void> {
  const marker = await ports.store.read(refusalKey(array.name, versionId), by);
  if (marker?.kind !== 'refusal' || marker.until <= seconds(ports.now())) return;
  throw new FlashBladeError(
    'LOGIN_REFUSED',
    `array ${array.name} refused the API token in secret version ${versionId} within the last ten minutes, so it was not sent again. Update the secret.`,
  );
}

/** Prevents all functions from sending a refused API token again for ten minutes. */
export async function markRefused(ports: ClosingPorts, array: string, versionId: string, by: number): Promise<void> {
  const marker = refusalOf(array, versionId, seconds(ports.now()));
  await ports.store.write(marker, await ports.store.read(marker.id, by), by);
}

/** `now` is in epoch seconds. */
export const refusalOf = (array: string, versionId: string, now: number): Refusal => ({
  kind: 'refusal',
  id: refusalKey(array, versionId),
  until: now + REFUSAL_SECONDS,
  purgeAt: now + REFUSAL_SECONDS,
});

/**
 * Called when all slots are taken. Waits for slots that duplicate requests hold, because those requests free their slots if they lose to
 * this one. Throws LEASE_LIMIT, or LEASE_OPENING if another request has taken over this attempt.
 */
export async function waitForSlot(ports: ClosingPorts, array: string, slot: Slot, by: number): Promise<void> {
  const limit = ports.limits.sessionsPerArray;
  for (let round = 0; round < SLOT_ROUNDS; round++) {
    const slots = [...(await ports.store.slots(array, by)).values()];
    if (slots.some(({ attemptId }) => attemptId === slot.attemptId)) throw contended(slot.leaseId);
    if (slots.length < limit && (await ports.store.takeSlot(array, slot, limit, by))) return;
    const isEqual = ({ leaseId, suspect }: StoredSlot): boolean => leaseId === slot.leaseId && !suspect;
    if (slots.length >= limit && !slots.some(isEqual)) {
      throw tooMany(array, limit, slots.filter(({ suspect }) => suspect).length);
    }
  }
  throw contended(slot.leaseId);
}

export const tooMany = (array: string, limit: number, suspects = 0): FlashBladeError =>
  new FlashBladeError(
    'LEASE_LIMIT',
    `array ${array} already has ${limit} sessions (SESSIONS_PER_ARRAY)${suspects > 0 ? `, ${suspects} of them SUSPECTs` : ''}. Close some, or wait`,
  );

type Attempt = Pick<Opening, 'leaseId' | 'attemptId' | 'target' | 'again'>;

/**
 * Cleans up after an attempt that left no session on the array. Removes the intent. After a failed relogin, the lease stays open if `error`
 * is retryable, and is closed otherwise. Frees the slot unless the lease still needs it. Never changes another attempt's item. Never
 * throws. Failures are reported, and the sweeper handles them later.
 */
export async function leaveNothing(
  ports: ClosingPorts,
  attempt: Attempt,
  error: FlashBladeError,
  by: number,
): Promise<void> {
  const { leaseId, attemptId, target, again } = attempt;
  await tryToWrite(ports, attempt, async () => {
    const left = await giveUpIntent(ports, attempt, by, error.retryable);
    const before = typeof again === 'object' ? again.attemptId : undefined;
    if (left?.state !== 'OPEN' || left.attemptId !== attemptId) {
      await ports.store.freeSlot(target.name, { attemptId }, by);
    } else if (before !== undefined) {
      // The slot may still belong to the previous session.
      const slot = { attemptId, leaseId, until: left.expiresAt };
      await ports.store.moveSlot(target.name, before, slot, ports.limits.sessionsPerArray, by);
    }
  });
}

/**
 * Cleans up after an attempt that may have left a session that this process cannot end. The attempt is recorded as a SUSPECT, which keeps
 * the slot. Then the intent is removed, or the lease is closed. If the SUSPECT cannot be recorded, throws and leaves the intent for the
 * sweeper.
 */
export async function leaveSuspect(ports: ClosingPorts, opening: Opening, by: number): Promise<void> {
  await recordSuspect(ports, opening, by);
  await tryToWrite(ports, opening, () => giveUpIntent(ports, opening, by, false));
}

/** Records a SUSPECT and raises an alarm, once per attempt. Call this before the attempt's intent is replaced. */
export async function recordSuspect(ports: ClosingPorts, opening: Opening, by: number): Promise<void> {
  const { leaseId, attemptId, target } = opening;
  const item = suspect(opening, ports.limits.arrayIdleSeconds);
  if (!(await ports.store.write(item, undefined, by))) return;
  const message = `recorded a login with an unknown outcome. Array ${target.name} may have a session that ends only when the idle timeout expires`;
  ports.report({ event: 'SuspectRecorded', leaseId, array: target.name, requestId: attemptId, message });
  const slot = { attemptId, leaseId, until: item.until, suspect: true } as const;
  await tryToWrite(ports, opening, () => ports.store.keepSlot(target.name, slot, by));
}

/** Removes a SUSPECT whose session is certain to have ended, and frees its slot unless the attempt's session was recorded after all. */
export async function dropSuspect(ports: ClosingPorts, item: Stored<Suspect>, by: number): Promise<void> {
  const { attemptId, leaseId, target } = item;
  await ports.store.remove(item, by);
  const lease = await readLease(ports, leaseId, by);
  const isRecorded = lease !== undefined && lease.state !== 'CLOSED' && lease.attemptId === attemptId;
  if (!isRecorded) await ports.store.freeSlot(target.name, { attemptId }, by);
}

/** Gives up the attempt's intent. Returns the lease's resulting item, if any. */
async function giveUpIntent(
  ports: ClosingPorts,
  { leaseId, attemptId }: Attempt,
  by: number,
  retryable: boolean,
): Promise<LeaseItem | undefined> {
  const { left } = await retryChanged(leaseId, async () => {
    const current = await readLease(ports, leaseId, by);
    if (current?.state !== 'OPENING' || current.attemptId !== attemptId) return { left: current };
    const next = giveUp(current, seconds(ports.now()), retryable);
    if (next === 'remove') return (await ports.store.remove(current, by)) ? { left: undefined } : undefined;
    return (await ports.store.write(next, current, by)) ? { left: next } : undefined;
  });
  return left;
}
