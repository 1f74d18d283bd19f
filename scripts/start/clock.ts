/** The clock of the simulated world: the machine's, but it can be put forward, so that nobody waits for an idle time-out. */

export type Clock = ReturnType<typeof createClock>;

export function createClock() {
  let aheadMs = 0;
  return {
    /** Epoch, ms. */
    now: (): number => Date.now() + aheadMs,
    /** How far it is ahead of the machine's. */
    aheadMs: (): number => aheadMs,
    putForward(ms: number): void {
      aheadMs += ms;
    },
  };
}

/** For NODE_OPTIONS of a process whose clock shall be ahead: everything that the product knows of time is `Date.now`. */
export const clockAhead = (ms: number): string =>
  `--import=data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() + ${ms};`)}`;
