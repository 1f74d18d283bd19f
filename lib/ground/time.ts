/** How a call's time is shared out. Epoch, ms, unless a name says otherwise. */
import { FlashBladeError } from './errors.ts';

/** What is left when a call ends, whatever the other side does: the half second that is promised, and what answering takes. */
export const MARGIN_MS = 750;
const RECORD_MS = 2000;
const LOGOUT_MS = 3000;

/** An intent outlives its caller's deadline by this: clocks differ. */
const CLOCK_SKEW_SECONDS = 5;

export type Deadlines = {
  /** The login, and all that comes before it, has ended. */
  readonly login: number;
  /** What came of it is recorded. */
  readonly record: number;
  /** A session that could not be recorded is logged out. */
  readonly logout: number;
  /** When an intent that nobody settled is dead. Seconds. */
  readonly openingUntil: number;
};

/** Shares out the time until `deadline` for opening a session. Throws OUT_OF_TIME if a login could not be recorded or undone. */
export function openingDeadlines(deadline: number, now: number): Deadlines {
  const logout = deadline - MARGIN_MS;
  const record = logout - LOGOUT_MS;
  const login = record - RECORD_MS;
  if (now >= login) throw outOfTime('open a session');
  return { login, record, logout, openingUntil: seconds(deadline) + 1 + CLOCK_SKEW_SECONDS };
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
