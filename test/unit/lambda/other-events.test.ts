/** What people and other services send to a function by mistake. It is refused with the field and the fix, never reported as a bug. */
import { describe, expect, it } from 'vitest';
import { processBatch } from '../../../lib/lambda/batch.ts';
import {
  parseCallRequest,
  parseFleetRequest,
  parseLoginRequest,
  parseLogoutRequest,
  parseRenewRequest,
} from '../../../lib/leases/requests.ts';
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import { contextOf } from '../../kit/lambda/context.ts';
import { written } from '../../kit/lambda/written.ts';

const MARK = 'Zq9';
const EVENT = {
  version: '0',
  id: '5b6f0e1c',
  'detail-type': 'Session Requested',
  source: 'my.jobs',
  detail: { array: 'fb1', leaseId: MARK },
};
const RECORD = sqsEventOf([{ messageId: 'm-1', body: JSON.stringify(EVENT) }]).Records[0] as object;

/** Events by name, with words from the message of a function that takes requests. */
const OTHERS: Readonly<Record<string, readonly [event: unknown, words: string]>> = {
  "the console's sample event": [{ key1: MARK, key2: 'value2', key3: 'value3' }, "the Lambda console's sample event"],
  'an EventBridge event': [EVENT, 'an EventBridge event'],
  'a scheduled EventBridge event': [{ ...EVENT, 'detail-type': 'Scheduled Event', detail: {} }, 'constant input'],
  'a batch from SQS': [{ Records: [RECORD] }, 'a batch of messages'],
  'a batch from SNS or S3': [{ Records: [{ EventSource: 'aws:sns', Sns: {} }] }, 'a batch of messages'],
  'a request to a function URL': [{ version: '2.0', requestContext: {}, body: '{}' }, 'an HTTP request'],
  'a list from EventBridge Pipes': [[RECORD], 'not a list'],
  'a list of bodies': [[EVENT], 'not a list'],
  'an empty list': [[], 'not a list'],
  'JSON in a string': [JSON.stringify({ array: 'fb1', leaseId: MARK }), 'is a string that contains one'],
  'a string': [MARK, 'must be a JSON object'],
  'an empty string': ['', 'must be a JSON object'],
  'a number': [5, 'must be a JSON object'],
  'a boolean': [true, 'must be a JSON object'],
  null: [null, 'must be a JSON object'],
  undefined: [undefined, 'must be a JSON object'],
  'a field with a prototype as its name': [JSON.parse('{"__proto__":{"array":"fb1"}}'), 'has an unknown field'],
};

const PARSERS: Readonly<Record<string, (event: unknown) => unknown>> = {
  login: (event) => parseLoginRequest(event, 'invocation'),
  logout: parseLogoutRequest,
  renew: parseRenewRequest,
  'call-array': parseCallRequest,
  'check-fleet': parseFleetRequest,
};

describe.each(Object.entries(PARSERS))('%s', (_, parse) => {
  it.each(Object.entries(OTHERS))('refuses %s and says what it is', (_name, [event, words]) => {
    expect(() => parse(event)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(words) }),
    );
    expect(() => parse(event)).not.toThrow(MARK);
  });
});

describe('session-events', () => {
  const call = (event: unknown) => processBatch(event, contextOf('invocation-1'), async () => {});

  it.each([
    ...Object.entries(OTHERS).filter(([name]) => name !== 'a batch from SQS'),
    ['a batch without a list', [{ Records: RECORD }, '']],
    ['a batch with a record that is no message', [{ Records: [RECORD, null] }, '']],
    ['a batch with a body that is no text', [{ Records: [{ messageId: 'm-1', body: EVENT }] }, '']],
    ['a batch with a message without an id', [{ Records: [{ body: '{}' }] }, '']],
    ['an empty object', [{}, '']],
  ] as const)('refuses %s and names what it takes, and reports it once', async (_, [event]) => {
    const { lines } = written();
    const error = await call(event).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringMatching(
        /a batch of SQS messages, each with a messageId and a body.* Send events to the stack's event bus/,
      ),
    });
    expect(lines()).toMatchObject([{ event: 'InvocationFailed', code: 'REQUEST_INVALID' }]);
    expect(JSON.stringify(lines())).not.toContain(MARK);
  });

  it('takes a batch from SQS, even an empty one', async () => {
    expect(await call({ Records: [RECORD] })).toEqual({ batchItemFailures: [] });
    expect(await call({ Records: [] })).toEqual({ batchItemFailures: [] });
  });
});
