/** How a call's time is shared out. Epoch, ms, unless a name says otherwise. */
import { FlashBladeError } from './errors.ts';

/** What is left when a call ends, whatever the other side does: the half second that is promised, and what answering takes. */
export const MARGIN_MS = 750;
const RECORD_MS = 2000;
const LOGOUT_MS = 3000;

/** Any two clocks may differ by this. */
export const CLOCK_SKEW_SECONDS = 60;
/** An array may act on a request this long after its caller stopped waiting. */
const LATE_SECONDS = 60;
/** This long after a time by one party's clock, nothing that ended then has an effect on an array, by any party's clock. */
export const SLACK_SECONDS = CLOCK_SKEW_SECONDS + LATE_SECONDS;
/** An index may show an item as it was this long ago. */
export const INDEX_LAG_SECONDS = 60;

/** An attempt is taken over this long after its deadline. Too early would be safe, and raise a false alarm: clocks differ a little. */
const TAKE_OVER_SECONDS = 5;

export type Deadlines = {
  /** The login, and all that comes before it, has ended. */
  readonly login: number;
  /** What came of it is recorded. */
  readonly record: number;
  /** A session that could not be recorded is logged out. */
  readonly logout: number;
  /** From then on others may take over an intent that nobody settled. Seconds. */
  readonly openingUntil: number;
};

/** Shares out the time until `deadline` for opening a session. Throws OUT_OF_TIME if a login could not be recorded or undone. */
export function openingDeadlines(deadline: number, now: number): Deadlines {
  const logout = deadline - MARGIN_MS;
  const record = logout - LOGOUT_MS;
  const login = record - RECORD_MS;
  if (now >= login) throw outOfTime('open a session');
  return { login, record, logout, openingUntil: seconds(deadline) + 1 + TAKE_OVER_SECONDS };
}

/** Shares out the time until `deadline` for closing one. Throws OUT_OF_TIME. */
export function closingDeadlines(deadline: number, now: number): { readonly logout: number; readonly record: number } {
  const record = deadline - MARGIN_MS;
  const logout = record - RECORD_MS;
  if (now >= logout) throw outOfTime('close a session');
  return { logout, record };
}

export const seconds = (ms: number): number => Math.floor(ms / 1000);

export const outOfTime = (what: string): FlashBladeError =>
  new FlashBladeError(
    'OUT_OF_TIME',
    `too little time is left to ${what}: nothing was begun; give the function more time`,
  );
