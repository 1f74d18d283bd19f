/** The clock of a simulated world. Moving it forward replaces waiting, for example for an idle timeout. */

/** `now`: milliseconds since the epoch. `aheadMs`: how far it is ahead of the machine's clock. */
export type Clock = { readonly now: () => number; readonly aheadMs: () => number };

/** The machine's clock, until it is put forward. */
export function createClock() {
  let aheadMs = 0;
  return {
    now: () => Date.now() + aheadMs,
    aheadMs: () => aheadMs,
    putForward: (ms: number): void => {
      aheadMs += ms;
    },
  };
}

/** Options of Node.js for a process whose clock is ahead. Everything that the product knows of time is `Date.now`. */
export const clockAhead = (ms: number): string[] =>
  ms === 0
    ? []
    : [`--import=data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() + ${ms};`)}`];
