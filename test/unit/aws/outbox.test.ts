import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createOutbox } from '../../../lib/aws/outbox.ts';
import type { OutgoingEvent } from '../../../lib/leases/events.ts';
import { ROOT } from '../../../scripts/build.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { noPatience, patience } from './patience.ts';

const soon = (): number => Date.now() + 60_000;
patience();
const OPENED: OutgoingEvent = {
  type: 'opened',
  detail: { leaseId: 'job-1', array: 'fb1', username: 'pureuser', expiresAt: 1_800_000_900, owner: 'job' },
};
const LETTER = {
  code: 'LOGIN_REFUSED',
  reason: 'array fb1 refused',
  messageId: 'm-1',
  eventId: 'e-1',
  leaseId: 'job-1',
};

async function withOutbox(options: { maxAttempts?: number } = {}) {
  const { aws, eventBridge, sqs } = await awsWithClients(options);
  const [bus, deadLetterQueue] = [aws.events.createBus('sessions'), aws.sqs.createQueue('dead-letters')];
  const outbox = createOutbox({ eventBridge, sqs }, { bus, deadLetterQueue });
  const letters = () => aws.sqs.queue('dead-letters').messages;
  return { aws, outbox, letters };
}

const FAULTS = [
  ['throttle', {}],
  ['deny', {}],
  ['reset', {}],
  ['garbage', {}],
  ['lost answer', {}],
  ['error', { name: 'InternalException', status: 500 }],
] as const;

describe('emit', () => {
  it.each([
    ['Session Opened', OPENED],
    ['Session Closed', { type: 'closed', detail: { leaseId: 'job-1', array: 'fb1' } }],
    ['Session Failed', { type: 'failed', detail: { eventId: 'e-1', code: 'LOGIN_REFUSED', reason: 'refused' } }],
  ] as const)('sends %s to the bus with the source of this product and its whole detail', async (detailType, event) => {
    const { aws, outbox } = await withOutbox();
    await outbox.emit(event, soon());
    expect(aws.events.sent).toMatchObject([{ bus: 'sessions', source: 'flashblade-sessions', detailType }]);
    expect(aws.events.sent[0]?.detail).toEqual(event.detail);
  });

  it.each(FAULTS)('throws AWS_UNAVAILABLE and names the event if EventBridge fails (%s)', async (kind, details) => {
    const { aws, outbox } = await withOutbox();
    aws.faults.add({ service: 'events', kind, ...details } as never);
    await expect(outbox.emit(OPENED, soon())).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('could not send the event Session Opened'),
    });
  });

  it('fails and names the reason if EventBridge refuses the event in a response with status 200', async () => {
    const { aws, outbox } = await withOutbox();
    aws.events.refuseEntries(1, 'ThrottlingException');
    await expect(outbox.emit(OPENED, soon())).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: expect.stringContaining(
        'could not send the event Session Opened: AWS returned ThrottlingException (200)',
      ),
    });
    await outbox.emit(OPENED, soon());
    expect(aws.events.sent).toHaveLength(1);
  });

  it('sends the event once more if EventBridge throttles it once', async () => {
    const { aws, outbox } = await withOutbox({ maxAttempts: 3 });
    aws.faults.add({ service: 'events', kind: 'throttle', times: 1 });
    await outbox.emit(OPENED, soon());
    expect(aws.events.sent).toHaveLength(1);
  });
});

it('emit fails if EventBridge refuses an event without a reason', async () => {
  for (const entries of [{ Entries: [{}] }, { Entries: [] }, {}]) {
    const output = { FailedEntryCount: 1, ...entries, $metadata: { httpStatusCode: 200 } };
    const eventBridge = { send: async () => output } as unknown as EventBridgeClient;
    const outbox = createOutbox({ eventBridge, sqs: new SQSClient() }, { bus: 'sessions', deadLetterQueue: 'none' });
    await expect(outbox.emit(OPENED, soon())).rejects.toThrow('AWS returned InternalFailure (200)');
  }
});

describe('deadLetter', () => {
  it('sends why a message was given up and what it was about', async () => {
    const { outbox, letters } = await withOutbox();
    await outbox.deadLetter(LETTER, soon());
    expect(letters().map(({ body }) => JSON.parse(body))).toEqual([LETTER]);
  });

  it.each(FAULTS)('throws AWS_UNAVAILABLE if SQS fails (%s)', async (kind, details) => {
    const { aws, outbox } = await withOutbox();
    aws.faults.add({ service: 'sqs', kind, ...details } as never);
    await expect(outbox.deadLetter(LETTER, soon())).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: expect.stringContaining('could not write to the dead-letter queue'),
    });
  });

  it('names the AWS error if the queue does not exist', async () => {
    const { eventBridge, sqs, aws } = await awsWithClients();
    const queue = `${aws.env.AWS_ENDPOINT_URL_SQS}/123456789012/nowhere`;
    const outbox = createOutbox({ eventBridge, sqs }, { bus: 'default', deadLetterQueue: queue });
    await expect(outbox.deadLetter(LETTER, soon())).rejects.toThrow('AWS returned QueueDoesNotExist (400)');
  });
});

it.each(['events', 'sqs'] as const)('the outbox waits for %s no longer than its caller allows', async (service) => {
  const { aws, outbox } = await withOutbox();
  const send = (by: number) => (service === 'events' ? outbox.emit(OPENED, by) : outbox.deadLetter(LETTER, by));
  aws.faults.add({ service, kind: 'hang' });
  noPatience();
  await expect(send(Date.now() + 100)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  await expect(send(Date.now() - 1)).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
  // On a slow machine, even the first call may time out before it is sent.
  expect(aws.calls.length).toBeLessThanOrEqual(1);
});

describe('the outbox of session-events', () => {
  const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/1/letters';
  const ENV = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'x' };

  it.for([
    [{}, 'sqs.eu-west-1.amazonaws.com'],
    [{ AWS_USE_FIPS_ENDPOINT: 'true' }, 'sqs-fips.eu-west-1.amazonaws.com'],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'sqs.eu-west-1.api.aws'],
    [{ AWS_ENDPOINT_URL: 'https://all.example' }, 'all.example'],
    [{ AWS_ENDPOINT_URL: 'https://all.example', AWS_ENDPOINT_URL_SQS: 'https://one.example' }, 'one.example'],
  ] satisfies [Record<string, string>, string][])(
    'with %j sends dead letters to %s, and logs no queue',
    ([said, host]) => {
      const program = `
      const dns = process.getBuiltinModule('node:dns');
      const asked = new Set();
      dns.lookup = (host, options, done) => { asked.add(host); done(new Error('no such host')); };
      const { functionOutbox } = await import(${JSON.stringify(resolve(ROOT, 'lib/lambda/batch.ts'))});
      await functionOutbox().deadLetter({}, Date.now() + 900).catch(() => {});
      console.log([...asked].join());`;
      const env = { ...ENV, EVENT_BUS: 'bus', DEAD_LETTER_QUEUE: QUEUE, ...said };
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        env,
        encoding: 'utf8',
      });
      expect([stdout, stderr]).toEqual([`${host}\n`, '']);
    },
  );
});
