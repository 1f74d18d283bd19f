/** How the time of one call is divided. Times are epoch milliseconds unless their name says seconds. */
import { FlashBladeError } from './errors.ts';

/** Reserved at the end of every call: the half second that every function promises to keep, and the time to return. */
export const MARGIN_MS = 750;
/** Reserved for closing a session at the end of longer work. */
export const CLOSING_MS = 10_000;
const RECORD_MS = 2000;
const LOGOUT_MS = 3000;

/** How much any two clocks may differ. */
export const CLOCK_SKEW_SECONDS = 60;
/** How long after its caller stopped waiting an array may still act on a request. */
const LATE_SECONDS = 60;
/** Once this has passed since a request's end, by anyone's clock, the request can no longer affect an array. */
export const SLACK_SECONDS = CLOCK_SKEW_SECONDS + LATE_SECONDS;
/** How far an index may lag behind its table. */
export const INDEX_LAG_SECONDS = 60;

/** How long after its deadline others may take over an attempt. A shorter time would be safe, but small clock differences would raise false alarms. */
const TAKE_OVER_SECONDS = 5;

export type Deadlines = {
  /** By then the login and everything before it has ended. */
  readonly login: number;
  /** By then its outcome is recorded. */
  readonly record: number;
  /** By then a session that could not be recorded is logged out. */
  readonly logout: number;
  /** From then on other attempts may take over an intent that was not concluded. Seconds. */
  readonly openingUntil: number;
};

/** Divides the time until `deadline` for opening a session. Throws OUT_OF_TIME if a login could be neither recorded nor undone. */
export function openingDeadlines(deadline: number, now: number): Deadlines {
  const logout = deadline - MARGIN_MS;
  const record = logout - LOGOUT_MS;
  const login = record - RECORD_MS;
  if (now >= login) throw outOfTime('open a session');
  return { login, record, logout, openingUntil: seconds(deadline) + 1 + TAKE_OVER_SECONDS };
}

/** Divides the time until `deadline` for closing a session. Throws OUT_OF_TIME. */
export function closingDeadlines(deadline: number, now: number): { readonly logout: number; readonly record: number } {
  const record = deadline - MARGIN_MS;
  const logout = record - RECORD_MS;
  if (now >= logout) throw outOfTime('close a session');
  return { logout, record };
}

export const seconds = (ms: number): number => Math.floor(ms / 1000);

export const outOfTime = (what: string): FlashBladeError =>
  new FlashBladeError('OUT_OF_TIME', `not enough time is left to ${what}. Allow more time.`);
