/**
 * Opens and closes sessions in response to events. EventBridge sends the events to an SQS queue, which invokes this function in batches.
 */
import type { Context, SQSBatchResponse } from 'aws-lambda';
import { functionOutbox, processBatch } from '../lib/lambda/batch.ts';
import { connect, functionPorts } from '../lib/lambda/invocation.ts';
import { dispatch } from '../lib/leases/dispatch.ts';

const ports = functionPorts();
await connect(ports);
const { outbox, maxAgeSeconds } = functionOutbox();

/** Returns the messages that failed. SQS redelivers only those messages. */
export const handler = (event: unknown, context: Context): Promise<SQSBatchResponse> =>
  processBatch(event, context, (message, deadline) => dispatch(ports, outbox, message, maxAgeSeconds, deadline));
