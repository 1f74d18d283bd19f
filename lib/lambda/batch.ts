/** Processes batches of SQS messages. SQS redelivers only the messages that failed. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { AWS_CLIENT_OPTIONS } from '../aws/client.ts';
import { createOutbox } from '../aws/outbox.ts';
import { readOutboxConfig } from '../core/config.ts';
import type { Message } from '../leases/dispatch.ts';
import type { Outbox } from '../leases/ports.ts';
import { invoke } from './invocation.ts';

/** Processes all messages in a batch concurrently. Returns the failed messages instead of throwing, even if all of them failed. */
export const processBatch = (
  event: SQSEvent,
  context: Context,
  work: (message: Message, deadline: number) => Promise<void>,
): Promise<SQSBatchResponse> =>
  invoke(
    context,
    () => ({}),
    (_request, deadline) => {
      const processor = new BatchProcessor(EventType.SQS);
      const handle = ({ messageId, body }: SQSRecord): Promise<void> => work({ messageId, body }, deadline);
      return processPartialResponse(event, handle, processor, { context, throwOnFullBatchFailure: false });
    },
  );

/** Creates the function's outbox. Call this once, at cold start. Throws CONFIG_INVALID. */
export function functionOutbox(): Outbox {
  const { EVENT_BUS, DEAD_LETTER_QUEUE } = readOutboxConfig(process.env);
  const clients = { eventBridge: new EventBridgeClient(AWS_CLIENT_OPTIONS), sqs: new SQSClient(AWS_CLIENT_OPTIONS) };
  return createOutbox(clients, { bus: EVENT_BUS, deadLetterQueue: DEAD_LETTER_QUEUE });
}
