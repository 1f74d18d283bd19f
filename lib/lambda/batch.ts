/** Batches of SQS messages: exactly those that failed come again. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type Outbox, outboxOf } from '../edges/outbox.ts';
import { AWS_CLIENT_OPTIONS } from '../ground/aws.ts';
import { readOutboxConfig } from '../ground/config.ts';
import type { Message } from '../story/session-events.ts';
import { invoke } from './invocation.ts';

/** Where this function tells others. Once per process, at cold start. Throws CONFIG_INVALID. */
export function functionOutbox(): Outbox {
  const { EVENT_BUS, DEAD_LETTER_QUEUE } = readOutboxConfig(process.env);
  const clients = { eventBridge: new EventBridgeClient(AWS_CLIENT_OPTIONS), sqs: new SQSClient(AWS_CLIENT_OPTIONS) };
  return outboxOf(clients, { bus: EVENT_BUS, deadLetterQueue: DEAD_LETTER_QUEUE });
}

/** Works on all messages of a batch at the same time. A batch of which every message failed is answered like any other. */
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
