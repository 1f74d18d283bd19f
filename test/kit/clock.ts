/** The clock in a simulated world. Tests move it forward instead of waiting, for example for an idle timeout. */

/** `now`: milliseconds since the epoch. `aheadMs`: how far the clock is ahead of the machine's clock. */
export type Clock = { readonly now: () => number; readonly aheadMs: () => number };

/** Creates a clock that matches the machine's clock until a test moves it forward. */
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

/** Node.js options for a process whose clock is ahead. The product reads the time only from `Date.now`. */
export const clockAhead = (ms: number): string[] =>
  ms === 0
    ? []
    : [`--import=data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() + ${ms};`)}`];
