import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, FlashBladeError } from '../../lib/ground/errors.ts';
import { office } from './memory-outbox.ts';
import { executionEnded, messageOf, released, requested } from './messages.ts';
import { API_TOKEN, fail } from './world.ts';

const REQUEST = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 600 };

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

  it.each([
    ['a release', released({ leaseId: 'job-1' }), { leaseId: 'job-1' }],
    ["an owner's end", released({ owner: 'me' }), { owner: 'me' }],
    ['a request', requested({ ...REQUEST, owner: 'me' }), { leaseId: 'job-1', array: 'fb1', owner: 'me' }],
    ['a request of nobody', requested(REQUEST), { leaseId: 'job-1', array: 'fb1' }],
  ])('tells whose it was: %s', async (_, message, ids) => {
    const { w, told, deliver } = office();
    w.once(
      'read',
      fail(() => new FlashBladeError('INTERNAL', 'as the test wants it')),
    );
    await deliver(message);
    const about = { code: 'INTERNAL', eventId: 'event-1', ...ids };
    expect(w.reports).toStrictEqual([{ event: 'MessageFailed', ...about, message: 'as the test wants it' }]);
    expect(told).toStrictEqual([{ type: 'failed', detail: { ...about, reason: 'as the test wants it' } }]);
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

it('an event that asks for nothing does nothing', async () => {
  const { w, told, deliver } = office();
  await deliver(executionEnded('arn:aws:states:eu-central-1:123456789012:execution:nightly:1', 'RUNNING'));
  expect([w.calls, w.reports, told]).toEqual([[], [], []]);
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
