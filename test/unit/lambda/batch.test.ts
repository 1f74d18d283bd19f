import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { functionOutbox, processBatch } from '../../../lib/lambda/batch.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import { contextOf } from '../../kit/lambda/context.ts';
import { written } from '../../kit/lambda/written.ts';

describe('a batch', () => {
  const event = sqsEventOf(['a', 'b', 'c'].map((name) => ({ messageId: `message-${name}`, body: name })));

  it('passes each message and the deadline of the function to the work', async () => {
    const worked: unknown[] = [];
    const before = Date.now();
    const result = await processBatch(event, contextOf('invocation-1', 8000), async (message, deadline) => {
      worked.push(message);
      expect(deadline).toBeGreaterThanOrEqual(before + 8000);
    });
    expect(worked).toEqual(['a', 'b', 'c'].map((name) => ({ messageId: `message-${name}`, body: name })));
    expect(result).toEqual({ batchItemFailures: [] });
  });

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
    const outbox = functionOutbox();
    const by = Date.now() + 60_000;
    await outbox.emit({ type: 'closed', detail: { leaseId: 'job-1', array: 'fb1' } }, by);
    await outbox.deadLetter({ code: 'REQUEST_INVALID', reason: 'why', messageId: 'message-1' }, by);
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
