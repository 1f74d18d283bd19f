/** One login under an intent that is written: its session is recorded, or logged out, or known as a SUSPECT. */

import { type DataKey, sealContext, sealToken } from '../edges/seal.ts';
import type { ArraySecret } from '../edges/secrets.ts';
import { FlashBladeError, known } from '../ground/errors.ts';
import { type Open, type Opening, ownerKey } from '../ground/lease-items.ts';
import { record } from '../ground/lease-states.ts';
import { refuse } from '../ground/ledger-marks.ts';
import type { Session } from '../ground/model.ts';
import { type Deadlines, outOfTime, seconds } from '../ground/time.ts';
import type { Edges } from './edges.ts';
import { readLease, settleNothing, settleSuspect, stamped, tidy, writeSuspect } from './ledger.ts';

/** Taken from the time to log out, to learn whether a record was written whose answer was lost. */
const READ_BACK_MS = 500;

/**
 * Logs in under an intent that is written, and records the session. Whatever fails, the session is logged out, or known as a
 * SUSPECT, and the intent is settled.
 */
export async function loginUnder(
  edges: Edges,
  opening: Opening,
  key: DataKey,
  secret: ArraySecret,
  by: Deadlines,
): Promise<{ opened: Open; session: Session }> {
  const startedAt = edges.now();
  const facts = {
    leaseId: opening.leaseId,
    array: secret.array.name,
    secretVersionId: secret.versionId,
    requestId: opening.attemptId,
  };
  let session: Session;
  // After the intent, so that an owner that ends meanwhile finds it, or we find the owner's end.
  const ownerEnded = hasOwnerEnded(edges, opening, by.login);
  try {
    if (startedAt >= by.login) throw outOfTime('log in');
    const answer = await edges.flashblade.login(secret.array, secret.apiToken, {
      deadline: by.login,
      requestId: opening.attemptId,
    });
    session = answer.data;
    const durationMs = edges.now() - startedAt;
    edges.report({ event: 'LoginSucceeded', ...facts, status: answer.status, durationMs, message: 'logged in' });
  } catch (error) {
    const failure = known(error);
    const durationMs = edges.now() - startedAt;
    const { message, code } = failure;
    edges.report({ event: 'LoginFailed', ...facts, code, status: failure.facts.status, durationMs, message });
    throw await afterFailedLogin(edges, opening, secret, failure, by);
  }
  return { opened: await recordOrUndo(edges, opening, key, session, ownerEnded, by), session };
}

async function afterFailedLogin(
  edges: Edges,
  opening: Opening,
  secret: ArraySecret,
  error: FlashBladeError,
  by: Deadlines,
): Promise<FlashBladeError> {
  if (error.facts.mayHaveOpened) return loseTrack(edges, opening, error, by.logout);
  if (error.code === 'LOGIN_REFUSED') {
    const now = seconds(edges.now());
    const marker = stamped(edges, refuse(opening.target.name, secret.versionId, opening.attemptId, now));
    await tidy(edges, opening, async () => {
      const previous = await edges.leases.read(marker.id, by.logout);
      await edges.leases.write(marker, previous, by.logout);
    });
  }
  await settleNothing(edges, opening, error, by.logout);
  return error;
}

async function recordOrUndo(
  edges: Edges,
  opening: Opening,
  key: DataKey,
  session: Session,
  ownerEnded: Promise<FlashBladeError | undefined>,
  by: Deadlines,
): Promise<Open> {
  const { leaseId, target } = opening;
  let open: Open | undefined;
  try {
    const refusal = await ownerEnded;
    if (refusal) throw refusal;
    const sealed = sealToken(key, session.authToken, sealContext(leaseId, target));
    const recorded = { username: session.username, sealed };
    open = stamped(edges, record(opening, opening, recorded));
    if (await edges.leases.write(open, opening, by.record)) return open;
    // Somebody changed the item meanwhile; why is in it.
    record(await readLease(edges, leaseId, by.record), opening, recorded);
    throw new FlashBladeError(
      'LEASE_OPENING',
      `lease ${leaseId} was changed by another call while logging in: try again`,
    );
  } catch (error) {
    // Written, and only the answer was lost: others may use the lease already.
    if (open && (await isWritten(edges, open, by.record + READ_BACK_MS))) return open;
    throw await undo(edges, opening, session, known(error), by);
  }
}

async function isWritten(edges: Edges, open: Open, by: number): Promise<boolean> {
  try {
    return (await edges.leases.read(open.id, by))?.version === open.version;
  } catch {
    return false;
  }
}

/** Why a session must not be opened for this owner any more; undefined: it may. Never throws: nobody may be waiting. */
async function hasOwnerEnded(
  edges: Edges,
  { leaseId, owner }: Opening,
  by: number,
): Promise<FlashBladeError | undefined> {
  if (owner === undefined) return undefined;
  try {
    const ended = await edges.leases.read(ownerKey(owner), by);
    return ended && ownerHasEnded(leaseId);
  } catch (error) {
    return known(error);
  }
}

const ownerHasEnded = (leaseId: string): FlashBladeError =>
  new FlashBladeError(
    'LEASE_ENDED',
    `lease ${leaseId}: its owner has already ended. Owners are single-use: use a new owner and a new lease id`,
    { ownerEnded: true },
  );

/** The session exists and is not recorded: log it out. */
async function undo(
  edges: Edges,
  opening: Opening,
  session: Session,
  error: FlashBladeError,
  by: Deadlines,
): Promise<FlashBladeError> {
  const requestId = edges.newId();
  const facts = { leaseId: opening.leaseId, array: opening.target.name, requestId };
  try {
    const { status } = await edges.flashblade.logout(session, { deadline: by.logout, requestId });
    edges.report({ event: 'LogoutSucceeded', ...facts, status, message: `logged out again: ${error.message}` });
  } catch (failure) {
    const { code, message } = known(failure);
    edges.report({ event: 'LogoutFailed', ...facts, code, message });
    return loseTrack(edges, opening, error, by.logout);
  }
  await settleNothing(edges, opening, error, by.logout);
  return error;
}

/** A session may exist that nobody holds. */
async function loseTrack(edges: Edges, opening: Opening, error: FlashBladeError, by: number): Promise<FlashBladeError> {
  const { leaseId, attemptId, target, again } = opening;
  let fate = 'the ledger could not be told so, and keeps its intent, of which the sweeper will tell';
  let recorded = false;
  await tidy(edges, opening, async () => {
    const current = await readLease(edges, leaseId, by);
    recorded = current?.state === 'OPEN' && current.attemptId === attemptId;
    if (recorded) return;
    await writeSuspect(edges, opening, by);
    fate = "it is recorded as SUSPECT and ends by the array's idle time-out";
    await settleSuspect(edges, opening, by);
  });
  // Open and known after all: it serves the next request, and is closed like any other lease.
  if (recorded) return error;
  const advice = again ? 'the lease has ended, use another lease id' : 'ask for the session again';
  return new FlashBladeError(
    'LOGIN_UNKNOWN',
    `array ${target.name} may hold a session of lease ${leaseId} whose auth token nobody has; ${fate}; ${advice} (${error.code}: ${error.message})`,
    error.facts,
  );
}
