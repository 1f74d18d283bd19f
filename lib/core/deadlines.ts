/** Divides the time available for a call among its steps. Times are in milliseconds since the epoch unless noted otherwise. */
import { FlashBladeError } from './errors.ts';

/** Time reserved at the end of every call. Includes the half second that every function leaves unused. */
export const MARGIN_MS = 750;
/** Time reserved for closing the session once the work is done. */
export const CLOSING_MS = 10_000;
const RECORD_MS = 2000;
const LOGOUT_MS = 3000;

/** The maximum difference between any two clocks. */
export const CLOCK_SKEW_SECONDS = 60;
/** How long an array may still act on a request after the caller has stopped waiting. */
const LATE_SECONDS = 60;
/** Once this much time has passed since a request ended, as measured by any clock, the request can no longer affect an array. */
export const SLACK_SECONDS = CLOCK_SKEW_SECONDS + LATE_SECONDS;
/** How long an index may take to catch up with its table. */
export const INDEX_LAG_SECONDS = 60;

/**
 * How long other attempts wait after an attempt's deadline before taking over. A shorter wait would be safe, but small clock
 * differences would raise false alarms.
 */
const TAKE_OVER_SECONDS = 5;

export type Deadlines = {
  /** Deadline for the login and all earlier steps. */
  readonly login: number;
  /** Deadline for recording the login's outcome. */
  readonly record: number;
  /** Deadline for closing a session that could not be recorded. */
  readonly logout: number;
  /** Time after which other attempts may take over an unfinished intent, in seconds since the epoch. */
  readonly openingUntil: number;
};

/**
 * Divides the time until `deadline` among the steps of opening a session. Throws OUT_OF_TIME if too little time is left to log in and
 * then record or undo the login.
 */
export function openingDeadlines(deadline: number, now: number): Deadlines {
  const logout = deadline - MARGIN_MS;
  const record = logout - LOGOUT_MS;
  const login = record - RECORD_MS;
  if (now >= login) throw outOfTime('open a session');
  return { login, record, logout, openingUntil: seconds(deadline) + 1 + TAKE_OVER_SECONDS };
}

/** Divides the time until `deadline` among the steps of closing a session. Throws OUT_OF_TIME. */
export function closingDeadlines(deadline: number, now: number): { readonly logout: number; readonly record: number } {
  const record = deadline - MARGIN_MS;
  const logout = record - RECORD_MS;
  if (now >= logout) throw outOfTime('close a session');
  return { logout, record };
}

export const seconds = (ms: number): number => Math.floor(ms / 1000);

export const outOfTime = (what: string): FlashBladeError =>
  new FlashBladeError('OUT_OF_TIME', `not enough time is left to ${what}. Allow more time.`);
