/** Sends events to an EventBridge bus and dead letters to an SQS queue. */
import { type EventBridgeClient, PutEventsCommand, type PutEventsCommandOutput } from '@aws-sdk/client-eventbridge';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { DETAIL_TYPES, SOURCE } from '../leases/events.ts';
import type { Outbox } from '../leases/ports.ts';
import { callAws } from './client.ts';

export function createOutbox(
  clients: { readonly eventBridge: EventBridgeClient; readonly sqs: SQSClient },
  names: { readonly bus: string; readonly deadLetterQueue: string },
): Outbox {
  const emit: Outbox['emit'] = async ({ type, detail }, by) => {
    const entry = {
      EventBusName: names.bus,
      Source: SOURCE,
      DetailType: DETAIL_TYPES[type],
      Detail: JSON.stringify(detail),
    };
    const command = new PutEventsCommand({ Entries: [entry] });
    const what = `send the event ${DETAIL_TYPES[type]}`;
    await callAws(async (options) => assertTaken(await clients.eventBridge.send(command, options)), {
      what,
      by,
      setting: 'EVENT_BUS',
    });
  };

  const deadLetter: Outbox['deadLetter'] = async (letter, by) => {
    const command = new SendMessageCommand({ QueueUrl: names.deadLetterQueue, MessageBody: JSON.stringify(letter) });
    await callAws((options) => clients.sqs.send(command, options), {
      what: 'write to the queue for failed events',
      by,
      setting: 'DEAD_LETTER_QUEUE',
    });
  };

  return { emit, deadLetter };
}

/** Throws if EventBridge rejected the event, because PutEvents returns 200 even then. `callAws` converts the error to AWS_UNAVAILABLE. */
function assertTaken({ FailedEntryCount, Entries, $metadata }: PutEventsCommandOutput): void {
  if (FailedEntryCount)
    throw Object.assign(new Error(), { name: Entries?.[0]?.ErrorCode ?? 'InternalFailure', $metadata });
}
