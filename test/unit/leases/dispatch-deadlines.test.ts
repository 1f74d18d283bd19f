/** A message is handled in time, however long each call takes. Fake timers let the time pass as fast as the machine can. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dispatch, type Message } from '../../../lib/leases/dispatch.ts';
import { type Hook, hooked, hookedOutbox } from '../../kit/memory/hook.ts';
import { MAX_AGE_SECONDS, memoryOutbox } from '../../kit/memory/memory-outbox.ts';
import { executionEnded, released, requested } from '../../kit/memory/messages.ts';
import { type Pace, slow } from '../../kit/memory/slow.ts';
import { world } from '../../kit/memory/world.ts';

/** The time that must be left at the end. */
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

/** Delivers a message `timeMs` before its deadline. Returns how much of that time was left at the end. */
async function timeLeft(message: Message, timeMs: number, paces: (call: number) => Pace, leases = 3) {
  const w = world();
  const box = memoryOutbox();
  vi.setSystemTime(w.now());
  w.accept('fb2', 'another API token');
  for (let n = 0; n < leases; n++) {
    const lease = requested({ array: 'fb1', leaseId: `lease-${n}`, leaseSeconds: 86_400, owner: OWNER });
    await dispatch({ ...w.ports, now: Date.now }, box.outbox, lease, MAX_AGE_SECONDS, Date.now() + 60_000);
  }
  box.published.length = 0;
  let paced = 0;
  const slowly = slow(() => paces(paced++));
  const calls = { begun: 0, failed: 0 };
  const counted: Hook = (call) => {
    calls.begun += 1;
    return slowly(call).catch((error) => {
      calls.failed += 1;
      throw error;
    });
  };
  const ports = { ...hooked(w.ports, slowly), now: Date.now };
  const outbox = hookedOutbox(box.outbox, counted);
  const deadline = Date.now() + timeMs;
  let endedAt = Number.POSITIVE_INFINITY;
  const end = (): void => {
    endedAt = Date.now();
  };
  const done = dispatch(ports, outbox, message, MAX_AGE_SECONDS, deadline).then(end, end);
  await vi.runAllTimersAsync();
  await done;
  return { leftMs: deadline - endedAt, w, calls, published: box.published };
}

describe('a message is done half a second before its deadline', () => {
  it.each(Object.entries(MESSAGES))(
    'a message is done in time if every call takes as long as it may (%s)',
    async (_, message) => {
      for (const pace of ['slow', 'failed', 'lost'] as const) {
        for (let timeMs = 0; timeMs <= 60_000; timeMs += 500) {
          const { leftMs } = await timeLeft(message, timeMs, () => pace);
          // A message that has less time to begin with is done at once.
          expect(leftMs, `${pace}, of ${timeMs} ms`).toBeGreaterThanOrEqual(Math.min(LEFT_MS, timeMs));
        }
      }
    },
  );

  it.each(Object.entries(MESSAGES))(
    'a message is done in time however long each call takes (%s)',
    async (_, message) => {
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
    },
  );

  it('if an owner has more sessions than can be closed in time, all that were closed are published', async () => {
    const { leftMs, published, w } = await timeLeft(END, 30_000, () => 'slow', 48);
    expect(leftMs).toBeGreaterThanOrEqual(LEFT_MS);
    expect(published.length).toBeGreaterThan(0);
    expect(w.live.size).toBeGreaterThan(0);
    expect(published).toHaveLength(48 - w.live.size);
  });
});

describe('an event always has time to be published', () => {
  it.each([
    ['an opened session', OPEN, 1],
    ['a closed session', CLOSE, 1],
    ['the closed sessions of an owner', END, 3],
    ['a refused login with its dead letter', REFUSED, 2],
  ] as const)('%s can be published, however late', async (_, message, count) => {
    let times = 0;
    for (let timeMs = 0; timeMs <= 40_000; timeMs += 200) {
      const { calls } = await timeLeft(message, timeMs, () => 'slow');
      expect(calls.failed, `of ${timeMs} ms`).toBe(0);
      if (calls.begun === count) times += 1;
    }
    expect(times).toBeGreaterThan(20);
  });
});
