/** One login under an intent that is written: its session is recorded, or logged out, or known as a SUSPECT. */

import { type DataKey, sealContext, sealToken } from '../edges/seal.ts';
import type { ArraySecret } from '../edges/secrets.ts';
import { FlashBladeError, known } from '../ground/errors.ts';
import {
  giveUp,
  type Item,
  type LeaseItem,
  leaseKey,
  type Open,
  type Opening,
  ownerKey,
  record,
  refusalKey,
  refuse,
  suspect,
} from '../ground/lease-states.ts';
import type { Session } from '../ground/model.ts';
import { type Deadlines, outOfTime, seconds } from '../ground/time.ts';
import type { Edges } from './edges.ts';

const ROUNDS = 3;

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
  const { attemptId, leaseId, target } = opening;
  if (error.code === 'LOGIN_REFUSED') {
    const marker = stamped(edges, refuse(target.name, secret.versionId, attemptId, seconds(edges.now())));
    await tidy(edges, opening, async () => {
      const previous = await edges.leases.read(marker.id, by.logout);
      await edges.leases.write(marker, previous, by.logout);
    });
  }
  await settle(edges, { leaseId, attemptId, array: target.name }, by.logout);
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
  try {
    const refusal = await ownerEnded;
    if (refusal) throw refusal;
    const sealed = sealToken(key, session.authToken, sealContext(leaseId, target));
    const recorded = { username: session.username, sealed };
    const open = stamped(edges, record(opening, opening, recorded));
    if (await edges.leases.write(open, opening, by.record)) return open;
    // Somebody changed the item meanwhile; why is in it.
    record(await readLease(edges, leaseId, by.record), opening, recorded);
    throw new FlashBladeError(
      'LEASE_OPENING',
      `lease ${leaseId} was changed by another call while logging in: try again`,
    );
  } catch (error) {
    throw await undo(edges, opening, session, known(error), by);
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
    return ended && new FlashBladeError('LEASE_ENDED', `lease ${leaseId}: the owner it was asked for has ended`);
  } catch (error) {
    return known(error);
  }
}

/** The session exists and is not recorded: log it out. */
async function undo(
  edges: Edges,
  opening: Opening,
  session: Session,
  error: FlashBladeError,
  by: Deadlines,
): Promise<FlashBladeError> {
  const { leaseId, attemptId, target } = opening;
  const requestId = edges.newId();
  const facts = { leaseId, array: target.name, requestId };
  try {
    const { status } = await edges.flashblade.logout(session, { deadline: by.logout, requestId });
    edges.report({ event: 'LogoutSucceeded', ...facts, status, message: `logged out again: ${error.message}` });
  } catch (failure) {
    const { code, message } = known(failure);
    edges.report({ event: 'LogoutFailed', ...facts, code, message });
    return loseTrack(edges, opening, error, by.logout);
  }
  await settle(edges, { leaseId, attemptId, array: target.name }, by.logout);
  return error;
}

/** A session may exist that nobody holds. If the SUSPECT cannot be written, the dead intent stays and tells the same. */
async function loseTrack(edges: Edges, opening: Opening, error: FlashBladeError, by: number): Promise<FlashBladeError> {
  const { leaseId, attemptId, target } = opening;
  await tidy(edges, opening, async () => {
    const current = await readLease(edges, leaseId, by);
    // Recorded after all: it is closed like any other lease.
    if (current?.state === 'OPEN' && current.attemptId === attemptId) return;
    await writeSuspect(edges, opening, by);
    await settle(edges, { leaseId, attemptId, array: target.name }, by);
  });
  return new FlashBladeError(
    'LOGIN_UNKNOWN',
    `array ${target.name} may hold a session of lease ${leaseId} that nobody can use or end; it is recorded and ends by the array's idle time-out: try again (${error.code}: ${error.message})`,
    error.facts,
  );
}

/** Records that a dead attempt may have left a session. */
export async function writeSuspect(edges: Edges, opening: Opening, by: number): Promise<void> {
  const { leaseId, attemptId, target } = opening;
  const item = stamped(edges, suspect(opening, seconds(edges.now()), edges.limits.arrayIdleSeconds));
  await edges.leases.write(item, undefined, by);
  const message = 'a login without a known outcome was recorded as SUSPECT';
  edges.report({ event: 'SuspectRecorded', leaseId, array: target.name, requestId: attemptId, message });
}

/** An attempt left no session: its item goes, or becomes CLOSED, and so does its place. Never throws: the sweeper comes after. */
export async function settle(
  edges: Edges,
  of: { leaseId: string; attemptId: string; array: string },
  by: number,
): Promise<void> {
  await tidy(edges, { leaseId: of.leaseId, target: { name: of.array } }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const current = await readLease(edges, of.leaseId, by);
      const mine = current?.attemptId === of.attemptId && (current.state === 'OPENING' || current.state === 'OPEN');
      if (!mine) {
        const othersPlace = current !== undefined && current.state !== 'CLOSED' && current.target.name === of.array;
        if (!othersPlace) await edges.leases.leave(of.array, of.leaseId, by);
        return;
      }
      const next = giveUp(current, seconds(edges.now()));
      if (next === 'remove') await edges.leases.remove(current, by);
      else await edges.leases.write(stamped(edges, next), current, by);
    }
  });
}

export async function readLease(edges: Edges, leaseId: string, by: number): Promise<LeaseItem | undefined> {
  const item = await edges.leases.read(leaseKey(leaseId), by);
  return item?.kind === 'lease' ? item : undefined;
}

/** An item as it is about to be written: every write has a version of its own. */
export const stamped = <T extends Item>(edges: Edges, item: T): T => ({ ...item, version: edges.newId() });

/** Throws LOGIN_REFUSED if the array refused this version of the secret a short while ago. */
export async function refuseIfMarked(edges: Edges, { array, versionId }: ArraySecret, by: number): Promise<void> {
  const marker = await edges.leases.read(refusalKey(array.name, versionId), by);
  if (marker?.kind !== 'refusal' || marker.until <= seconds(edges.now())) return;
  throw new FlashBladeError(
    'LOGIN_REFUSED',
    `array ${array.name} refused the API token of secret version ${versionId} within the last ten minutes and is not asked again: correct the secret`,
  );
}

/** Tidies up after an error, which a further one must not hide. */
export async function tidy(
  edges: Edges,
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
