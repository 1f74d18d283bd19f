/** A batch as Lambda passes it to a function that reads a queue. */
import { createHash } from 'node:crypto';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import type { QueuedMessage } from './sqs.ts';

export const sqsEventOf = (messages: readonly QueuedMessage[]): SQSEvent => ({ Records: messages.map(recordOf) });

const recordOf = ({ messageId, body }: QueuedMessage): SQSRecord => ({
  messageId,
  receiptHandle: `AQEBzbVv8yLgbXBBAXEv${createHash('sha256').update(messageId).digest('base64')}`,
  body,
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: '1795500000123',
    SenderId: 'AIDAIENQZJOLO23YVJ4VO',
    ApproximateFirstReceiveTimestamp: '1795500000131',
  },
  messageAttributes: {},
  md5OfBody: createHash('md5').update(body).digest('hex'),
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:sessions-requests',
  awsRegion: 'eu-central-1',
});
