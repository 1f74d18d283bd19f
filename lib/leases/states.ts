/**
 * A lease's states and transitions, as pure functions: `(item, what happened, now) → next item`, or an error. Times are in epoch seconds.
 * None of these functions reads the clock or the store, or generates random numbers.
 *
 * (nothing) ─intend─▶ OPENING ─record─▶ OPEN ─claim─▶ CLOSING ─close─▶ CLOSED
 *                          │  ▲            │               └─postpone─▶ CLOSING, after six failures STUCK ─claim─▶ …
 *                          │  └──reopen────┘
 *                          ├─ giveUp: the array has no session from the attempt → removed, OPEN as before, or CLOSED
 *                          └─ suspect: the array may have a session → a separate SUSPECT item
 */
import { SLACK_SECONDS } from '../core/deadlines.ts';
import { FlashBladeError } from '../core/errors.ts';
import type { FlashBlade } from '../core/model.ts';
import {
  type Closed,
  type Closing,
  type LeaseItem,
  leaseKey,
  type Open,
  type Opening,
  type Suspect,
  suspectKey,
} from './items.ts';

/** How long the sweeper waits before it looks at a claimed lease again, because the claiming process may have died. */
const CLAIM_SECONDS = 60;
/** The delay after the first failed logout. The delay doubles with each further failure. */
const RETRY_SECONDS = 10;
export const TRIES_UNTIL_STUCK = 6;
export const STUCK_RETRY_SECONDS = 600;
/** How long a closed lease is kept, which is longer than any dead-letter queue keeps a message that could open the lease again. */
export const KEEP_CLOSED_SECONDS = 30 * 86_400;

/** A request for a session, and the attempt that handles it. */
export type Intent = {
  readonly leaseId: string;
  readonly attemptId: string;
  readonly owner?: string;
  readonly target: FlashBlade;
  readonly leaseSeconds: number;
  readonly openingUntil: number;
};

/**
 * Decides how to respond to a request for a session, given the current item with the same lease id. Returns an open lease or the intent to
 * write. Throws LEASE_CONFLICT, LEASE_OPENING or LEASE_ENDED.
 */
export function intend(
  current: LeaseItem | undefined,
  intent: Intent,
  now: number,
): { serve: Open } | { write: Opening } {
  if (current === undefined) return { write: openingOf(intent, now) };
  if (current.target && current.target.name !== intent.target.name) {
    throw refused('LEASE_CONFLICT', intent.leaseId, 'belongs to a different array. Use a different lease id');
  }
  if (current.target && current.owner !== intent.owner) {
    throw refused('LEASE_CONFLICT', intent.leaseId, 'belongs to a different owner. Use a different lease id');
  }
  if (current.state === 'OPENING') {
    if (current.endRequested) throw refused('LEASE_ENDED', intent.leaseId, 'was released. Use a different lease id');
    // A relogin whose process died is not taken over, because the array may have a session from the old attempt. The sweeper closes the
    // lease.
    if (current.again || !isDead(current, now))
      throw refused('LEASE_OPENING', intent.leaseId, 'is being opened by another call. Try again');
    return { write: openingOf(intent, now) };
  }
  if (current.state === 'OPEN' && current.expiresAt > now) return { serve: current };
  throw refused('LEASE_ENDED', intent.leaseId, 'has ended. Use a different lease id');
}

const openingOf = ({ leaseSeconds, ...intent }: Intent, now: number): Opening => ({
  kind: 'lease',
  id: leaseKey(intent.leaseId),
  state: 'OPENING',
  ...intent,
  createdAt: now,
  attemptedAt: now,
  expiresAt: now + leaseSeconds,
  dueAt: intent.openingUntil,
});

/**
 * Returns true if the attempt's process is certain to have ended. Another attempt may take over once a SUSPECT is recorded for this
 * attempt.
 */
export const isDead = (item: Opening, now: number): boolean => item.openingUntil < now;

/** Starts a new attempt under an open lease whose session the array has dropped. */
export function reopen(item: Open, attempt: { attemptId: string; openingUntil: number }, now: number): Opening {
  const { username, sealed, reloginAt, ...base } = item;
  const again = { attemptId: item.attemptId, username, sealed, ...(reloginAt === undefined ? {} : { reloginAt }) };
  return { ...base, ...attempt, state: 'OPENING', attemptedAt: now, again, dueAt: attempt.openingUntil };
}

/** Turns an intent into an open lease after a successful login. */
export function record(opening: Opening, session: { username: string; sealed: string }): Open {
  const { openingUntil: _until, attemptedAt, again, ...base } = opening;
  const relogin = again ? { reloginAt: attemptedAt } : {};
  return { ...base, ...session, ...relogin, state: 'OPEN', dueAt: opening.expiresAt };
}

/**
 * Returns the error for an open lease that could not be written, because another call had changed the item to `current`. The caller must
 * log out of the session.
 */
export function whyNotRecorded(current: LeaseItem | undefined, { leaseId, attemptId }: Opening): FlashBladeError {
  const isOurs = current?.state === 'OPENING' && current.attemptId === attemptId;
  if (isOurs && current.endRequested) return refused('LEASE_ENDED', leaseId, 'was released while it was being opened');
  const what = isOurs ? 'changed' : 'taken over';
  return refused('LEASE_OPENING', leaseId, `was ${what} by another call during the login. Try again`);
}

/**
 * Returns the new state of an item whose attempt left no session. After the item is removed, the same request may be sent again. After a
 * failed relogin, the lease stays open if another try may succeed (`retryable`), and the next call that the array refuses triggers another
 * login.
 */
export function giveUp(current: Opening, now: number, retryable: boolean): Open | Closed | 'remove' {
  const { again, endRequested, openingUntil: _until, attemptedAt: _at, ...base } = current;
  if (!endRequested && !again) return 'remove';
  if (endRequested || !retryable || typeof again !== 'object' || current.expiresAt <= now) return close(current, now);
  return { ...base, ...again, attemptId: current.attemptId, state: 'OPEN', dueAt: current.expiresAt };
}

/**
 * Returns the SUSPECT for an attempt that may have left a session. The login may still reach the array after the caller has stopped
 * waiting.
 */
export function suspect(item: Opening, idleSeconds: number): Suspect {
  const until = item.openingUntil + SLACK_SECONDS + idleSeconds;
  return {
    kind: 'suspect',
    id: suspectKey(item.attemptId),
    attemptId: item.attemptId,
    leaseId: item.leaseId,
    target: item.target,
    since: item.attemptedAt,
    openingUntil: item.openingUntil,
    until,
    dueAt: until,
  };
}

/**
 * Returns the new state of an item when its lease is released or its owner ends (`byOwner`). `LIVE` means that the caller must log out of a
 * session.
 */
export function release(
  current: LeaseItem | undefined,
  leaseId: string,
  now: number,
  byOwner = false,
):
  | { state: 'NOTHING' | 'DEAD' | 'ENDING'; write: LeaseItem }
  | { state: 'LIVE'; write: Closing }
  | { state: 'CLOSED' } {
  if (current === undefined) return { state: 'NOTHING', write: tombstone(leaseId, now) };
  if (current.state === 'CLOSED') return { state: 'CLOSED' };
  if (current.state !== 'OPENING') return { state: 'LIVE', write: claim(current, now, byOwner) };
  if (isDead(current, now)) return { state: 'DEAD', write: close(current, now) };
  return { state: 'ENDING', write: { ...current, endRequested: true } };
}

/** Records that a lease was released before it was requested. The request then does not open a session. */
const tombstone = (leaseId: string, now: number): Closed => ({
  kind: 'lease',
  id: leaseKey(leaseId),
  leaseId,
  state: 'CLOSED',
  createdAt: now,
  closedAt: now,
  purgeAt: now + KEEP_CLOSED_SECONDS,
});

/** Claims a lease for a call that is about to log out of the lease's session. */
export const claim = (item: Open | Closing, now: number, byOwner = false): Closing => ({
  ...item,
  ...(byOwner ? { byOwner } : {}),
  state: item.state === 'STUCK' ? 'STUCK' : 'CLOSING',
  tries: 'tries' in item ? item.tries : 0,
  dueAt: now + CLAIM_SECONDS,
});

/** Closes a lease whose session never began or is certain to have ended. The sealed token is dropped. */
export function close(item: Opening | Open | Closing, now: number): Closed {
  const { kind, id, attemptId, leaseId, owner, target, createdAt, expiresAt } = item;
  const kept = { kind, id, attemptId, leaseId, target, createdAt, expiresAt };
  return {
    ...kept,
    ...(owner === undefined ? {} : { owner }),
    ...('byOwner' in item && item.byOwner ? { byOwner: true } : {}),
    state: 'CLOSED',
    closedAt: now,
    purgeAt: now + KEEP_CLOSED_SECONDS,
  };
}

/**
 * Schedules the next try after a failed logout. `random` (0 to 1) varies the delay by ±50%. If `hopeless` is true, another try cannot help,
 * so the lease becomes STUCK immediately, which raises an alarm.
 */
export function postpone(item: Closing, now: number, random: number, hopeless: boolean): Closing {
  const tries = item.tries + 1;
  if (hopeless || tries >= TRIES_UNTIL_STUCK || item.state === 'STUCK') {
    return { ...item, state: 'STUCK', tries, dueAt: now + STUCK_RETRY_SECONDS };
  }
  const seconds = RETRY_SECONDS * 2 ** (tries - 1) * (0.5 + random);
  return { ...item, tries, dueAt: now + Math.ceil(seconds) };
}

/** Extends an open lease, but never shortens it, so a late or repeated renewal changes nothing. Throws if the lease is not open. */
export function renew(current: LeaseItem, expiresAt: number, now: number): Open {
  if (current.state === 'OPENING') throw refused('LEASE_OPENING', current.leaseId, 'is being opened. Try again');
  if (current.state !== 'OPEN' || current.expiresAt <= now) {
    throw refused('LEASE_ENDED', current.leaseId, 'has ended and cannot be renewed. Open another session');
  }
  const later = Math.max(current.expiresAt, expiresAt);
  return { ...current, expiresAt: later, dueAt: later };
}

const refused = (
  code: 'LEASE_CONFLICT' | 'LEASE_OPENING' | 'LEASE_ENDED',
  leaseId: string,
  rule: string,
): FlashBladeError => new FlashBladeError(code, `lease ${leaseId} ${rule}`);
