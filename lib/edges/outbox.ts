/** What we tell others: events on a bus of EventBridge, and messages that nobody can use in a dead-letter queue of SQS. */
import { type EventBridgeClient, PutEventsCommand, type PutEventsCommandOutput } from '@aws-sdk/client-eventbridge';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { callAws } from '../ground/aws.ts';
import { DETAIL_TYPES, type OutgoingEvent, SOURCE } from '../ground/event-words.ts';

/** Why a message was given up, and whose it was. Never what was in it. */
export type DeadLetter = {
  readonly code: string;
  readonly reason: string;
  readonly messageId: string;
  readonly eventId?: string;
  readonly leaseId?: string;
};

/** `by` is the end of the call (epoch, ms). Both throw AWS_UNAVAILABLE or OUT_OF_TIME. */
export type Outbox = {
  emit(event: OutgoingEvent, by: number): Promise<void>;
  deadLetter(letter: DeadLetter, by: number): Promise<void>;
};

export function outboxOf(
  clients: { readonly eventBridge: EventBridgeClient; readonly sqs: SQSClient },
  names: { readonly bus: string; readonly deadLetterQueue: string },
): Outbox {
  async function emit({ type, detail }: OutgoingEvent, by: number): Promise<void> {
    const entry = {
      EventBusName: names.bus,
      Source: SOURCE,
      DetailType: DETAIL_TYPES[type],
      Detail: JSON.stringify(detail),
    };
    const command = new PutEventsCommand({ Entries: [entry] });
    const what = `send the event ${DETAIL_TYPES[type]}`;
    await callAws(async (options) => taken(await clients.eventBridge.send(command, options)), { what, by });
  }

  async function deadLetter(letter: DeadLetter, by: number): Promise<void> {
    const command = new SendMessageCommand({ QueueUrl: names.deadLetterQueue, MessageBody: JSON.stringify(letter) });
    await callAws((options) => clients.sqs.send(command, options), { what: 'write to the dead-letter queue', by });
  }

  return { emit, deadLetter };
}

/** PutEvents answers 200 also when it took nothing. */
function taken({ FailedEntryCount, Entries, $metadata }: PutEventsCommandOutput): void {
  if (FailedEntryCount)
    throw Object.assign(new Error(), { name: Entries?.[0]?.ErrorCode ?? 'InternalFailure', $metadata });
}
