import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../lib/leases/dispatch.ts';
import { DETAIL_TYPES } from '../../../lib/leases/events.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
import { MAX_AGE_SECONDS, queueWorld } from '../../kit/memory/memory-outbox.ts';
import { executionEnded, messageOf, released, requested } from '../../kit/memory/messages.ts';
import { awsDown, fail, untilCalled } from '../../kit/memory/world.ts';

const REQUEST = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 600 };
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52';

describe('a request for a session', () => {
  it('a request opens a session and publishes its lease', async () => {
    const { w, published, deliver } = queueWorld();
    await deliver(requested({ ...REQUEST, owner: EXECUTION }));
    const detail = {
      leaseId: 'job-1',
      array: 'fb1',
      username: 'pureuser',
      expiresAt: w.seconds() + 600,
      owner: EXECUTION,
    };
    expect(published).toEqual([{ type: 'opened', detail }]);
    expect(w.lease('job-1')).toMatchObject({ state: 'OPEN', owner: EXECUTION });
  });

  it('a request that is delivered several times opens one session, and each delivery publishes it', async () => {
    const { w, published, deliver } = queueWorld();
    for (let delivery = 0; delivery < 3; delivery++) await deliver(requested({ array: 'fb1' }));
    expect(w.live.size).toBe(1);
    expect(published).toHaveLength(3);
    expect(new Set(published.map((event) => JSON.stringify(event))).size).toBe(1);
    expect(published[0]?.detail.leaseId).toBe('fb1:event-1');
  });

  it('an event that could not be published is published at the next delivery', async () => {
    const { w, outcomes, deliver } = queueWorld();
    w.once('emit', fail(awsDown));
    await expect(deliver(requested(REQUEST))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(outcomes()).toEqual([]);
    await deliver(requested(REQUEST));
    expect(outcomes()).toEqual(['opened job-1']);
    expect(w.live.size).toBe(1);
  });

  it('a request that arrives after its release opens and publishes nothing', async () => {
    const { w, outcomes, letters, deliver } = queueWorld();
    await deliver(released({ leaseId: 'job-1' }));
    await deliver(requested(REQUEST));
    await deliver(released({ leaseId: 'job-1' }));
    expect(w.calls).not.toContain('login');
    expect(outcomes()).toEqual([]);
    expect(letters).toEqual([]);
    expect(w.events()).toContain('RequestOutdated');
  });

  it('a request is delivered again while another delivery of it is in progress', async () => {
    const { w, outcomes, deliver } = queueWorld();
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
    expect(outcomes()).toEqual(['opened job-1']);
  });
});

describe('an old request', () => {
  /** A request whose event and message are this many seconds old. `undefined`: the age is not known. */
  function aged(
    w: { seconds: () => number },
    eventAge: number | undefined,
    messageAge: number | undefined,
    detail = {},
  ) {
    const at = (age: number) => (w.seconds() - age) * 1000;
    const time = eventAge === undefined ? {} : { time: new Date(at(eventAge)).toISOString() };
    const message = messageOf(DETAIL_TYPES.requested, { ...REQUEST, ...detail }, 'event-1', 'com.example.jobs', time);
    return { ...message, ...(messageAge === undefined ? {} : { sentAt: at(messageAge) }) };
  }
  const [NEW, OLD] = [MAX_AGE_SECONDS, MAX_AGE_SECONDS + 1];

  it.each([
    [OLD, OLD],
    // A redrive writes the message anew, and the event keeps its time.
    [OLD, 0],
    [OLD, undefined],
    // A transformed event has no time. The sender's clock may be wrong.
    [undefined, OLD],
    [-86_400, OLD],
  ])('an event that is %s s old in a message that is %s s old fails, and opens no session', async (event, message) => {
    const { w, published, letters, deliver } = queueWorld();
    await deliver(aged(w, event, message, { owner: 'job' }));
    expect(w.calls).toEqual(['read', 'emit']);
    expect(letters).toEqual([]);
    const reason = expect.stringContaining('older than 3600 seconds');
    const ids = { eventId: 'event-1', leaseId: 'job-1', array: 'fb1', owner: 'job' };
    expect(published).toEqual([{ type: 'failed', detail: { ...ids, code: 'REQUEST_EXPIRED', reason } }]);
    expect(w.events()).toEqual(['MessageFailed']);
  });

  it.each([
    [NEW, NEW],
    [NEW, undefined],
    [undefined, NEW],
    [undefined, undefined],
    // A clock that is ahead makes nothing older.
    [-60, 0],
    [-86_400, NEW],
  ])('an event that is %s s old in a message that is %s s old opens a session', async (event, message) => {
    const { w, outcomes, deliver } = queueWorld();
    await deliver(aged(w, event, message));
    expect(outcomes()).toEqual(['opened job-1']);
  });

  it('whose session an earlier delivery opened publishes the lease, because the job may not know it yet', async () => {
    const { w, published, letters, deliver } = queueWorld();
    const message = aged(w, 0, 0, { owner: 'job', leaseSeconds: 2 * OLD });
    w.once('emit', fail(awsDown));
    await expect(deliver(message)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    const expiresAt = w.seconds() + 2 * OLD;
    w.pass(OLD);
    w.calls.length = 0;
    await deliver(message);
    expect(w.calls).toEqual(['read', 'emit']);
    expect([w.live.size, letters]).toEqual([1, []]);
    const detail = { leaseId: 'job-1', array: 'fb1', username: 'pureuser', expiresAt, owner: 'job' };
    expect(published).toEqual([{ type: 'opened', detail }]);
    await deliver(released({ owner: 'job' }));
    expect(w.live.size).toBe(0);
  });

  it.each([
    ['belongs to another array', { array: 'fb2' }, OLD],
    ['belongs to another owner', { owner: 'other' }, OLD],
    ['belongs to an owner, and the request to none', { owner: undefined }, OLD],
    ['has expired', {}, 2 * OLD],
  ])('fails if the lease %s, and changes nothing', async (_, changes, seconds) => {
    const { w, outcomes, deliver } = queueWorld();
    const request = { owner: 'job', leaseSeconds: 2 * OLD };
    await deliver(aged(w, 0, 0, request));
    const before = w.lease('job-1');
    w.pass(seconds);
    await deliver(aged(w, OLD, OLD, { ...request, ...changes }));
    expect(outcomes()).toEqual(['opened job-1', 'failed job-1']);
    expect([w.lease('job-1'), w.live.size]).toEqual([before, 1]);
  });

  it('is delivered again while an earlier delivery opens its session, and fails after the session has ended', async () => {
    const { w, outcomes, deliver } = queueWorld();
    w.once('login', async (act) => {
      await expect(deliver(aged(w, OLD, OLD))).rejects.toMatchObject({ code: 'LEASE_OPENING' });
      return act();
    });
    await deliver(requested(REQUEST));
    await deliver(released({ leaseId: 'job-1' }));
    await deliver(aged(w, OLD, OLD));
    expect(outcomes()).toEqual(['opened job-1', 'closed job-1', 'failed job-1']);
  });

  it('fails after the process that was opening its session has died', async () => {
    const { w, outcomes, deliver } = queueWorld();
    w.once('login', () => new Promise(() => {}));
    void deliver(requested(REQUEST));
    await untilCalled(w, 'login');
    await expect(deliver(aged(w, OLD, OLD))).rejects.toMatchObject({ code: 'LEASE_OPENING' });
    w.pass(60);
    await sweep(w.ports, w.deadline());
    await deliver(aged(w, OLD, OLD));
    expect(outcomes()).toEqual(['failed job-1']);
    expect(w.suspects()).toHaveLength(1);
  });

  it('is delivered again if the ledger does not respond', async () => {
    const { w, outcomes, deliver } = queueWorld();
    w.once('read', fail(awsDown));
    await expect(deliver(aged(w, OLD, OLD))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(outcomes()).toEqual([]);
  });

  it('an old release still closes its session', async () => {
    const { w, outcomes, deliver } = queueWorld();
    await deliver(requested(REQUEST));
    await deliver({ ...released({ leaseId: 'job-1' }), sentAt: (w.seconds() - OLD) * 1000 });
    expect(outcomes()).toEqual(['opened job-1', 'closed job-1']);
  });

  it('a failure that could not be published is published at the next delivery', async () => {
    const { w, published, deliver } = queueWorld();
    w.once('emit', fail(awsDown));
    const message = aged(w, OLD, OLD);
    await expect(deliver(message)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    await deliver(message);
    expect(published).toMatchObject([{ type: 'failed', detail: { code: 'REQUEST_EXPIRED' } }]);
  });
});

describe('a message that keeps failing', () => {
  // SQS delivers a message again after six minutes, five times in all.
  it.each([
    [0, false],
    [720, false],
    [900, false],
    [901, true],
    [1080, true],
    [1440, true],
  ])('%s s after it was sent is reported as delayed: %s', async (age, isDelayed) => {
    const { w, deliver } = queueWorld();
    w.once('secret', fail(awsDown));
    const message = { ...requested(REQUEST), sentAt: (w.seconds() - age) * 1000 };
    await expect(deliver(message)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    const found = w.reports.filter(({ event }) => event === 'RequestDelayed');
    const report = { code: 'AWS_UNAVAILABLE', eventId: 'event-1', leaseId: 'job-1', array: 'fb1' };
    expect(found).toMatchObject(isDelayed ? [report] : []);
  });

  it('is not reported as delayed without a time of sending, or after a permanent failure', async () => {
    const { w, deliver } = queueWorld();
    w.once('secret', fail(awsDown));
    await expect(deliver(requested(REQUEST))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    await deliver({ ...requested({ array: 'fb9' }), sentAt: (w.seconds() - 1440) * 1000 });
    expect(w.events()).not.toContain('RequestDelayed');
  });
});

describe('a release of a session', () => {
  it('every delivery of a release publishes that the session has closed', async () => {
    const { w, published, deliver } = queueWorld();
    await deliver(requested(REQUEST));
    await deliver(released({ leaseId: 'job-1' }, 'event-2'));
    await deliver(released({ leaseId: 'job-1' }, 'event-2'));
    const closed = { type: 'closed', detail: { leaseId: 'job-1', array: 'fb1' } };
    expect(published.slice(1)).toEqual([closed, closed]);
    expect([w.live.size, w.logouts('fb1')]).toEqual([0, 1]);
  });

  it('an event that could not be published is published at the next delivery', async () => {
    const { w, outcomes, deliver } = queueWorld();
    await deliver(requested(REQUEST));
    w.once('emit', fail(awsDown));
    await expect(deliver(released({ leaseId: 'job-1' }))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    await deliver(released({ leaseId: 'job-1' }));
    expect(outcomes()).toEqual(['opened job-1', 'closed job-1']);
  });

  it('a release during the opening makes the opening log out, and nothing is published', async () => {
    const { w, outcomes, deliver } = queueWorld();
    w.once('login', async (act) => {
      await deliver(released({ leaseId: 'job-1' }));
      return act();
    });
    await deliver(requested(REQUEST));
    expect(w.live.size).toBe(0);
    expect(outcomes()).toEqual([]);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('a release is delivered again while the array does not respond', async () => {
    const { w, outcomes, deliver } = queueWorld();
    await deliver(requested(REQUEST));
    w.dead.add('fb1');
    await expect(deliver(released({ leaseId: 'job-1' }))).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    w.dead.clear();
    await deliver(released({ leaseId: 'job-1' }));
    expect(outcomes()).toEqual(['opened job-1', 'closed job-1']);
  });
});

describe('events in any order, any number of times', () => {
  const EVENTS: readonly Message[] = [
    requested({ ...REQUEST, owner: EXECUTION }, 'event-1'),
    requested({ array: 'fb2', leaseId: 'job-2', owner: EXECUTION }, 'event-2'),
    released({ leaseId: 'job-1' }, 'event-3'),
    executionEnded(EXECUTION, 'FAILED', 'event-4'),
  ];

  it('no session is left, and each session that was published as open is published as closed', async () => {
    const more = fc.array(fc.constantFrom(...EVENTS), { maxLength: 4 });
    const order = more.chain((repeated) =>
      fc.shuffledSubarray([...EVENTS, ...repeated], { minLength: EVENTS.length + repeated.length }),
    );
    await fc.assert(
      fc.asyncProperty(order, async (messages) => {
        const { w, outcomes, letters, deliver } = queueWorld();
        for (const message of messages) await deliver(message);
        expect(w.live.size).toBe(0);
        expect(letters).toEqual([]);
        const all = outcomes();
        for (const leaseId of ['job-1', 'job-2']) {
          if (!all.includes(`opened ${leaseId}`)) expect(all).not.toContain(`closed ${leaseId}`);
          else expect(all.lastIndexOf(`opened ${leaseId}`)).toBeLessThan(all.indexOf(`closed ${leaseId}`));
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
