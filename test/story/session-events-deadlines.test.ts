/** A message of the queue ends in time, whatever takes how long, in a time that passes as fast as the machine can. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outbox } from '../../lib/edges/outbox.ts';
import { handleMessage, type Message } from '../../lib/story/session-events.ts';
import { memoryOutbox } from './memory-outbox.ts';
import { executionEnded, released, requested } from './messages.ts';
import { type Pace, slowEdges } from './slow-edges.ts';
import { world } from './world.ts';

/** What is promised to be left when everything has ended. */
const LEFT_MS = 500;
const OWNER = 'job';
const OPEN = requested({ array: 'fb1', leaseId: 'job-1', owner: OWNER }, 'event-1');
const CLOSE = released({ leaseId: 'lease-0' }, 'event-2');
const END = executionEnded(OWNER, 'FAILED', 'event-3');
/** Its array refuses the API token. */
const REFUSED = requested({ array: 'fb2', leaseId: 'job-2' }, 'event-4');
const NONSENSE = { messageId: 'message-5', body: 'nonsense' };
const MESSAGES = { OPEN, CLOSE, END, REFUSED, NONSENSE } as const;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

/** Delivers a message `timeMs` before its deadline. Returns how much of that was left at its end. */
async function timeLeft(message: Message, timeMs: number, paces: (call: number) => Pace, leases = 3) {
  const w = world();
  const box = memoryOutbox();
  vi.setSystemTime(w.now());
  w.accept('fb2', 'another API token');
  for (let n = 0; n < leases; n++) {
    const lease = requested({ array: 'fb1', leaseId: `lease-${n}`, leaseSeconds: 86_400, owner: OWNER });
    await handleMessage({ ...w.edges, now: Date.now }, box.outbox, lease, Date.now() + 60_000);
  }
  box.told.length = 0;
  let calls = 0;
  const slow = slowEdges(w.edges, box.outbox, () => paces(calls++));
  const tellings = { begun: 0, failed: 0 };
  const counted = async (telling: () => Promise<void>): Promise<void> => {
    tellings.begun += 1;
    await telling().catch((error) => {
      tellings.failed += 1;
      throw error;
    });
  };
  const outbox: Outbox = {
    emit: (event, by) => counted(() => slow.outbox.emit(event, by)),
    deadLetter: (letter, by) => counted(() => slow.outbox.deadLetter(letter, by)),
  };
  const deadline = Date.now() + timeMs;
  let endedAt = Number.POSITIVE_INFINITY;
  const end = (): void => {
    endedAt = Date.now();
  };
  const done = handleMessage(slow.edges, outbox, message, deadline).then(end, end);
  await vi.runAllTimersAsync();
  await done;
  return { leftMs: deadline - endedAt, w, tellings, told: box.told };
}

describe('a message ends half a second before its deadline', () => {
  it.each(Object.entries(MESSAGES))('if everything takes as long as it may (%s)', async (_, message) => {
    for (const pace of ['slow', 'failed', 'lost'] as const) {
      for (let timeMs = 0; timeMs <= 60_000; timeMs += 500) {
        const { leftMs } = await timeLeft(message, timeMs, () => pace);
        // Whoever has less than that to begin with ends at once.
        expect(leftMs, `${pace}, of ${timeMs} ms`).toBeGreaterThanOrEqual(Math.min(LEFT_MS, timeMs));
      }
    }
  });

  it.each(Object.entries(MESSAGES))('whatever takes how long (%s)', async (_, message) => {
    const paces = fc.array(fc.constantFrom<Pace>('quick', 'quick', 'slow', 'failed', 'lost'), {
      minLength: 1,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(paces, fc.integer({ min: 0, max: 40_000 }), async (chosen, timeMs) => {
        const { leftMs } = await timeLeft(message, timeMs, (call) => chosen[call % chosen.length] as Pace);
        expect(leftMs).toBeGreaterThanOrEqual(Math.min(LEFT_MS, timeMs));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('if an owner has more sessions than can be closed and told of in time, and those that were closed are told of', async () => {
    const { leftMs, told, w } = await timeLeft(END, 30_000, () => 'slow', 48);
    expect(leftMs).toBeGreaterThanOrEqual(LEFT_MS);
    expect(told.length).toBeGreaterThan(0);
    expect(w.live.size).toBeGreaterThan(0);
    expect(told).toHaveLength(48 - w.live.size);
  });
});

describe('a telling always has its time', () => {
  it.each([
    ['a session was opened', OPEN, 1],
    ['a session was closed', CLOSE, 1],
    ["an owner's sessions were closed", END, 3],
    ['a login was refused, and so has its dead letter', REFUSED, 2],
  ] as const)('however late %s', async (_, message, count) => {
    let times = 0;
    for (let timeMs = 0; timeMs <= 40_000; timeMs += 200) {
      const { tellings } = await timeLeft(message, timeMs, () => 'slow');
      expect(tellings.failed, `of ${timeMs} ms`).toBe(0);
      if (tellings.begun === count) times += 1;
    }
    expect(times).toBeGreaterThan(20);
  });
});
