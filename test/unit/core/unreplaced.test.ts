import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unreplaced } from '../../../lib/core/unreplaced.ts';
import { DETAIL_TYPES, EXECUTION_DETAIL_TYPE, EXECUTION_SOURCE, parseEvent } from '../../../lib/leases/events.ts';
import {
  parseCallRequest,
  parseFleetRequest,
  parseLoginRequest,
  parseLogoutRequest,
  parseRenewRequest,
} from '../../../lib/leases/requests.ts';

/** Texts that a tool should have replaced, with words from the message that names the tool or the cause. */
const UNREPLACED: readonly (readonly [text: string, cause: string])[] = [
  ...[
    ...['undefined', 'null', 'NULL', 'Null', 'NaN', 'nan', 'None', 'nil', '<nil>', '(null)', '<null>', '"null"'],
    ...['true', 'True', 'false', 'string', '[object Object]', '[object Promise]', 'job-[object Object]'],
  ].map((text) => [text, 'a missing value'] as const),
  ...[
    '<aws.scheduler.execution-id>',
    'nightly-<aws.scheduler.scheduled-time>',
    '<aws.scheduler.schedule-arn>:<aws.scheduler.scheduled-time>',
  ].map((text) => [text, 'EventBridge Scheduler'] as const),
  ...[
    ...['$', '$$', '$.id', '$$.Execution.Id', '$.detail.jobs[0]', '$[0]', "$['id']", 'job-$$.Execution.Name'],
    ...["States.Format('{}:{}', $$.Execution.Id, 1)", 'States.UUID()', '$states.context.Execution.Id'],
  ].map((text) => [text, 'Step Functions path'] as const),
  ...['{% $states.input.id %}', '{%$uuid()%}'].map((text) => [text, 'JSONata'] as const),
  ...[`\${JOB}`, `job-\${JOB}`, '$JOB', '$1', '$(date)', '$((1+1))', '%JOB%', '#{job}', '@{job}', '%{job}'].map(
    (text) => [text, 'a variable'] as const,
  ),
  ...['{{ job }}', '{{job}}', 'x-{{job.id}}', '<% job %>', '<job>', 'job-<id>', '{job}', '{}', '{0}', '%s', '%d'].map(
    (text) => [text, 'a template'] as const,
  ),
];

/** Real ids that contain the same words or characters. */
const GENUINE = [
  'null-byte-scan-7',
  'undefined-behaviour',
  'NaN-hunt',
  'true-north',
  'nil.7',
  'string-theory',
  'nightly',
  'annulled',
  'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52-1b2c',
  'arn:aws:states:eu-central-1:123456789012:execution:none:null',
  'arn:aws:states:eu-central-1:123456789012:express:x:undefined:0f3e7a52',
  '2026/11/30/[$LATEST]8a7b6c5d4e3f2a1b8a7b6c5d4e3f2a1b',
  '{3f2504e0-4f89-11d3-9a0c-0305e82c3301}',
  '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
  'fb1:5b6f0e1c-8c4a-4d63-9a57-2f6d1c0b9e11',
  'a%20b%E2%82%AC',
  '100%',
  'build#42',
  'user@host:job/7?try=2&x=y',
  'price-5$',
  'a<b',
  'None-1',
  'arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly:2026-11-24T01:00:00Z',
  '0',
];

describe('text that a tool should have replaced', () => {
  it.each(UNREPLACED)('%s is recognized, and the message names the cause: %s', (text, cause) => {
    expect(unreplaced(text)).toContain(cause);
  });

  it.each(GENUINE)('the id %s is not mistaken for it', (id) => {
    expect(unreplaced(id)).toBeUndefined();
    expect(parseLoginRequest({ array: 'fb1', leaseId: id, owner: id }, 'invocation')).toMatchObject({ leaseId: id });
  });

  it('no id of letters, digits and separators is mistaken for it, except whole words', () => {
    const part = fc.oneof(fc.uuid(), fc.constantFrom('null', 'undefined', 'None', 'NaN', 'job', '7', 'true'));
    const id = fc.tuple(fc.array(part, { minLength: 2, maxLength: 4 }), fc.constantFrom(...'-:/._+=~|!,;'));
    fc.assert(fc.property(id, ([parts, separator]) => unreplaced(parts.join(separator)) === undefined));
  });

  it('no text takes more than linear time', () => {
    for (const unit of ['<', '<a', '{', '{a', '$', '$$', '%', 'a.', 'States.A', '[object ']) {
      const started = performance.now();
      unreplaced(unit.repeat(500_000));
      expect(performance.now() - started, unit).toBeLessThan(1000);
    }
  });
});

const EVENT = { version: '0', id: 'e-1', source: 'my.jobs' };
const event = (type: string, detail: object, envelope: object = {}) =>
  parseEvent(JSON.stringify({ ...EVENT, 'detail-type': type, detail, ...envelope }));
const CALL = { method: 'GET', path: '/api/2.4/arrays' };

/** Every field in every input and event that names something. */
const FIELDS: Readonly<Record<string, (text: string) => unknown>> = {
  'login request: array': (array) => parseLoginRequest({ array }, 'invocation'),
  'login request: leaseId': (leaseId) => parseLoginRequest({ array: 'fb1', leaseId }, 'invocation'),
  'login request: owner': (owner) => parseLoginRequest({ array: 'fb1', owner }, 'invocation'),
  'logout request: leaseId': (leaseId) => parseLogoutRequest({ leaseId }),
  'renew request: leaseId': (leaseId) => parseRenewRequest({ leaseId, expiresAt: 1_800_000_000 }),
  'call request: leaseId': (leaseId) => parseCallRequest({ leaseId, ...CALL }),
  'fleet request: arrays.1': (array) => parseFleetRequest({ arrays: ['fb1', array] }),
  'Session Requested: array': (array) => event(DETAIL_TYPES.requested, { array }),
  'Session Requested: leaseId': (leaseId) => event(DETAIL_TYPES.requested, { array: 'fb1', leaseId }),
  'Session Requested: owner': (owner) => event(DETAIL_TYPES.requested, { array: 'fb1', owner }),
  'Session Released: leaseId': (leaseId) => event(DETAIL_TYPES.released, { leaseId }),
  'Session Released: owner': (owner) => event(DETAIL_TYPES.released, { owner }),
  'event: id': (id) => event(DETAIL_TYPES.requested, { array: 'fb1' }, { id }),
};

describe.each(Object.entries(FIELDS))('%s', (field, parse) => {
  it('is refused if the text was not replaced, and the message does not repeat it', () => {
    for (const [text] of UNREPLACED) {
      expect(() => parse(text), text).toThrow(
        expect.objectContaining({ code: 'REQUEST_INVALID', message: `${field} ${unreplaced(text)}` }),
      );
    }
  });
});

it('an execution that is really called "null" still ends its owner', () => {
  const executionArn = 'arn:aws:states:eu-central-1:123456789012:execution:jobs:null';
  const detail = { executionArn, status: 'FAILED' };
  expect(event(EXECUTION_DETAIL_TYPE, detail, { source: EXECUTION_SOURCE })).toMatchObject({ owner: executionArn });
});
