import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { outboxOf } from '../../lib/edges/outbox.ts';
import type { OutgoingEvent } from '../../lib/ground/event-words.ts';
import { awsWithClients } from '../aws/clients.ts';
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
  const outbox = outboxOf({ eventBridge, sqs }, { bus, deadLetterQueue });
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

describe('an event', () => {
  it.each([
    ['Session Opened', OPENED],
    ['Session Closed', { type: 'closed', detail: { leaseId: 'job-1', array: 'fb1' } }],
    ['Session Failed', { type: 'failed', detail: { eventId: 'e-1', code: 'LOGIN_REFUSED', reason: 'refused' } }],
  ] as const)('%s arrives on the bus, as this product, with all that it tells', async (detailType, event) => {
    const { aws, outbox } = await withOutbox();
    await outbox.emit(event, soon());
    expect(aws.events.sent).toMatchObject([{ bus: 'sessions', source: 'flashblade-sessions', detailType }]);
    expect(aws.events.sent[0]?.detail).toEqual(event.detail);
  });

  it.each(FAULTS)('that EventBridge does not take (%s) is AWS_UNAVAILABLE, and says which', async (kind, details) => {
    const { aws, outbox } = await withOutbox();
    aws.faults.add({ service: 'events', kind, ...details } as never);
    await expect(outbox.emit(OPENED, soon())).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('could not send the event Session Opened'),
    });
  });

  it('that EventBridge refuses in an answer that says 200 was not sent, and the reason is named', async () => {
    const { aws, outbox } = await withOutbox();
    aws.events.refuseEntries(1, 'ThrottlingException');
    await expect(outbox.emit(OPENED, soon())).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: expect.stringContaining(
        'could not send the event Session Opened: AWS answered ThrottlingException (200)',
      ),
    });
    await outbox.emit(OPENED, soon());
    expect(aws.events.sent).toHaveLength(1);
  });

  it('is sent again by the SDK if EventBridge throttles once', async () => {
    const { aws, outbox } = await withOutbox({ maxAttempts: 3 });
    aws.faults.add({ service: 'events', kind: 'throttle', times: 1 });
    await outbox.emit(OPENED, soon());
    expect(aws.events.sent).toHaveLength(1);
  });
});

it('an event that was not taken, nobody says why, was not sent', async () => {
  for (const entries of [{ Entries: [{}] }, { Entries: [] }, {}]) {
    const answer = { FailedEntryCount: 1, ...entries, $metadata: { httpStatusCode: 200 } };
    const eventBridge = { send: async () => answer } as unknown as EventBridgeClient;
    const outbox = outboxOf({ eventBridge, sqs: new SQSClient() }, { bus: 'sessions', deadLetterQueue: 'none' });
    await expect(outbox.emit(OPENED, soon())).rejects.toThrow('AWS answered InternalFailure (200)');
  }
});

describe('a dead letter', () => {
  it('tells why a message was given up and whose it was', async () => {
    const { outbox, letters } = await withOutbox();
    await outbox.deadLetter(LETTER, soon());
    expect(letters().map(({ body }) => JSON.parse(body))).toEqual([LETTER]);
  });

  it.each(FAULTS)('that SQS does not take (%s) is AWS_UNAVAILABLE', async (kind, details) => {
    const { aws, outbox } = await withOutbox();
    aws.faults.add({ service: 'sqs', kind, ...details } as never);
    await expect(outbox.deadLetter(LETTER, soon())).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: expect.stringContaining('could not write to the dead-letter queue'),
    });
  });

  it('for a queue that does not exist is AWS_UNAVAILABLE and names what AWS said', async () => {
    const { eventBridge, sqs, aws } = await awsWithClients();
    const queue = `${aws.env.AWS_ENDPOINT_URL_SQS}/123456789012/nowhere`;
    const outbox = outboxOf({ eventBridge, sqs }, { bus: 'default', deadLetterQueue: queue });
    await expect(outbox.deadLetter(LETTER, soon())).rejects.toThrow('AWS answered QueueDoesNotExist (400)');
  });
});

it.each(['events', 'sqs'] as const)(
  'an answer of %s that never comes is waited for no longer than was said',
  async (service) => {
    const { aws, outbox } = await withOutbox();
    const tell = (by: number) => (service === 'events' ? outbox.emit(OPENED, by) : outbox.deadLetter(LETTER, by));
    aws.faults.add({ service, kind: 'hang' });
    noPatience();
    await expect(tell(Date.now() + 100)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    await expect(tell(Date.now() - 1)).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
    // On a slow machine the first one may not have got that far.
    expect(aws.calls.length).toBeLessThanOrEqual(1);
  },
);
