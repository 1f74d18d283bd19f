/**
 * Opens a session under a lease. This file shows every step of one request, from top to bottom.
 *
 * read the secret ─▶ begin: ┬ write the intent (OPENING) ┬─▶ log in ───────────▶ record (OPEN) ─▶ lease
 *                             ├ get a data key             │   (in parallel,
 *                             ├ take a slot on the array   │   check the owner)
 *                             └ check for a recent refusal ┘
 *
 * | what happens                                        | what remains               | what the caller gets              |
 * | --------------------------------------------------- | -------------------------- | --------------------------------- |
 * | too little time is left to log in                   | nothing                    | OUT_OF_TIME                       |
 * | a step in `begin` fails                             | nothing                    | that step's error                 |
 * | no slot is free                                     | nothing                    | LEASE_LIMIT                       |
 * | the array refuses the API token (400, 401, 403)     | a refusal, for ten minutes | LOGIN_REFUSED (1)                 |
 * | the array is busy (429, 503), or nothing was sent   | nothing                    | the login's error                 |
 * | the login gets no usable response                   | a SUSPECT (2)              | LOGIN_UNKNOWN (2)                 |
 * | logged in, not recorded, logged out again           | nothing                    | the reason for not recording it   |
 * | logged in, neither recorded nor logged out          | a SUSPECT                  | LOGIN_UNKNOWN                     |
 * | recorded, but the response was lost                 | the open lease             | the lease (3)                     |
 * | released in the meantime, so logged out again (4)   | a CLOSED lease             | LEASE_ENDED                       |
 * | the owner has ended, so logged out again            | nothing                    | LEASE_ENDED                       |
 * | the process dies                                    | the intent, with its slot  |                                   |
 * | the ledger cannot be updated after one of these     | the intent, with its slot  | as above                          |
 *
 * (1) If the secret has a newer version, `begin` and all later steps run again with that version. Until the refusal expires, `begin` fails
 * with LOGIN_REFUSED without contacting the array. (2) If the response contained an auth token, the client logs out again, which may take
 * until D − 2.75 s. In that case, nothing remains, and the caller gets the login's error. (3) If reading the lease back also fails, the
 * session is logged out and the caller gets the error. The lease stays open, and the next call under the lease logs in again. (4) A release
 * leaves a CLOSED lease, regardless of the login's outcome.
 *
 * - Time limits for a deadline D: the login ends by D − 5.75 s (`by.login`), the record by D − 3.75 s (`by.record`), and the cleanup by D −
 *   0.75 s (`by.logout`).
 * - Duplicate requests (same lease id, array and owner) get LEASE_OPENING (retryable) while the first one is opening the session, then the
 *   open lease, and LEASE_ENDED after the lease has ended. A request with the same lease id but a different array or owner gets
 *   LEASE_CONFLICT.
 * - After `openingUntil` (D + 6 s), a leftover intent is turned into a SUSPECT by the sweeper, by a release, or by the next duplicate
 *   request, which then proceeds like a first request.
 * - A SUSPECT is a separate item. Recording a SUSPECT raises an alarm. The SUSPECT keeps its slot until the array is certain to have ended
 *   the session. Then the sweeper or the fleet check drops the SUSPECT and its slot.
 * - Every write is conditional, so an attempt never changes or removes another attempt's item while that attempt may still be running.
 *
 * A relogin begins in session.ts, then also calls `logInAndRecord` and `conclude`. Where the table says that nothing remains, a relogin
 * leaves the lease open as before, or CLOSED. docs/architecture.md has a glossary.
 */
import { type Deadlines, openingDeadlines, outOfTime, seconds } from '../core/deadlines.ts';
import { FlashBladeError, isFlashBladeError, known } from '../core/errors.ts';
import type { Lease, Session } from '../core/model.ts';
import { logOut } from './close.ts';
import { type LeaseItem, type Open, type Opening, ownerKey, type Stored, sealContext } from './items.ts';
import {
  checkRefusal,
  leaveNothing,
  leaveSuspect,
  markRefused,
  readLease,
  recordSuspect,
  reported,
  retryChanged,
  tryToWrite,
  waitForSlot,
} from './ledger.ts';
import type { ArraySecret, DataKey, Ports } from './ports.ts';
import type { OpenRequest } from './requests.ts';
import { type Intent, intend, record, whyNotRecorded } from './states.ts';

/** Time for checking whether a record was written even though the response was lost. Taken from the time reserved for the logout. */
const READ_BACK_MS = 500;

/**
 * Opens a session on an array, or returns the open lease of a duplicate request. Finishes before `deadline` (epoch milliseconds). Throws a
 * FlashBladeError. Even then, the ledger lists every session that may remain on the array.
 */
export const openSession = async (ports: Ports, request: OpenRequest, deadline: number): Promise<Lease> =>
  leaseOf((await openOrFind(ports, request, deadline)).lease);

/** `isNew` is false if the lease was already open, so that another call may be using it. */
export type Opened = { readonly lease: Open; readonly isNew: boolean };

/** Like `openSession`, but also says whether this call opened the session. */
export async function openOrFind(ports: Ports, request: OpenRequest, deadline: number): Promise<Opened> {
  const by = openingDeadlines(deadline, ports.now());
  const secret = await ports.secrets.read(request.array, { by: by.login });
  try {
    return await openWith(ports, request, secret, by);
  } catch (error) {
    // The API token may have been rotated since it was cached, so try again if the secret has a newer version.
    const newer = isFlashBladeError(error, 'LOGIN_REFUSED') ? await newerSecret(ports, secret, by) : undefined;
    if (newer === undefined) throw error;
    return openWith(ports, request, newer, by);
  }
}

async function newerSecret(ports: Ports, secret: ArraySecret, by: Deadlines): Promise<ArraySecret | undefined> {
  const current = await ports.secrets.read(secret.array.name, { by: by.login, fresh: true }).catch(() => secret);
  return current.versionId === secret.versionId ? undefined : current;
}

async function openWith(ports: Ports, request: OpenRequest, secret: ArraySecret, by: Deadlines): Promise<Opened> {
  const begun = await begin(ports, request, secret, by);
  if ('served' in begun) return { lease: begun.served, isNew: false };
  const outcome = await logInAndRecord(ports, begun, secret, by);
  const { lease } = await conclude(ports, begun.opening, outcome, by);
  return { lease, isNew: true };
}

export const leaseOf = ({ leaseId, target, username, expiresAt }: Open): Lease => ({
  leaseId,
  array: target.name,
  username,
  expiresAt,
});

/** A login attempt whose intent is written and whose slot is taken. */
type Attempt = { readonly opening: Stored<Opening>; readonly key: DataKey };

/**
 * Runs the four steps that must precede a login, in parallel. If one step fails, undoes the others and throws that step's error. If the
 * request is a duplicate whose lease is open, returns that lease, regardless of the results of the other steps.
 *
 * To add a step, add a promise and its `settledValue` below. If the step writes something, undo the write in `leaveNothing` and where an
 * open lease is returned. If relogins need the step, add it to session.ts, too.
 */
async function begin(
  ports: Ports,
  request: OpenRequest,
  secret: ArraySecret,
  by: Deadlines,
): Promise<Attempt | { readonly served: Open }> {
  const { leaseId, leaseSeconds, owner } = request;
  const { array } = secret;
  const { openingUntil } = by;
  const attemptId = ports.newId();
  const base = { leaseId, attemptId, target: array, leaseSeconds, openingUntil };
  const intent: Intent = owner === undefined ? base : { ...base, owner };
  const slot = { attemptId, leaseId, until: openingUntil };
  const [written, key, hasSlot, notRefused] = await Promise.allSettled([
    writeIntent(ports, intent, by),
    ports.seal.dataKey(sealContext(leaseId, array), by.login),
    ports.store.takeSlot(array.name, slot, ports.limits.sessionsPerArray, by.login),
    checkRefusal(ports, secret, by.login),
  ]);
  try {
    const result = settledValue(written);
    if ('served' in result) {
      await tryToWrite(ports, intent, () => ports.store.freeSlot(array.name, { attemptId }, by.record));
      ports.report({ event: 'LeaseServed', leaseId, array: array.name, message: 'the lease was already open' });
      return result;
    }
    if (!settledValue(hasSlot)) await waitForSlot(ports, array.name, slot, by.login);
    settledValue(notRefused);
    return { opening: result.opening, key: settledValue(key) };
  } catch (error) {
    await leaveNothing(ports, intent, known(error), by.record);
    throw error;
  }
}

function writeIntent(
  ports: Ports,
  intent: Intent,
  by: Deadlines,
): Promise<{ served: Open } | { opening: Stored<Opening> }> {
  // Usually there is no item yet, so the first round skips the read.
  let current: Stored<LeaseItem> | undefined;
  return retryChanged(intent.leaseId, async () => {
    const decision = intend(current, intent, seconds(ports.now()));
    if ('serve' in decision) return { served: decision.serve };
    // Before replacing a dead attempt's item, record the session that the attempt may have left.
    if (current?.state === 'OPENING') await recordSuspect(ports, current, by.login);
    const opening = await ports.store.write(decision.write, current, by.login);
    if (opening) return { opening };
    current = await readLease(ports, intent.leaseId, by.login);
    return undefined;
  });
}

function settledValue<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

/** An open lease and its session. */
export type Held = {
  readonly lease: Open;
  readonly session: Session;
  /** Time at which a call from this process last succeeded in the session (epoch milliseconds). */
  workedAt?: number;
};

/** What an attempt left behind. */
type Outcome =
  /** The session is recorded, and callers may use it. */
  | { readonly left: 'session'; readonly held: Held }
  /** The array has no session from this attempt. `refused` is the secret version that the array refused. */
  | { readonly left: 'nothing'; readonly error: FlashBladeError; readonly refused?: string }
  /** The array may have a session that this process cannot end. */
  | { readonly left: 'unknown'; readonly error: FlashBladeError };

/** Logs in and records the session. If recording fails, logs out again, so that most failures leave nothing behind. Never throws. */
export async function logInAndRecord(
  ports: Ports,
  attempt: Attempt,
  secret: ArraySecret,
  by: Deadlines,
): Promise<Outcome> {
  const { opening } = attempt;
  // Check the owner only after the intent is written. If the owner ends in the meantime, either the call that ends the owner finds the
  // intent, or this check finds the ended owner.
  const veto = vetoOfOwner(ports, opening, by.login);
  let session: Session;
  try {
    session = await logIn(ports, opening, secret, by.login);
  } catch (thrown) {
    // After an unexpected error, assume that a session may have been opened.
    const error = known(thrown);
    if (error.facts.mayHaveOpened) return { left: 'unknown', error };
    return { left: 'nothing', error, ...(error.code === 'LOGIN_REFUSED' ? { refused: secret.versionId } : {}) };
  }
  try {
    const lease = await recordSession(ports, attempt, session, veto, by);
    return { left: 'session', held: { lease, session } };
  } catch (thrown) {
    const error = known(thrown);
    const why = `logged out again: ${error.message}`;
    try {
      await logOut(ports, opening, () => session, by.logout, why);
      return { left: 'nothing', error };
    } catch {
      return { left: 'unknown', error };
    }
  }
}

/** Logs in once for the attempt `opening`. Sends nothing after `by`. Throws anything that a login throws. */
function logIn(ports: Ports, opening: Opening, secret: ArraySecret, by: number): Promise<Session> {
  const { array, apiToken, versionId } = secret;
  const { leaseId, attemptId: requestId } = opening;
  const about = { leaseId, array: array.name, secretVersionId: versionId, requestId };
  return reported(ports, 'Login', about, 'logged in', async () => {
    if (ports.now() >= by) throw outOfTime('log in');
    return ports.flashblade.login(array, apiToken, { deadline: by, requestId });
  });
}

/**
 * Returns an error if no session may be recorded for the owner, because the owner has ended or its state is unknown. Never throws, because
 * the login does not wait for the result.
 */
async function vetoOfOwner(
  ports: Ports,
  { leaseId, owner }: Opening,
  by: number,
): Promise<FlashBladeError | undefined> {
  if (owner === undefined) return undefined;
  try {
    if ((await ports.store.read(ownerKey(owner), by)) === undefined) return undefined;
    const message = `the owner of lease ${leaseId} has already ended. Owners are single-use, so use a new owner and a new lease id`;
    return new FlashBladeError('LEASE_ENDED', message, { ownerEnded: true });
  } catch (error) {
    return known(error);
  }
}

/** Seals the auth token and turns the intent into an open lease. Throws an error if the session cannot or must not be recorded. */
async function recordSession(
  ports: Ports,
  { opening, key }: Attempt,
  { username, authToken }: Session,
  ownersVeto: Promise<FlashBladeError | undefined>,
  by: Deadlines,
): Promise<Open> {
  const { leaseId, attemptId, target } = opening;
  const veto = await ownersVeto;
  if (veto) throw veto;
  const sealed = ports.seal.seal(key, authToken, sealContext(leaseId, target));
  const open = record(opening, { username, sealed });
  let failure: unknown;
  try {
    const written = await ports.store.write(open, opening, by.record);
    if (written) return written;
  } catch (error) {
    failure = error;
  }
  const current = await readLease(ports, leaseId, by.record + READ_BACK_MS).catch((error) => {
    throw failure ?? error;
  });
  // The record was written, and only the response was lost. Other calls may already be using the lease.
  if (current?.state === 'OPEN' && current.attemptId === attemptId) return current;
  throw failure ?? whyNotRecorded(current, opening);
}

/**
 * Updates the ledger to match what an attempt left behind. Once `begin` has succeeded, only this function decides what the ledger keeps.
 * Returns the recorded session, or throws the attempt's error, even if the ledger cannot be updated. A failed update is reported, and the
 * sweeper handles it later.
 *
 * - `nothing`: records the refusal if the array refused the API token. Then removes the intent, or closes the lease if it was released in
 *   the meantime, and frees the slot.
 * - `unknown`: records a SUSPECT, then removes the intent. The error becomes LOGIN_UNKNOWN. However, if the record was written and only the
 *   response was lost, the lease stays open.
 */
export async function conclude(
  ports: Ports,
  opening: Opening,
  outcome: Outcome,
  { logout: by }: Deadlines,
): Promise<Held> {
  if (outcome.left === 'session') return outcome.held;
  const { error } = outcome;
  const { leaseId, attemptId, target, again: isRelogin } = opening;
  if (outcome.left === 'nothing') {
    const { refused } = outcome;
    if (refused !== undefined) await tryToWrite(ports, opening, () => markRefused(ports, target.name, refused, by));
    await leaveNothing(ports, opening, error, by);
    throw error;
  }
  let fate = 'The ledger could not be updated and still contains the intent. The sweeper will report the session.';
  let isRecorded = false;
  await tryToWrite(ports, opening, async () => {
    const current = await readLease(ports, leaseId, by);
    isRecorded = current?.state === 'OPEN' && current.attemptId === attemptId;
    if (isRecorded) return;
    await leaveSuspect(ports, opening, by);
    fate = "The session is recorded as a SUSPECT and ends after the array's idle timeout.";
  });
  if (isRecorded) throw error;
  const hasEnded = isRelogin || error.code === 'LEASE_ENDED';
  const advice = hasEnded ? 'The lease has ended. Use a different lease id.' : 'Request the session again.';
  throw new FlashBladeError(
    'LOGIN_UNKNOWN',
    `array ${target.name} may have a session for lease ${leaseId}, but the session's auth token is lost. ${fate} ${advice} (${error.code}: ${error.message})`,
    error.facts,
  );
}
