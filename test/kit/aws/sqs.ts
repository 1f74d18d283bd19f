/** A stand-in for Amazon SQS: standard queues that preserve message order. Tests read the messages directly. */
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { operationsRefusing, serviceOf } from './operations.ts';
import { AwsError } from './server.ts';

const MAX_BODY = 1024 * 1024;

export type QueuedMessage = { readonly messageId: string; readonly body: string };

/** Supports SendMessage. */
export function sqsStandIn(accountId: string) {
  const queues = new Map<string, QueuedMessage[]>();
  const pathOf = (name: string): string => `/${accountId}/${name}`;

  function find(path = ''): QueuedMessage[] {
    const queue = queues.get(path);
    if (queue) return queue;
    throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
  }

  const sendMessage = operationsRefusing('InvalidParameterValue')(
    z.strictObject({ QueueUrl: z.string(), MessageBody: z.string().min(1).max(MAX_BODY) }),
    ({ QueueUrl, MessageBody: body }) => {
      const messageId = randomUUID();
      find(URL.parse(QueueUrl)?.pathname).push({ messageId, body });
      // The SDK compares this with its own hash.
      return { MessageId: messageId, MD5OfMessageBody: createHash('md5').update(body).digest('hex') };
    },
  );

  return {
    definition: serviceOf({ service: 'sqs', target: 'AmazonSQS' }, { SendMessage: sendMessage }),
    /** Creates an empty queue. Returns the path in the queue's URL. */
    createQueue(name: string): string {
      queues.set(pathOf(name), []);
      return pathOf(name);
    },
    /** Returns a queue's messages, oldest first. */
    queue: (name: string): { readonly messages: readonly QueuedMessage[] } => ({ messages: [...find(pathOf(name))] }),
  };
}
