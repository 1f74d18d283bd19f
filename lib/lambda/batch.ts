/** Processes batches of SQS messages. SQS redelivers only the messages that failed. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { AWS_CLIENT_OPTIONS } from '../aws/client.ts';
import { createOutbox } from '../aws/outbox.ts';
import { readOutboxConfig } from '../core/config.ts';
import { FlashBladeError } from '../core/errors.ts';
import { isObject } from '../core/validation.ts';
import type { Message } from '../leases/dispatch.ts';
import type { Outbox } from '../leases/ports.ts';
import { invoke } from './invocation.ts';

/** Processes all messages in a batch concurrently. Returns the failed messages instead of throwing, even if all of them failed. */
export const processBatch = (
  event: unknown,
  context: Context,
  work: (message: Message, deadline: number) => Promise<void>,
): Promise<SQSBatchResponse> =>
  invoke(
    context,
    () => checkBatch(event),
    (batch, deadline) => {
      const processor = new BatchProcessor(EventType.SQS);
      const handle = (record: SQSRecord): Promise<void> => work(messageOf(record), deadline);
      return processPartialResponse(batch, handle, processor, { context, throwOnFullBatchFailure: false });
    },
  );

/** Reads the attributes defensively, because `checkBatch` does not check them. */
function messageOf({ messageId, body, attributes }: Omit<SQSRecord, 'attributes'> & Partial<SQSRecord>): Message {
  const sentAt = Number(attributes?.SentTimestamp);
  return { messageId, body, ...(sentAt > 0 ? { sentAt } : {}) };
}

/** Throws REQUEST_INVALID for anything but a batch from SQS, such as a bare event or the list that EventBridge Pipes sends. */
function checkBatch(event: unknown): SQSEvent {
  const records = isObject(event) ? event['Records'] : undefined;
  if (Array.isArray(records) && records.every(isRecord)) return event as unknown as SQSEvent;
  throw new FlashBladeError(
    'REQUEST_INVALID',
    'session-events: the input must be a batch of SQS messages, each with a messageId and a body, in Records. Send events to the ' +
      "stack's event bus instead of invoking the function",
  );
}

const isRecord = (record: unknown): boolean =>
  isObject(record) && typeof record['messageId'] === 'string' && typeof record['body'] === 'string';

/** Creates the function's outbox. Call this once, at cold start. Throws CONFIG_INVALID. */
export function functionOutbox(): { readonly outbox: Outbox; readonly maxAgeSeconds: number } {
  const { EVENT_BUS, DEAD_LETTER_QUEUE, MAX_REQUEST_AGE_SECONDS: maxAgeSeconds } = readOutboxConfig(process.env);
  const clients = {
    eventBridge: new EventBridgeClient(AWS_CLIENT_OPTIONS),
    // Otherwise, the SDK calls the host in the queue's URL, and ignores AWS_USE_FIPS_ENDPOINT and AWS_ENDPOINT_URL_SQS.
    sqs: new SQSClient({ ...AWS_CLIENT_OPTIONS, useQueueUrlAsEndpoint: false }),
  };
  return { outbox: createOutbox(clients, { bus: EVENT_BUS, deadLetterQueue: DEAD_LETTER_QUEUE }), maxAgeSeconds };
}
