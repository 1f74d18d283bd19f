/**
 * The states of a lease and its transitions, as pure functions: `(item, what happened, now) → next item`, or an error. Times are epoch
 * seconds. Nothing here reads a clock, a random number or the store.
 *
 *   (nothing) ─intend─▶ OPENING ─record─▶ OPEN ─claim─▶ CLOSING ─close─▶ CLOSED
 *                          │  ▲            │               └─postpone─▶ CLOSING, after six failures STUCK ─claim─▶ …
 *                          │  └──reopen────┘
 *                          ├─ giveUp: the array has no session of the attempt → removed, OPEN as before, or CLOSED
 *                          └─ suspect: it may have one → a SUSPECT item beside the lease
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

/** The sweeper looks at a claimed lease again after this: the process that claimed it may have died. */
const CLAIM_SECONDS = 60;
/** The delay after the first failed logout. It doubles with each further failure. */
const RETRY_SECONDS = 10;
export const TRIES_UNTIL_STUCK = 6;
export const STUCK_RETRY_SECONDS = 600;
/** A closed lease is kept longer than any dead-letter queue keeps a message that could open it again. */
export const KEEP_CLOSED_SECONDS = 30 * 86_400;

/** A request for a session, with the attempt that serves it. */
export type Intent = {
  readonly leaseId: string;
  readonly attemptId: string;
  readonly owner?: string;
  readonly target: FlashBlade;
  readonly leaseSeconds: number;
  readonly openingUntil: number;
};

/**
 * A request for a session meets the item of its lease id. Returns the open lease that serves it, or the intent to write. Throws
 * LEASE_CONFLICT, LEASE_OPENING or LEASE_ENDED.
 */
export function intend(
  current: LeaseItem | undefined,
  intent: Intent,
  now: number,
): { serve: Open } | { write: Opening } {
  if (current === undefined) return { write: openingOf(intent, now) };
  if (current.target && current.target.name !== intent.target.name) {
    throw refused('LEASE_CONFLICT', intent.leaseId, 'belongs to another array: use another lease id');
  }
  if (current.target && current.owner !== intent.owner) {
    throw refused('LEASE_CONFLICT', intent.leaseId, 'belongs to another owner: use another lease id');
  }
  if (current.state === 'OPENING') {
    if (current.endRequested) throw refused('LEASE_ENDED', intent.leaseId, 'was released: use another lease id');
    // A relogin that died is not taken over: the array may have a session under the old attempt. The sweeper closes the lease.
    if (current.again || !isDead(current, now))
      throw refused('LEASE_OPENING', intent.leaseId, 'is being opened by another call: try again');
    return { write: openingOf(intent, now) };
  }
  if (current.state === 'OPEN' && current.expiresAt > now) return { serve: current };
  throw refused('LEASE_ENDED', intent.leaseId, 'has ended: use another lease id');
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

/** The attempt's process has ended. Another may take over, once what the attempt may have left is recorded as a SUSPECT. */
export const isDead = (item: Opening, now: number): boolean => item.openingUntil < now;

/** The array dropped the session of an open lease: a new attempt under the same lease. */
export function reopen(item: Open, attempt: { attemptId: string; openingUntil: number }, now: number): Opening {
  const { username, sealed, reloginAt, ...base } = item;
  const again = { attemptId: item.attemptId, username, sealed, ...(reloginAt === undefined ? {} : { reloginAt }) };
  return { ...base, ...attempt, state: 'OPENING', attemptedAt: now, again, dueAt: attempt.openingUntil };
}

/** The login succeeded. */
export function record(opening: Opening, session: { username: string; sealed: string }): Open {
  const { openingUntil: _until, attemptedAt, again, ...base } = opening;
  const relogin = again ? { reloginAt: attemptedAt } : {};
  return { ...base, ...session, ...relogin, state: 'OPEN', dueAt: opening.expiresAt };
}

/** The open lease could not be written, because another call changed the item meanwhile to `current`. The session must be logged out. */
export function whyNotRecorded(current: LeaseItem | undefined, { leaseId, attemptId }: Opening): FlashBladeError {
  const isOurs = current?.state === 'OPENING' && current.attemptId === attemptId;
  if (isOurs && current.endRequested) return refused('LEASE_ENDED', leaseId, 'was released while it was being opened');
  const what = isOurs ? 'changed' : 'taken over';
  return refused('LEASE_OPENING', leaseId, `was ${what} by another call while logging in: try again`);
}

/**
 * The attempt left no session: what its item becomes. Once it is removed, the same request may come again. After a failed relogin, the
 * lease stays open if another try may succeed (`retryable`): the next call that the array refuses logs in again.
 */
export function giveUp(current: Opening, now: number, retryable: boolean): Open | Closed | 'remove' {
  const { again, endRequested, openingUntil: _until, attemptedAt: _at, ...base } = current;
  if (!endRequested && !again) return 'remove';
  if (endRequested || !retryable || typeof again !== 'object' || current.expiresAt <= now) return close(current, now);
  return { ...base, ...again, attemptId: current.attemptId, state: 'OPEN', dueAt: current.expiresAt };
}

/** The attempt may have left a session. Its login may still reach the array after its caller has stopped waiting. */
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
 * A release, the owner's end (`byOwner`) or the expiry meets an item: what the item becomes. `LIVE`: there is a session to log out.
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

/** The release came before the request, which then opens nothing. */
const tombstone = (leaseId: string, now: number): Closed => ({
  kind: 'lease',
  id: leaseKey(leaseId),
  leaseId,
  state: 'CLOSED',
  createdAt: now,
  closedAt: now,
  purgeAt: now + KEEP_CLOSED_SECONDS,
});

/** A call is about to log out. */
export const claim = (item: Open | Closing, now: number, byOwner = false): Closing => ({
  ...item,
  ...(byOwner ? { byOwner } : {}),
  state: item.state === 'STUCK' ? 'STUCK' : 'CLOSING',
  tries: 'tries' in item ? item.tries : 0,
  dueAt: now + CLAIM_SECONDS,
});

/** The session has certainly ended, or never began. The sealed token is dropped. */
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
 * A logout failed. `random` (0 to 1) spreads the next try by ± 50 %. `hopeless`: another try cannot help, so the lease is STUCK, which
 * raises an alarm, at once.
 */
export function postpone(item: Closing, now: number, random: number, hopeless: boolean): Closing {
  const tries = item.tries + 1;
  if (hopeless || tries >= TRIES_UNTIL_STUCK || item.state === 'STUCK') {
    return { ...item, state: 'STUCK', tries, dueAt: now + STUCK_RETRY_SECONDS };
  }
  const seconds = RETRY_SECONDS * 2 ** (tries - 1) * (0.5 + random);
  return { ...item, tries, dueAt: now + Math.ceil(seconds) };
}

/** Extends an open lease. Never shortens it, so a renewal that is late or repeated changes nothing. Throws if it is not open. */
export function renew(current: LeaseItem, expiresAt: number, now: number): Open {
  if (current.state === 'OPENING') throw refused('LEASE_OPENING', current.leaseId, 'is being opened: try again');
  if (current.state !== 'OPEN' || current.expiresAt <= now) {
    throw refused('LEASE_ENDED', current.leaseId, 'has ended and cannot be renewed: open another session');
  }
  const later = Math.max(current.expiresAt, expiresAt);
  return { ...current, expiresAt: later, dueAt: later };
}

const refused = (
  code: 'LEASE_CONFLICT' | 'LEASE_OPENING' | 'LEASE_ENDED',
  leaseId: string,
  rule: string,
): FlashBladeError => new FlashBladeError(code, `lease ${leaseId} ${rule}`);
