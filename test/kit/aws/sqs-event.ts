/** A batch as Lambda passes it to a function that reads a queue. */
import { createHash } from 'node:crypto';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import type { QueuedMessage } from './sqs.ts';

/** `sentAt`: when the messages were sent, in epoch milliseconds. */
export const sqsEventOf = (messages: readonly QueuedMessage[], sentAt = Date.now()): SQSEvent => ({
  Records: messages.map((message) => recordOf(message, sentAt)),
});

const recordOf = ({ messageId, body }: QueuedMessage, sentAt: number): SQSRecord => ({
  messageId,
  receiptHandle: `AQEBzbVv8yLgbXBBAXEv${createHash('sha256').update(messageId).digest('base64')}`,
  body,
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: String(sentAt),
    SenderId: 'AIDAIENQZJOLO23YVJ4VO',
    ApproximateFirstReceiveTimestamp: String(sentAt + 8),
  },
  messageAttributes: {},
  md5OfBody: createHash('md5').update(body).digest('hex'),
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:sessions-requests',
  awsRegion: 'eu-central-1',
});
