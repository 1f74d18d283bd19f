/** Opens a session under a lease: secret → intent → login → sealed and recorded. The intent is written before the login. */

import type { Slot, StoredSlot } from '../edges/leases.ts';
import { type DataKey, sealContext } from '../edges/seal.ts';
import type { ArraySecret } from '../edges/secrets.ts';
import { isFlashBladeError, known } from '../ground/errors.ts';
import type { LeaseItem, Open, Opening } from '../ground/lease-items.ts';
import { type Intent, intend } from '../ground/lease-states.ts';
import type { Lease } from '../ground/model.ts';
import type { OpenRequest } from '../ground/requests.ts';
import { type Deadlines, openingDeadlines, seconds } from '../ground/time.ts';
import type { Edges } from './edges.ts';
import {
  contended,
  ROUNDS,
  readLease,
  refuseIfMarked,
  settleNothing,
  stamped,
  tidy,
  tooMany,
  writeSuspect,
} from './ledger.ts';
import { loginUnder } from './login-attempt.ts';

/**
 * Opens a session on an array, or answers the open lease of an equal request before. `deadline` (epoch, ms): the call ends half a
 * second before it. Throws FlashBladeError; whatever it throws, no session is left that the ledger does not know.
 */
export async function openSession(edges: Edges, request: OpenRequest, deadline: number): Promise<Lease> {
  const by = openingDeadlines(deadline, edges.now());
  const secret = await edges.secrets.read(request.array, { by: by.login });
  try {
    return await openWith(edges, request, secret, by);
  } catch (error) {
    if (!isFlashBladeError(error, 'LOGIN_REFUSED')) throw error;
    const newer = await edges.secrets.read(request.array, { by: by.login, fresh: true }).catch(() => secret);
    if (newer.versionId === secret.versionId) throw error;
    return openWith(edges, request, newer, by);
  }
}

async function openWith(edges: Edges, request: OpenRequest, secret: ArraySecret, by: Deadlines): Promise<Lease> {
  const intended = await declareIntent(edges, request, secret, by);
  if ('serve' in intended) return leaseOf(intended.serve);
  const { opened } = await loginUnder(edges, intended.opening, intended.key, secret, by);
  return leaseOf(opened);
}

export const leaseOf = ({ leaseId, target, username, expiresAt }: Open): Lease => ({
  leaseId,
  array: target.name,
  username,
  expiresAt,
});

type Intended = { serve: Open } | { opening: Opening; key: DataKey };

/** Intent, data key, slot and marker together: what a login needs beforehand. All of it is undone if one part fails. */
async function declareIntent(
  edges: Edges,
  request: OpenRequest,
  secret: ArraySecret,
  by: Deadlines,
): Promise<Intended> {
  const { leaseId, leaseSeconds, owner } = request;
  const { array } = secret;
  const attemptId = edges.newId();
  const { openingUntil } = by;
  const intent = {
    leaseId,
    attemptId,
    target: array,
    leaseSeconds,
    openingUntil,
    ...(owner === undefined ? {} : { owner }),
  };
  const slot = { attemptId, leaseId, until: openingUntil };
  const [intended, key, taken, marker] = await Promise.allSettled([
    writeIntent(edges, intent, by),
    edges.seal.dataKey(sealContext(leaseId, array), by.login),
    edges.leases.takeSlot(array.name, slot, edges.limits.sessionsPerArray, by.login),
    refuseIfMarked(edges, secret, by.login),
  ]);
  try {
    const result = settled(intended);
    if ('serve' in result) {
      await tidy(edges, intent, () => edges.leases.freeSlot(array.name, { attemptId }, by.record));
      edges.report({ event: 'LeaseServed', leaseId, array: array.name, message: 'the lease was open already' });
      return result;
    }
    if (!settled(taken)) await takeAgain(edges, array.name, slot, by.login);
    settled(marker);
    return { opening: result.opening, key: settled(key) };
  } catch (error) {
    await settleNothing(edges, intent, known(error), by.record);
    throw error;
  }
}

async function writeIntent(
  edges: Edges,
  intent: Intent,
  by: Deadlines,
): Promise<{ serve: Open } | { opening: Opening }> {
  let current: LeaseItem | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const decision = intend(current, intent, seconds(edges.now()));
    if ('serve' in decision) return decision;
    // Taken over from a dead attempt: what that one may have left must be known before its item goes.
    if (current?.state === 'OPENING') await writeSuspect(edges, current, by.login);
    const opening = stamped(edges, decision.write);
    if (await edges.leases.write(opening, current, by.login)) return { opening };
    current = await readLease(edges, intent.leaseId, by.login);
  }
  throw contended(intent.leaseId);
}

function settled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

/** How often a call looks whether equal requests have given their slots back. */
const LOOKS = 10;

/**
 * All slots were taken. Waits for those of equal requests, which have lost to this one, or may yet take its place. Throws LEASE_LIMIT,
 * or LEASE_OPENING if this attempt was taken over.
 */
async function takeAgain(edges: Edges, array: string, slot: Slot, by: number): Promise<void> {
  const limit = edges.limits.sessionsPerArray;
  for (let look = 0; look < LOOKS; look++) {
    const slots = [...(await edges.leases.slots(array, by)).values()];
    if (slots.some(({ attemptId }) => attemptId === slot.attemptId)) throw contended(slot.leaseId);
    if (slots.length < limit && (await edges.leases.takeSlot(array, slot, limit, by))) return;
    const isEqual = ({ leaseId, suspect }: StoredSlot): boolean => leaseId === slot.leaseId && !suspect;
    if (slots.length >= limit && !slots.some(isEqual)) throw tooMany(array, limit, slots.filter(isSuspect).length);
  }
  throw contended(slot.leaseId);
}

const isSuspect = ({ suspect }: StoredSlot): boolean => suspect === true;
