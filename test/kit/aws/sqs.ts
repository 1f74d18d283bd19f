/** A stand-in for Amazon SQS: standard queues that preserve message order. Messages never move to a dead-letter queue. */
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { operationsRefusing, serviceOf } from './operations.ts';

const MAX_BODY = 1024 * 1024;
const VISIBILITY_SECONDS = 30;

export type QueuedMessage = { readonly messageId: string; readonly body: string };
/** `visibleAt` is in seconds since the epoch. Until then, no other receiver gets the message. */
type Stored = QueuedMessage & { visibleAt: number; receiptHandle?: string };
type Queue = { messages: Stored[] };

export type Sqs = ReturnType<typeof sqsStandIn>;

const operation = operationsRefusing('InvalidParameterValue');
const QueueUrl = z.string().min(1);

/** Supports SendMessage, ReceiveMessage (which never waits) and DeleteMessage. `now` is in seconds since the epoch. */
export function sqsStandIn({ accountId, now }: { accountId: string; now: () => number }) {
  const queues = new Map<string, Queue>();
  const pathOf = (name: string): string => `/${accountId}/${name}`;

  function find(url: string): Queue {
    const queue = queues.get(URL.parse(url)?.pathname ?? '');
    if (queue) return queue;
    throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
  }

  const operations = {
    SendMessage: operation(
      z.strictObject({ QueueUrl, MessageBody: z.string().min(1).max(MAX_BODY) }),
      ({ QueueUrl, MessageBody: body }) => {
        const messageId = randomUUID();
        find(QueueUrl).messages.push({ messageId, body, visibleAt: 0 });
        return { MessageId: messageId, MD5OfMessageBody: md5(body) };
      },
    ),

    ReceiveMessage: operation(
      z.strictObject({
        QueueUrl,
        MaxNumberOfMessages: z.int().min(1).max(10).default(1),
        VisibilityTimeout: z.int().min(0).max(43_200).default(VISIBILITY_SECONDS),
        WaitTimeSeconds: z.int().min(0).max(20).optional(),
      }),
      ({ QueueUrl, MaxNumberOfMessages, VisibilityTimeout }) => {
        const visible = find(QueueUrl).messages.filter(({ visibleAt }) => visibleAt <= now());
        const received = visible.slice(0, MaxNumberOfMessages).map((message) => {
          message.visibleAt = now() + VisibilityTimeout;
          message.receiptHandle = randomUUID();
          const { messageId: MessageId, body: Body, receiptHandle: ReceiptHandle } = message;
          return { MessageId, ReceiptHandle, Body, MD5OfBody: md5(Body) };
        });
        return { Messages: received };
      },
    ),

    DeleteMessage: operation(z.strictObject({ QueueUrl, ReceiptHandle: z.string().min(1) }), (input) => {
      const queue = find(input.QueueUrl);
      // As in AWS, an old handle for a message that was received again deletes nothing and causes no error.
      queue.messages = queue.messages.filter(({ receiptHandle }) => receiptHandle !== input.ReceiptHandle);
      return {};
    }),
  };

  return {
    definition: serviceOf({ service: 'sqs', target: 'AmazonSQS' }, operations),
    /** Creates an empty queue. Returns the path in the queue's URL. */
    createQueue(name: string): string {
      queues.set(pathOf(name), { messages: [] });
      return pathOf(name);
    },
    /** Returns a queue's messages, oldest first, received or not. */
    queue: (name: string): { readonly messages: readonly QueuedMessage[] } => ({
      messages: find(`http://queue${pathOf(name)}`).messages.map(({ messageId, body }) => ({ messageId, body })),
    }),
  };
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
