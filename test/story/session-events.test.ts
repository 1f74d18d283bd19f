import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, FlashBladeError } from '../../lib/ground/errors.ts';
import { handleMessage, type Message } from '../../lib/story/session-events.ts';
import { memoryOutbox } from './memory-outbox.ts';
import { executionEnded, messageOf, released, requested } from './messages.ts';
import { API_TOKEN, fail, unreachable, untilCalled, world } from './world.ts';

const REQUEST = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 600 };
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52';

function office() {
  const w = world();
  const box = memoryOutbox();
  const deliver = (message: Message) => handleMessage(w.edges, box.outbox, message, w.deadline());
  return { w, ...box, deliver };
}

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

describe('an owner', () => {
  const LEASES = Array.from({ length: 30 }, (_, n) => `job-${n}`);

  async function withLeases() {
    const o = office();
    for (const leaseId of LEASES) await o.deliver(requested({ array: 'fb1', leaseId, owner: EXECUTION }));
    await o.deliver(requested({ array: 'fb2', leaseId: 'other', owner: 'other' }));
    o.told.length = 0;
    return o;
  }

  it.each([
    ['whose execution ended', executionEnded(EXECUTION, 'TIMED_OUT')],
    ['that releases all it has', released({ owner: EXECUTION })],
  ])('%s has no session any more, others keep theirs, and each is told of', async (_, message) => {
    const { w, told, toldOf, deliver } = await withLeases();
    await deliver(message);
    expect([...w.live.values()].map(({ array }) => array)).toEqual(['fb2']);
    expect(toldOf().sort()).toEqual(LEASES.map((leaseId) => `closed ${leaseId}`).sort());
    expect(told[0]?.detail).toMatchObject({ array: 'fb1', owner: EXECUTION });
  });

  it('whose execution goes on keeps its sessions', async () => {
    const { w, told, deliver } = await withLeases();
    await deliver(executionEnded(EXECUTION, 'RUNNING'));
    expect(w.live.size).toBe(31);
    expect(told).toEqual([]);
  });

  it('that has ended opens nothing any more', async () => {
    const { w, toldOf, deliver } = office();
    await deliver(executionEnded(EXECUTION));
    await deliver(requested({ ...REQUEST, owner: EXECUTION }));
    expect(w.live.size).toBe(0);
    expect(toldOf()).toEqual([]);
  });

  it('is told of every session but the one whose telling failed, and of all when the message comes again', async () => {
    const { w, told, toldOf, failNext, deliver } = await withLeases();
    failNext('emit');
    await expect(deliver(executionEnded(EXECUTION))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.live.size).toBe(1);
    expect(told).toHaveLength(29);
    await deliver(executionEnded(EXECUTION));
    expect(new Set(toldOf()).size).toBe(30);
  });

  it('of whom one session cannot be closed for good: the others are told of, and so is the failure', async () => {
    const { w, told, letters, deliver } = await withLeases();
    w.once(
      'unseal',
      fail(() => new FlashBladeError('LEASE_ALTERED', 'the lease was altered')),
    );
    await deliver(executionEnded(EXECUTION));
    expect(told.filter(({ type }) => type === 'closed')).toHaveLength(29);
    expect(told.filter(({ type }) => type === 'failed')).toMatchObject([
      { detail: { eventId: 'event-1', owner: EXECUTION, code: 'LEASE_ALTERED' } },
    ]);
    expect(letters).toHaveLength(1);
  });

  it('of whom another session may still be closed: the message comes again before anything is given up', async () => {
    const { w, told, letters, deliver } = await withLeases();
    w.once(
      'unseal',
      fail(() => new FlashBladeError('LEASE_ALTERED', 'the lease was altered')),
    );
    w.once(
      'logout',
      fail(() => unreachable(true)),
    );
    await expect(deliver(executionEnded(EXECUTION))).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    expect(told.map(({ type }) => type)).not.toContain('failed');
    expect(letters).toEqual([]);
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

describe('what no repetition can mend', () => {
  it.each([
    ['ARRAY_UNKNOWN', requested({ array: 'fb9', leaseId: 'job-1' }), { leaseId: 'job-1', array: 'fb9' }],
    ['REQUEST_INVALID', requested({ array: 'fb1', host: 'evil' }), {}],
    ['REQUEST_INVALID', messageOf('Session Opened', REQUEST), {}],
    ['REQUEST_INVALID', { messageId: 'message-of-event-1', body: `not JSON, but ${API_TOKEN}` }, {}],
  ] as const)('is %s: told, laid into the dead-letter queue, and done', async (code, message, ids) => {
    const { told, letters, deliver } = office();
    await deliver(message);
    const known = 'leaseId' in ids;
    const eventId = known ? { eventId: 'event-1' } : {};
    expect(told).toEqual([{ type: 'failed', detail: { ...eventId, ...ids, code, reason: expect.any(String) } }]);
    const leaseId = known ? { leaseId: 'job-1' } : {};
    const reason = told[0]?.type === 'failed' ? told[0].detail.reason : '';
    expect(letters).toEqual([{ ...eventId, ...leaseId, code, reason, messageId: 'message-of-event-1' }]);
    expect(JSON.stringify([told, letters])).not.toContain(API_TOKEN);
  });

  it('is reported once, with code and message', async () => {
    const { w, deliver } = office();
    await deliver(requested({ array: 'fb9', leaseId: 'job-1' }));
    expect(w.reports).toMatchObject([
      { event: 'MessageFailed', code: 'ARRAY_UNKNOWN', eventId: 'event-1', leaseId: 'job-1', array: 'fb9' },
    ]);
  });

  it('is an unexpected error too, whose own words are told nobody', async () => {
    const { w, told, letters, deliver } = office();
    w.once(
      'secret',
      fail(() => new TypeError(`nobody expects ${API_TOKEN}`)),
    );
    await deliver(requested(REQUEST));
    expect(told).toMatchObject([{ detail: { code: 'INTERNAL' } }]);
    expect(JSON.stringify([told, letters, w.reports])).not.toContain(API_TOKEN);
  });

  it.each([
    ['emit', ['failed job-1'], 1],
    ['deadLetter', ['failed job-1', 'failed job-1'], 1],
  ] as const)('comes again if it cannot be told (%s)', async (name, toldInTheEnd, lettersInTheEnd) => {
    const { toldOf, letters, failNext, deliver } = office();
    const message = requested({ array: 'fb9', leaseId: 'job-1' });
    failNext(name);
    await expect(deliver(message)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', retryable: true });
    expect(letters).toEqual([]);
    await deliver(message);
    expect(toldOf()).toEqual(toldInTheEnd);
    expect(letters).toHaveLength(lettersInTheEnd);
  });
});

describe('a code', () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  /** Everything that happens when the secret is read and that code is thrown. */
  async function thrown(code: ErrorCode) {
    const o = office();
    o.w.once(
      'secret',
      fail(() => new FlashBladeError(code, 'as the test wants it')),
    );
    const outcome = await o.deliver(requested(REQUEST)).catch((error) => error);
    return { ...o, outcome };
  }

  it.each(codes.filter((code) => ERROR_CODES[code].retryable))('%s brings the message again', async (code) => {
    const { outcome, told, letters, deliver } = await thrown(code);
    expect(outcome).toMatchObject({ code });
    expect([told, letters]).toEqual([[], []]);
    await deliver(requested(REQUEST));
    expect(told).toMatchObject([{ type: 'opened' }]);
  });

  it.each(codes.filter((code) => !ERROR_CODES[code].retryable && code !== 'LEASE_ENDED'))(
    '%s is told, and the message is laid into the dead-letter queue',
    async (code) => {
      const { outcome, told, letters } = await thrown(code);
      expect(outcome).toBeUndefined();
      expect(told).toMatchObject([{ type: 'failed', detail: { code, leaseId: 'job-1', array: 'fb1' } }]);
      expect(letters).toMatchObject([{ code, messageId: 'message-of-event-1', leaseId: 'job-1' }]);
    },
  );

  it('LEASE_ENDED is a session that nobody waits for', async () => {
    const { outcome, told, letters } = await thrown('LEASE_ENDED');
    expect([outcome, told, letters]).toEqual([undefined, [], []]);
  });
});
