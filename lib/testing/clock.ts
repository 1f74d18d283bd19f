/** Clocks for tests: one that stands still until the test moves it, and waits for a clock that something else moves. */
import type { Ports } from '../leases/ports.ts';

type Wait = Ports['wait'];

// Taken now, because a test framework may replace the global ones later.
const { setImmediate, setInterval, clearInterval } = globalThis;

/** Resolves when every promise that can proceed without time or the network has done so. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that stands still. `startMs` is in milliseconds since the epoch. */
export function standingClock(startMs: number) {
  const alarms = new Set<{ readonly at: number; readonly ring: () => void }>();
  let nowMs = startMs;

  const wait: Wait = (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const ring = (): void => {
        alarms.delete(alarm);
        signal.removeEventListener('abort', ring);
        resolve();
      };
      const alarm = { at: nowMs + ms, ring };
      alarms.add(alarm);
      signal.addEventListener('abort', ring, { once: true });
    });

  /** Moves the clock to this time, from the end of one wait to the next. Before each step, lets everything else proceed. */
  async function moveTo(ms: number): Promise<void> {
    for (;;) {
      await settled();
      const due = [...alarms].filter(({ at }) => at <= ms).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      nowMs = Math.max(nowMs, due.at);
      due.ring();
    }
    nowMs = Math.max(nowMs, ms);
  }

  return { now: () => nowMs, wait, moveTo };
}

/** How often a wait looks at the clock, in milliseconds of real time. */
const LOOK_MS = 5;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits by a clock that the test moves. A timer comes in addition, because fake timers may move time faster than the waits look. */
export const waitBy =
  (now: () => number): Wait =>
  (ms, signal) =>
    new Promise((resolve) => {
      const until = now() + ms;
      const look = (): void => {
        if (now() < until && !signal.aborted) return;
        clearInterval(looks);
        clearTimeout(timer);
        signal.removeEventListener('abort', look);
        resolve();
      };
      const looks = setInterval(look, LOOK_MS);
      const timer = setTimeout(look, Math.min(Math.ceil(ms), MAX_TIMER_MS));
      looks.unref();
      timer.unref();
      signal.addEventListener('abort', look, { once: true });
      look();
    });
