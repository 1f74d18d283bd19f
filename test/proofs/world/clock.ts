/** Virtual time: what is to happen is kept in a queue, and happens as fast as the machine can. */

export type Clock = ReturnType<typeof virtualClock>;
type Event = { readonly at: number; readonly act: () => void };

/** `startMs`: epoch. */
export function virtualClock(startMs: number) {
  // Latest first: the next one is taken from the end.
  const queue: Event[] = [];
  let nowMs = startMs;

  /** Plans something; events of the same moment happen in the order in which they were planned. */
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

  /** Lets everything happen that is planned until then, what is planned meanwhile included. */
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

/** Every promise that can go on has gone on: ticks come after all microtasks, and nothing here waits for anything real. */
const quiet = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
