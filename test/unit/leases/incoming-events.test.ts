import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import {
  DETAIL_TYPES,
  EXECUTION_DETAIL_TYPE,
  EXECUTION_ENDS,
  EXECUTION_SOURCE,
  parseEvent,
} from '../../../lib/leases/events.ts';

const EVENT_ID = '5b6f0e1c-8c4a-4d63-9a57-2f6d1c0b9e11';
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52';

/** An event as EventBridge sends it to the queue. */
const bodyOf = (type: string, detail: unknown, envelope: object = {}): string =>
  JSON.stringify({
    version: '0',
    id: EVENT_ID,
    'detail-type': type,
    source: 'com.example.jobs',
    account: '123456789012',
    time: '2026-11-24T05:00:00Z',
    region: 'eu-central-1',
    resources: [],
    detail,
    ...envelope,
  });
const requested = (detail: unknown) => bodyOf(DETAIL_TYPES.requested, detail);
const released = (detail: unknown) => bodyOf(DETAIL_TYPES.released, detail);
const execution = (status: unknown, executionArn: unknown = EXECUTION) =>
  bodyOf(
    EXECUTION_DETAIL_TYPE,
    { executionArn, status, stateMachineArn: 'arn:x', name: '0f3e7a52', input: '{}' },
    { source: EXECUTION_SOURCE },
  );

function refusal(body: string): FlashBladeError {
  try {
    parseEvent(body);
  } catch (error) {
    if (error instanceof FlashBladeError) return error;
    throw error;
  }
  throw new Error('The event was not refused');
}

const TOKEN = 'T-3f2504e0-4f89-11d3-9a0c-0305e82c3301';

it.each([
  ['event: id', bodyOf(DETAIL_TYPES.requested, { array: 'fb1' }, { id: TOKEN })],
  [`${DETAIL_TYPES.requested}: array`, requested({ array: TOKEN })],
  [`${DETAIL_TYPES.requested}: leaseId`, requested({ array: 'fb1', leaseId: `job-${TOKEN}` })],
  [`${DETAIL_TYPES.requested}: owner`, requested({ array: 'fb1', owner: TOKEN })],
  [`${DETAIL_TYPES.released}: leaseId`, released({ leaseId: TOKEN })],
  [`${DETAIL_TYPES.released}: owner`, released({ owner: TOKEN })],
])('%s that contains an API token is refused, and the error only names the field', (field, body) => {
  const { code, message } = refusal(body);
  expect([code, message]).toEqual([
    'REQUEST_INVALID',
    `${field} must not contain anything that looks like an API token`,
  ]);
});

describe('a Session Requested event', () => {
  it('a request has the lease id, the seconds and the owner of its event', () => {
    const detail = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 60, owner: EXECUTION };
    expect(parseEvent(requested(detail))).toEqual({ eventId: EVENT_ID, kind: 'open', request: detail });
  });

  it('a request without a lease id and seconds gets array and event id as its lease id, and 900 seconds', () => {
    expect(parseEvent(requested({ array: 'fb1' }))).toEqual({
      eventId: EVENT_ID,
      kind: 'open',
      request: { array: 'fb1', leaseId: `fb1:${EVENT_ID}`, leaseSeconds: 900 },
    });
  });

  it('the default lease id can be released, however long array name and event id are', () => {
    const [id, array] = ['e'.repeat(128), 'a'.repeat(64)];
    const event = parseEvent(bodyOf(DETAIL_TYPES.requested, { array }, { id }));
    const leaseId = event.kind === 'open' ? event.request.leaseId : '';
    expect(parseEvent(released({ leaseId }))).toMatchObject({ kind: 'close', leaseId: `${array}:${id}` });
  });

  it.each([
    ['array must be an array name', {}],
    ['array must be an array name', { array: 'fb1.example.com/evil' }],
    ['array must be an array name', { array: ['fb1'] }],
    ['leaseId must be 1 to 512', { array: 'fb1', leaseId: '' }],
    ['leaseId must be 1 to 512', { array: 'fb1', leaseId: 'a b' }],
    ['leaseId must be 1 to 512', { array: 'fb1', leaseId: 'a'.repeat(513) }],
    ['leaseSeconds must be a whole number from 60 to 86400', { array: 'fb1', leaseSeconds: 59 }],
    ['leaseSeconds must be a whole number from 60 to 86400', { array: 'fb1', leaseSeconds: '900' }],
    ['owner must be 1 to 512', { array: 'fb1', owner: null }],
    ['has an unknown field: host', { array: 'fb1', host: 'evil.example.com' }],
    ['must be a JSON object', 'fb1'],
    ['must be a JSON object', undefined],
    ['must be a JSON object', [{ array: 'fb1' }]],
  ])('a request that breaks a rule is refused: %s', (rule, detail) => {
    expect(refusal(requested(detail))).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining(`Session Requested: ${rule}`),
    });
  });
});

describe('a Session Released event', () => {
  it('a release of a lease closes that lease', () => {
    expect(parseEvent(released({ leaseId: 'job-1' }))).toEqual({ eventId: EVENT_ID, kind: 'close', leaseId: 'job-1' });
  });

  it('a release of an owner ends the owner', () => {
    expect(parseEvent(released({ owner: 'job' }))).toEqual({ eventId: EVENT_ID, kind: 'end', owner: 'job' });
  });

  it.each([
    ['must have either leaseId or owner', {}],
    ['must have either leaseId or owner', { leaseId: 'job-1', owner: 'job' }],
    ['leaseId must be 1 to 512', { leaseId: 7 }],
    ['owner must be 1 to 512', { owner: 'a b' }],
    ['has an unknown field: force', { leaseId: 'job-1', force: true }],
    ['must be a JSON object', null],
  ])('a release that breaks a rule is refused: %s', (rule, detail) => {
    expect(refusal(released(detail)).message).toContain(`Session Released: ${rule}`);
  });
});

describe('an event of Step Functions', () => {
  it.each(EXECUTION_ENDS)('an execution that %s ends its owner', (status) => {
    expect(parseEvent(execution(status))).toEqual({ eventId: EVENT_ID, kind: 'end', owner: EXECUTION });
  });

  it('an execution that is running asks for nothing', () => {
    expect(parseEvent(execution('RUNNING'))).toEqual({ eventId: EVENT_ID, kind: 'nothing' });
  });

  it('the status of an execution is only accepted from Step Functions', () => {
    const forged = bodyOf(EXECUTION_DETAIL_TYPE, { executionArn: EXECUTION, status: 'FAILED' });
    expect(refusal(forged).message).toContain('this detail-type is not supported');
  });

  it.each([
    ['arn:aws:states:eu-central-1:123456789012:execution:nightly:Prüfung'],
    ['arn:aws:states:eu-central-1:123456789012:execution:nightly:夜間'],
    ['arn:aws:states:eu-central-1:123456789012:execution:nightly:a b'],
    [`arn:aws:states:eu-central-1:123456789012:execution:nightly:${TOKEN}`],
    ['a'.repeat(513)],
    [''],
    [5],
    [null],
    [undefined],
    [[EXECUTION]],
  ])('an execution that can own no lease is ignored, with a reason that does not quote it: %j', (arn) => {
    const event = parseEvent(execution('FAILED', arn === undefined ? null : arn));
    expect(event).toEqual({
      eventId: EVENT_ID,
      kind: 'nothing',
      why: expect.stringContaining('so the execution owns no lease'),
    });
    expect(JSON.stringify(event)).not.toContain('nightly');
  });

  it.each([undefined, null, 5, '', 'PENDING_REDRIVE', ['FAILED']])(
    'an execution with the status %j has not ended',
    (status) => {
      expect(parseEvent(execution(status))).toEqual({ eventId: EVENT_ID, kind: 'nothing' });
    },
  );

  it.each([undefined, null, 'text', [], {}])('an execution event with the detail %j asks for nothing', (detail) => {
    const body = bodyOf(EXECUTION_DETAIL_TYPE, detail, { source: EXECUTION_SOURCE });
    expect(parseEvent(body)).toMatchObject({ kind: 'nothing' });
  });
});

/** Values for fields that the sender does not choose, or that we do not use. */
const ODD = ['', ' ', 'My App / jobs', 'münchen', 'a'.repeat(2000), TOKEN, 5, true, null, [], {}, undefined];
const IGNORED = ['source', 'version', 'account', 'time', 'region', 'resources', 'replay-name', 'trace-header', 'x'];

describe("another system's envelope", () => {
  const OPEN = { kind: 'open', request: { array: 'fb1', leaseId: 'job-1' } };

  it.each(IGNORED)('may have any %s', (field) => {
    for (const value of ODD) {
      const body = bodyOf(DETAIL_TYPES.requested, { array: 'fb1', leaseId: 'job-1' }, { [field]: value });
      expect(parseEvent(body)).toMatchObject({ eventId: EVENT_ID, ...OPEN });
      const ended = bodyOf(
        EXECUTION_DETAIL_TYPE,
        { executionArn: EXECUTION, status: 'ABORTED', [field]: value },
        { [field]: value, source: EXECUTION_SOURCE },
      );
      expect(parseEvent(ended)).toEqual({ eventId: EVENT_ID, kind: 'end', owner: EXECUTION });
    }
  });

  it('may lack everything that a request does not need', () => {
    const needed = { 'detail-type': DETAIL_TYPES.requested, detail: { array: 'fb1', leaseId: 'job-1' } };
    expect(parseEvent(JSON.stringify(needed))).toMatchObject(OPEN);
    const release = { 'detail-type': DETAIL_TYPES.released, detail: { owner: 'job' } };
    expect(parseEvent(JSON.stringify(release))).toEqual({ kind: 'end', owner: 'job' });
  });

  it('may have any id, which is reported only if it can be logged', () => {
    for (const id of ODD) {
      const detail = { array: 'fb1', leaseId: 'job-1' };
      const event = parseEvent(bodyOf(DETAIL_TYPES.requested, detail, { id }));
      expect(event).toMatchObject(OPEN);
      expect(event).not.toHaveProperty('eventId');
      expect(refusal(bodyOf(DETAIL_TYPES.requested, { array: 'fb1' }, { id })).message).toMatch(/^event: id must /);
    }
  });
});

describe('a message', () => {
  it.each([
    ['id must be 1 to 128', bodyOf(DETAIL_TYPES.requested, { array: 'fb1' }, { id: undefined })],
    ['id must be 1 to 128', bodyOf(DETAIL_TYPES.requested, { array: 'fb1' }, { id: 'e'.repeat(129) })],
    ['detail-type must be a string', '{"array":"fb1"}'],
    ['detail-type must be a string', bodyOf('x', {}, { 'detail-type': null })],
    ['this detail-type is not supported', bodyOf('Session Opened', { array: 'fb1' })],
    ['this detail-type is not supported', bodyOf('Another', {}, { source: EXECUTION_SOURCE })],
    ['must be a JSON object', '[]'],
    ['must be a JSON object', 'null'],
    ['the message must be an EventBridge event in JSON', 'text'],
    ['the message must be an EventBridge event in JSON', ''],
  ])('a message that breaks a rule is refused: %s', (rule, body) => {
    expect(refusal(body)).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining(`event: ${rule}`),
    });
  });

  it('any message is parsed, or refused by a rule that repeats no value', () => {
    const marked = fc.string({ minLength: 3 }).map((text) => `T-${text}-#~`);
    const value = fc.oneof(marked, fc.jsonValue());
    const fields = ['array', 'leaseId', 'leaseSeconds', 'owner', 'executionArn', 'status', 'host', 'T-00-#~'];
    const detail = fc.oneof(
      value,
      fc.record(Object.fromEntries(fields.map((name) => [name, value])), { requiredKeys: [] }),
    );
    const type = fc.oneof(fc.constantFrom(...Object.values(DETAIL_TYPES), EXECUTION_DETAIL_TYPE), marked);
    const envelope = fc.record(
      { id: value, source: fc.oneof(fc.constant(EXECUTION_SOURCE), value) },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      fc.oneof(fc.string(), marked),
      fc.tuple(type, detail, envelope).map((parts) => bodyOf(...parts)),
    );
    fc.assert(
      fc.property(body, (text) => {
        try {
          expect(['open', 'close', 'end', 'nothing']).toContain(parseEvent(text).kind);
        } catch (error) {
          if (!(error instanceof FlashBladeError)) throw error;
          expect(error.code).toBe('REQUEST_INVALID');
          expect(error.message).not.toContain('#~');
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});
