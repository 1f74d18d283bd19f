import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { functionOutbox, processBatch } from '../../../lib/lambda/batch.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import { contextOf } from '../../kit/lambda/context.ts';
import { written } from '../../kit/lambda/written.ts';

describe('a batch', () => {
  const names = ['a', 'b', 'c'];
  const sentAt = 1_795_500_000_123;
  const event = sqsEventOf(
    names.map((name) => ({ messageId: `message-${name}`, body: name })),
    sentAt,
  );

  it('passes each message, its time of sending and the deadline of the function to the work', async () => {
    const worked: unknown[] = [];
    const before = Date.now();
    const result = await processBatch(event, contextOf('invocation-1', 8000), async (message, deadline) => {
      worked.push(message);
      expect(deadline).toBeGreaterThanOrEqual(before + 8000);
    });
    expect(worked).toEqual(names.map((name) => ({ messageId: `message-${name}`, body: name, sentAt })));
    expect(result).toEqual({ batchItemFailures: [] });
  });

  it.each([undefined, {}, { SentTimestamp: '' }, { SentTimestamp: 'yesterday' }, { SentTimestamp: '-1' }])(
    'a message with the attributes %j has no time of sending',
    async (attributes) => {
      const worked: unknown[] = [];
      const record = { messageId: 'message-a', body: 'a', attributes };
      await processBatch(
        { Records: [record] },
        contextOf('invocation-3'),
        async (message) => void worked.push(message),
      );
      expect(worked).toEqual([{ messageId: 'message-a', body: 'a' }]);
    },
  );

  it('returns the messages that failed, even if all of them did', async () => {
    written();
    const failing = (names: string) => async (message: { body: string }) => {
      if (names.includes(message.body)) throw new Error('as the test wants it');
    };
    const failed = async (names: string) => {
      const { batchItemFailures } = await processBatch(event, contextOf('invocation-2'), failing(names));
      return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    };
    expect(await failed('b')).toEqual(['message-b']);
    expect(await failed('abc')).toEqual(['message-a', 'message-b', 'message-c']);
  });
});

describe('the outbox of a function', () => {
  it('sends to the event bus and the queue from its environment', async () => {
    const { aws } = await awsWithClients();
    vi.stubEnv('EVENT_BUS', aws.events.createBus('sessions'));
    vi.stubEnv('DEAD_LETTER_QUEUE', aws.sqs.createQueue('dead-letters'));
    const { outbox, maxAgeSeconds } = functionOutbox();
    const by = Date.now() + 60_000;
    await outbox.emit({ type: 'closed', detail: { leaseId: 'job-1', array: 'fb1' } }, by);
    await outbox.deadLetter({ code: 'REQUEST_INVALID', reason: 'why', messageId: 'message-1' }, by);
    expect(maxAgeSeconds).toBe(3600);
    expect(aws.events.sent).toMatchObject([{ bus: 'sessions', detailType: 'Session Closed' }]);
    expect(aws.sqs.queue('dead-letters').messages).toHaveLength(1);
  });

  it('is refused with CONFIG_INVALID if the environment names only one of them', () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('EVENT_BUS', '');
    vi.stubEnv('DEAD_LETTER_QUEUE', 'https://sqs.example.com/1/q');
    expect(functionOutbox).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
