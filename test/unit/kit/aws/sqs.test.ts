import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';

async function withQueue() {
  let seconds = 1_800_000_000;
  const { aws, sqs } = await awsWithClients({ now: () => seconds });
  const QueueUrl = aws.sqs.createQueue('dead-letters');
  return {
    aws,
    QueueUrl,
    send: (MessageBody: string, url = QueueUrl) => sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody })),
    receive: async (count = 1) =>
      (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: count }))).Messages ?? [],
    remove: (ReceiptHandle = '') => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })),
    pass: (more: number) => {
      seconds += more;
    },
  };
}

describe('a queue', () => {
  test('has a URL with account and name, and keeps messages in order', async () => {
    const { aws, QueueUrl, send } = await withQueue();
    expect(new URL(QueueUrl).pathname).toBe('/123456789012/dead-letters');
    const { MessageId: messageId } = await send('first');
    await send('second, with “more” than ASCII');
    expect(aws.sqs.queue('dead-letters').messages).toEqual([
      { messageId, body: 'first' },
      { messageId: expect.any(String), body: 'second, with “more” than ASCII' },
    ]);
  });

  test('delivers a message to one receiver at a time, and again if it is not deleted within 30 seconds', async () => {
    const { receive, send, pass } = await withQueue();
    await send('first');
    await send('second');
    expect((await receive(10)).map(({ Body }) => Body)).toEqual(['first', 'second']);
    expect(await receive()).toEqual([]);
    pass(30);
    expect((await receive()).map(({ Body }) => Body)).toEqual(['first']);
  });

  test('deletes a message for its current receiver, but not for an earlier one', async () => {
    const { aws, receive, remove, send, pass } = await withQueue();
    await send('text');
    const [first] = await receive();
    pass(30);
    const [again] = await receive();
    expect(again?.MessageId).toBe(first?.MessageId);
    await remove(first?.ReceiptHandle);
    expect(aws.sqs.queue('dead-letters').messages).toHaveLength(1);
    await remove(again?.ReceiptHandle);
    expect(aws.sqs.queue('dead-letters').messages).toEqual([]);
  });

  test('is refused if it does not exist, and so is a message without text', async () => {
    const { aws, QueueUrl, send } = await withQueue();
    await expect(send('text', `${QueueUrl}-2`)).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    await expect(send('')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    expect(() => aws.sqs.queue('other')).toThrow('does not exist');
  });

  test('is named in the log, unlike its messages, and a fault can affect it alone', async () => {
    const { aws, QueueUrl, send } = await withQueue();
    const other = aws.sqs.createQueue('other');
    aws.faults.add({ service: 'sqs', resource: QueueUrl, kind: 'deny' });
    await expect(send('very secret')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await send('very secret', other);
    expect(aws.calls.map(({ service, resource, status }) => [service, resource, status])).toEqual([
      ['sqs', QueueUrl, 400],
      ['sqs', other, 200],
    ]);
    expect(JSON.stringify(aws.calls)).not.toContain('very secret');
  });
});
