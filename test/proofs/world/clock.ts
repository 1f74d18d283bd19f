/** Virtual time: events wait in a queue and run as fast as the machine can. */

export type Clock = ReturnType<typeof virtualClock>;
type Event = { readonly at: number; readonly act: () => void };

/** `startMs` is in milliseconds since the epoch. */
export function virtualClock(startMs: number) {
  // Sorted latest first, so that the next event is taken from the end.
  const queue: Event[] = [];
  let nowMs = startMs;

  /** Plans an event. Events of the same moment run in the order in which they were planned. */
  function at(ms: number, act: () => void): void {
    const event = { at: Math.max(ms, nowMs), act };
    let [low, high] = [0, queue.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((queue[middle] as Event).at > event.at) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, event);
  }

  /** Runs all events up to that time, including those that are planned along the way. */
  async function runUntil(ms: number): Promise<void> {
    await quiet();
    for (let next = queue.at(-1); next !== undefined && next.at <= ms; next = queue.at(-1)) {
      queue.pop();
      nowMs = next.at;
      next.act();
      await quiet();
    }
    nowMs = Math.max(nowMs, ms);
  }

  return { now: () => nowMs, at, after: (ms: number, act: () => void) => at(nowMs + ms, act), runUntil };
}

/** Resolves when every promise that can proceed has done so: ticks run after all microtasks, and no code here waits for real I/O. */
const quiet = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
