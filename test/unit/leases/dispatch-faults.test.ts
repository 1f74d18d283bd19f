import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, FlashBladeError } from '../../../lib/core/errors.ts';
import { queueWorld } from '../../kit/memory/memory-outbox.ts';
import { executionEnded, messageOf, released, requested } from '../../kit/memory/messages.ts';
import { API_TOKEN, awsDown, fail } from '../../kit/memory/world.ts';

const REQUEST = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 600 };

describe('a permanent failure', () => {
  it.each([
    ['ARRAY_UNKNOWN', requested({ array: 'fb9', leaseId: 'job-1' }), { leaseId: 'job-1', array: 'fb9' }],
    ['REQUEST_INVALID', requested({ array: 'fb1', host: 'evil' }), {}],
    ['REQUEST_INVALID', messageOf('Session Opened', REQUEST), {}],
    ['REQUEST_INVALID', { messageId: 'message-of-event-1', body: `not JSON, but ${API_TOKEN}` }, {}],
  ] as const)(
    '%s is published and sent to the dead-letter queue, and the message is done',
    async (code, message, ids) => {
      const { published, letters, deliver } = queueWorld();
      await deliver(message);
      const known = 'leaseId' in ids;
      const eventId = known ? { eventId: 'event-1' } : {};
      expect(published).toEqual([{ type: 'failed', detail: { ...eventId, ...ids, code, reason: expect.any(String) } }]);
      const leaseId = known ? { leaseId: 'job-1' } : {};
      const reason = published[0]?.type === 'failed' ? published[0].detail.reason : '';
      expect(letters).toEqual([{ ...eventId, ...leaseId, code, reason, messageId: 'message-of-event-1' }]);
      expect(JSON.stringify([published, letters])).not.toContain(API_TOKEN);
    },
  );

  it('a permanent failure is reported once, with its code', async () => {
    const { w, deliver } = queueWorld();
    await deliver(requested({ array: 'fb9', leaseId: 'job-1' }));
    expect(w.reports).toMatchObject([
      { event: 'MessageFailed', code: 'ARRAY_UNKNOWN', eventId: 'event-1', leaseId: 'job-1', array: 'fb9' },
    ]);
  });

  it.each([
    ['a release', released({ leaseId: 'job-1' }), { leaseId: 'job-1' }],
    ['an ended owner', released({ owner: 'me' }), { owner: 'me' }],
    ['a request', requested({ ...REQUEST, owner: 'me' }), { leaseId: 'job-1', array: 'fb1', owner: 'me' }],
    ['a request without an owner', requested(REQUEST), { leaseId: 'job-1', array: 'fb1' }],
  ])('a failed message is reported with its ids: %s', async (_, message, ids) => {
    const { w, published, deliver } = queueWorld();
    w.once('read', fail(new FlashBladeError('INTERNAL', 'as the test requires')));
    await deliver(message);
    const about = { code: 'INTERNAL', eventId: 'event-1', ...ids };
    expect(w.reports).toStrictEqual([{ event: 'MessageFailed', ...about, message: 'as the test requires' }]);
    expect(published).toStrictEqual([{ type: 'failed', detail: { ...about, reason: 'as the test requires' } }]);
  });

  it('an unexpected error is INTERNAL, and its message is not published', async () => {
    const { w, published, letters, deliver } = queueWorld();
    w.once('secret', fail(new TypeError(`unexpected ${API_TOKEN}`)));
    await deliver(requested(REQUEST));
    expect(published).toMatchObject([{ detail: { code: 'INTERNAL' } }]);
    expect(JSON.stringify([published, letters, w.reports])).not.toContain(API_TOKEN);
  });

  it.each([
    ['emit', ['failed job-1'], 1],
    ['deadLetter', ['failed job-1', 'failed job-1'], 1],
  ] as const)(
    'a failure that cannot be published is delivered again (%s)',
    async (name, outcomesInTheEnd, lettersInTheEnd) => {
      const { w, outcomes, letters, deliver } = queueWorld();
      const message = requested({ array: 'fb9', leaseId: 'job-1' });
      w.once(name, fail(awsDown));
      await expect(deliver(message)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', retryable: true });
      expect(letters).toEqual([]);
      await deliver(message);
      expect(outcomes()).toEqual(outcomesInTheEnd);
      expect(letters).toHaveLength(lettersInTheEnd);
    },
  );
});

it('an event that asks for nothing has no effect', async () => {
  const { w, published, deliver } = queueWorld();
  await deliver(executionEnded('arn:aws:states:eu-central-1:123456789012:execution:nightly:1', 'RUNNING'));
  expect([w.calls, w.reports, published]).toEqual([[], [], []]);
});

describe('an error code', () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  /** What happens if reading the secret throws that code. */
  async function thrown(code: ErrorCode) {
    const o = queueWorld();
    o.w.once('secret', fail(new FlashBladeError(code, 'as the test requires')));
    const outcome = await o.deliver(requested(REQUEST)).catch((error) => error);
    return { ...o, outcome };
  }

  it.each(codes.filter((code) => ERROR_CODES[code].retryable))(
    '%s makes the queue deliver the message again',
    async (code) => {
      const { outcome, published, letters, deliver } = await thrown(code);
      expect(outcome).toMatchObject({ code });
      expect([published, letters]).toEqual([[], []]);
      await deliver(requested(REQUEST));
      expect(published).toMatchObject([{ type: 'opened' }]);
    },
  );

  it.each(codes.filter((code) => !ERROR_CODES[code].retryable && code !== 'LEASE_ENDED' && code !== 'REQUEST_EXPIRED'))(
    '%s is published, and the message goes to the dead-letter queue',
    async (code) => {
      const { outcome, published, letters } = await thrown(code);
      expect(outcome).toBeUndefined();
      expect(published).toMatchObject([{ type: 'failed', detail: { code, leaseId: 'job-1', array: 'fb1' } }]);
      expect(letters).toMatchObject([{ code, messageId: 'message-of-event-1', leaseId: 'job-1' }]);
    },
  );

  it('LEASE_ENDED is neither published nor sent to the dead-letter queue', async () => {
    const { outcome, published, letters } = await thrown('LEASE_ENDED');
    expect([outcome, published, letters]).toEqual([undefined, [], []]);
  });
});
