import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../lib/story/session-events.ts';
import { office } from './memory-outbox.ts';
import { executionEnded, released, requested } from './messages.ts';
import { untilCalled } from './world.ts';

const REQUEST = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 600 };
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52';

describe('a session that is requested', () => {
  it('is opened, and others are told under which lease', async () => {
    const { w, told, deliver } = office();
    await deliver(requested({ ...REQUEST, owner: EXECUTION }));
    const detail = {
      leaseId: 'job-1',
      array: 'fb1',
      username: 'pureuser',
      expiresAt: w.seconds() + 600,
      owner: EXECUTION,
    };
    expect(told).toEqual([{ type: 'opened', detail }]);
    expect(w.lease('job-1')).toMatchObject({ state: 'OPEN', owner: EXECUTION });
  });

  it('is opened once, however often the event is delivered, and told of each time', async () => {
    const { w, told, deliver } = office();
    for (let delivery = 0; delivery < 3; delivery++) await deliver(requested({ array: 'fb1' }));
    expect(w.live.size).toBe(1);
    expect(told).toHaveLength(3);
    expect(new Set(told.map((event) => JSON.stringify(event))).size).toBe(1);
    expect(told[0]?.detail.leaseId).toBe('fb1:event-1');
  });

  it('is told of at the next delivery if it could not be told of at the first', async () => {
    const { w, toldOf, failNext, deliver } = office();
    failNext('emit');
    await expect(deliver(requested(REQUEST))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(toldOf()).toEqual([]);
    await deliver(requested(REQUEST));
    expect(toldOf()).toEqual(['opened job-1']);
    expect(w.live.size).toBe(1);
  });

  it('after it was released opens nothing, tells nothing and is done', async () => {
    const { w, toldOf, letters, deliver } = office();
    await deliver(released({ leaseId: 'job-1' }));
    await deliver(requested(REQUEST));
    await deliver(released({ leaseId: 'job-1' }));
    expect(w.calls).not.toContain('login');
    expect(toldOf()).toEqual([]);
    expect(letters).toEqual([]);
    expect(w.events()).toContain('RequestOutdated');
  });

  it('comes again while another delivery of it is at work', async () => {
    const { w, toldOf, deliver } = office();
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    w.once('login', async (act) => {
      await held;
      return act();
    });
    const first = deliver(requested(REQUEST));
    await untilCalled(w, 'login');
    await expect(deliver(requested(REQUEST))).rejects.toMatchObject({ code: 'LEASE_OPENING' });
    letGo();
    await first;
    expect(toldOf()).toEqual(['opened job-1']);
  });
});

describe('a session that is released', () => {
  it('is closed and told of, at every delivery', async () => {
    const { w, told, deliver } = office();
    await deliver(requested(REQUEST));
    await deliver(released({ leaseId: 'job-1' }, 'event-2'));
    await deliver(released({ leaseId: 'job-1' }, 'event-2'));
    const closed = { type: 'closed', detail: { leaseId: 'job-1', array: 'fb1' } };
    expect(told.slice(1)).toEqual([closed, closed]);
    expect([w.live.size, w.logouts('fb1')]).toEqual([0, 1]);
  });

  it('is told of at the next delivery if it could not be told of at the first', async () => {
    const { toldOf, failNext, deliver } = office();
    await deliver(requested(REQUEST));
    failNext('emit');
    await expect(deliver(released({ leaseId: 'job-1' }))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    await deliver(released({ leaseId: 'job-1' }));
    expect(toldOf()).toEqual(['opened job-1', 'closed job-1']);
  });

  it('while it is being opened is logged out by whoever opens it, and was never open for anybody', async () => {
    const { w, toldOf, deliver } = office();
    w.once('login', async (act) => {
      await deliver(released({ leaseId: 'job-1' }));
      return act();
    });
    await deliver(requested(REQUEST));
    expect(w.live.size).toBe(0);
    expect(toldOf()).toEqual([]);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('comes again while the array does not answer', async () => {
    const { w, toldOf, deliver } = office();
    await deliver(requested(REQUEST));
    w.dead.add('fb1');
    await expect(deliver(released({ leaseId: 'job-1' }))).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    w.dead.clear();
    await deliver(released({ leaseId: 'job-1' }));
    expect(toldOf()).toEqual(['opened job-1', 'closed job-1']);
  });
});

describe('events in any order, any number of times', () => {
  const EVENTS: readonly Message[] = [
    requested({ ...REQUEST, owner: EXECUTION }, 'event-1'),
    requested({ array: 'fb2', leaseId: 'job-2', owner: EXECUTION }, 'event-2'),
    released({ leaseId: 'job-1' }, 'event-3'),
    executionEnded(EXECUTION, 'FAILED', 'event-4'),
  ];

  it('leave no session, and tell of an end whatever they told of a beginning', async () => {
    const more = fc.array(fc.constantFrom(...EVENTS), { maxLength: 4 });
    const order = more.chain((again) =>
      fc.shuffledSubarray([...EVENTS, ...again], { minLength: EVENTS.length + again.length }),
    );
    await fc.assert(
      fc.asyncProperty(order, async (messages) => {
        const { w, toldOf, letters, deliver } = office();
        for (const message of messages) await deliver(message);
        expect(w.live.size).toBe(0);
        expect(letters).toEqual([]);
        const told = toldOf();
        for (const leaseId of ['job-1', 'job-2']) {
          if (!told.includes(`opened ${leaseId}`)) expect(told).not.toContain(`closed ${leaseId}`);
          else expect(told.lastIndexOf(`opened ${leaseId}`)).toBeLessThan(told.indexOf(`closed ${leaseId}`));
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
