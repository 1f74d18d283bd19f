/**
 * The states of a lease and the ways between them, as pure functions: `(item, what happened, now) → next item`, or a refusal
 * (thrown). Seconds since the epoch throughout. Nothing here reads a clock, a random number or a store.
 *
 *   (nothing) ─intend─▶ OPENING ─record─▶ OPEN ─claim─▶ CLOSING ─close─▶ CLOSED
 *                          │                              └─postpone─▶ CLOSING, after six tries STUCK ─claim─▶ …
 *                          ├─ nothing was opened: the item is removed
 *                          └─ something may have been: a SUSPECT item beside it
 */
import { FlashBladeError } from './errors.ts';
import {
  type Closed,
  type Closing,
  type LeaseItem,
  leaseKey,
  type Open,
  type Opening,
  type Suspect,
  suspectKey,
} from './lease-items.ts';
import type { FlashBlade } from './model.ts';
import { SLACK_SECONDS } from './time.ts';

/** A claimed lease is looked at again after so long: whoever claimed it may have died. */
export const CLAIM_SECONDS = 60;
/** The first try to close that failed is repeated after about this; each further one after twice as long. */
export const RETRY_SECONDS = 10;
export const TRIES_UNTIL_STUCK = 6;
export const STUCK_RETRY_SECONDS = 600;
/** A closed lease is kept for so long: longer than any dead-letter queue keeps a message that could open it again. */
export const KEEP_CLOSED_SECONDS = 30 * 86_400;

export type Intent = {
  readonly leaseId: string;
  readonly attemptId: string;
  readonly owner?: string;
  readonly target: FlashBlade;
  readonly leaseSeconds: number;
  readonly openingUntil: number;
};

/**
 * A request for a session meets what the ledger holds under its lease id. Answers the open lease that serves it, or the item to
 * write. Refuses with LEASE_CONFLICT, LEASE_OPENING or LEASE_ENDED.
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
    // A lease that logs in again is not begun anew: it opens again, or the sweeper closes it.
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
  version: '',
  state: 'OPENING',
  ...intent,
  createdAt: now,
  attemptedAt: now,
  expiresAt: now + leaseSeconds,
  dueAt: intent.openingUntil,
});

/** The time of the attempt's process is over: others take over, once what it may have left is a SUSPECT. */
export const isDead = (item: Opening, now: number): boolean => item.openingUntil < now;

/** An array dropped the session of an open lease: the same lease, a new attempt. */
export function reopen(item: Open, attempt: { attemptId: string; openingUntil: number }, now: number): Opening {
  const { username, sealed, reloginAt, ...base } = item;
  const again = { attemptId: item.attemptId, username, sealed, ...(reloginAt === undefined ? {} : { reloginAt }) };
  return { ...base, ...attempt, state: 'OPENING', attemptedAt: now, again, dueAt: attempt.openingUntil };
}

/** The login succeeded. Refuses if the attempt has lost the lease or a release came first: the session must be logged out. */
export function record(
  current: LeaseItem | undefined,
  attempt: Opening,
  session: { username: string; sealed: string },
): Open {
  if (current?.state !== 'OPENING' || current.attemptId !== attempt.attemptId) {
    throw refused('LEASE_OPENING', attempt.leaseId, 'was taken over by another call while logging in: try again');
  }
  if (current.endRequested) throw refused('LEASE_ENDED', current.leaseId, 'was released while it was being opened');
  const { openingUntil: _until, attemptedAt, again, ...base } = current;
  const relogin = again ? { reloginAt: attemptedAt } : {};
  return { ...base, ...session, ...relogin, state: 'OPEN', dueAt: current.expiresAt };
}

/**
 * An attempt ended and left no session: what takes the place of its item. Once removed, the same request may come again. A lease
 * that could not log in again stays open if another try may succeed (`retryable`): the next refused call logs in again.
 */
export function giveUp(current: Opening, now: number, retryable: boolean): Open | Closed | 'remove' {
  const { again, endRequested, openingUntil: _until, attemptedAt: _at, ...base } = current;
  if (!endRequested && !again) return 'remove';
  if (endRequested || !retryable || typeof again !== 'object' || current.expiresAt <= now) return close(current, now);
  return { ...base, ...again, attemptId: current.attemptId, state: 'OPEN', dueAt: current.expiresAt };
}

/** The attempt ended, or died, and may have left a session. A login that nobody waits for may still reach the array. */
export function suspect(item: Opening, idleSeconds: number): Suspect {
  const until = item.openingUntil + SLACK_SECONDS + idleSeconds;
  return {
    kind: 'suspect',
    id: suspectKey(item.attemptId),
    version: '',
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
 * A release, an owner's end (`byOwner`) or the expiry meets an item: what it must become, and whether there is a session to log out.
 */
export function release(
  current: LeaseItem | undefined,
  leaseId: string,
  attemptId: string,
  now: number,
  byOwner = false,
):
  | { state: 'NOTHING' | 'DEAD' | 'ENDING'; write: LeaseItem }
  | { state: 'LIVE'; write: Closing }
  | { state: 'CLOSED' } {
  if (current === undefined) return { state: 'NOTHING', write: tombstone(leaseId, attemptId, now) };
  if (current.state === 'CLOSED') return { state: 'CLOSED' };
  if (current.state !== 'OPENING') return { state: 'LIVE', write: claim(current, now, byOwner) };
  if (isDead(current, now)) return { state: 'DEAD', write: close(current, now) };
  return { state: 'ENDING', write: { ...current, endRequested: true } };
}

const tombstone = (leaseId: string, attemptId: string, now: number): Closed => ({
  kind: 'lease',
  id: leaseKey(leaseId),
  version: '',
  attemptId,
  leaseId,
  state: 'CLOSED',
  createdAt: now,
  closedAt: now,
  purgeAt: now + KEEP_CLOSED_SECONDS,
});

/** Somebody is about to log out. */
export const claim = (item: Open | Closing, now: number, byOwner = false): Closing => ({
  ...item,
  ...(byOwner ? { byOwner } : {}),
  state: item.state === 'STUCK' ? 'STUCK' : 'CLOSING',
  tries: 'tries' in item ? item.tries : 0,
  dueAt: now + CLAIM_SECONDS,
});

/** The session is known to have ended, or never to have begun. The sealed token goes. */
export function close(item: Opening | Open | Closing, now: number): Closed {
  const { kind, id, version, attemptId, leaseId, owner, target, createdAt, expiresAt } = item;
  const kept = { kind, id, version, attemptId, leaseId, target, createdAt, expiresAt };
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
 * A logout failed. `random` (0 to 1) spreads the next try by ± 50 %. `hopeless`: repeating cannot help, so that somebody is told
 * at once.
 */
export function postpone(item: Closing, now: number, random: number, hopeless: boolean): Closing {
  const tries = item.tries + 1;
  if (hopeless || tries >= TRIES_UNTIL_STUCK || item.state === 'STUCK') {
    return { ...item, state: 'STUCK', tries, dueAt: now + STUCK_RETRY_SECONDS };
  }
  const seconds = RETRY_SECONDS * 2 ** (tries - 1) * (0.5 + random);
  return { ...item, tries, dueAt: now + Math.ceil(seconds) };
}

/** Moves the end of an open lease, only ever later: a renewal that comes late or twice changes nothing. Refuses what is not open. */
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
