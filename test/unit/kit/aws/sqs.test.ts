import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';

async function withQueue() {
  const { aws, sqs } = await awsWithClients();
  const QueueUrl = aws.sqs.createQueue('dead-letters');
  const send = (MessageBody: string, url = QueueUrl) =>
    sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
  return { aws, QueueUrl, send };
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
