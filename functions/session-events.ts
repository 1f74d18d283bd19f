/** Sessions that events ask for and release: batches of an SQS queue that EventBridge fills. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { functionOutbox, processBatch } from '../lib/lambda/batch.ts';
import { connect, functionEdges } from '../lib/lambda/invocation.ts';
import { handleMessage } from '../lib/story/session-events.ts';

const edges = functionEdges();
await connect(edges);
const outbox = functionOutbox();

/** Answers exactly the messages that must come again. */
export const handler = (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
  processBatch(event, context, (message, deadline) => handleMessage(edges, outbox, message, deadline));
