/** Exactly the failed messages of a batch are delivered again, for every subset of a batch of ten. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FlashBladeError } from '../../lib/core/errors.ts';
import { processBatch } from '../../lib/lambda/batch.ts';
import type { Message } from '../../lib/leases/dispatch.ts';
import { sqsEventOf } from '../kit/aws/sqs-event.ts';
import { type Deployment, deploy } from '../kit/deploy.ts';
import { contextOf } from '../kit/lambda/context.ts';
import { executionEnded, requested } from '../kit/memory/messages.ts';

const SIZE = 10;
const SUBSETS = 2 ** SIZE;
const contains = (subset: number, n: number): boolean => (subset & (1 << n)) !== 0;
const NUMBERS = Array.from({ length: SIZE }, (_, n) => n);

const CONTEXT = contextOf('invocation-1');

describe('a batch in the process', () => {
  const event = sqsEventOf(NUMBERS.map((n) => ({ messageId: `message-${n}`, body: String(n) })));

  /** Sorted ids of the messages that are delivered again. */
  async function failuresOf(work: (message: Message) => Promise<void>): Promise<string[]> {
    const { batchItemFailures } = await processBatch(event, CONTEXT, work);
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort();
  }

  test(`for each of the ${SUBSETS} subsets, exactly the failed messages are returned as failures`, async () => {
    for (let subset = 0; subset < SUBSETS; subset++) {
      const worked: string[] = [];
      const failures = await failuresOf(async ({ messageId, body }) => {
        worked.push(messageId);
        // Some fail at once, others later.
        if (Number(body) % 3 === 0) await new Promise(setImmediate);
        if (contains(subset, Number(body))) throw new FlashBladeError('ARRAY_BUSY', 'a failure for this test');
      });
      expect(failures).toEqual(NUMBERS.filter((n) => contains(subset, n)).map((n) => `message-${n}`));
      expect(worked).toHaveLength(SIZE);
    }
  });

  test('all messages are handled at the same time, with the deadline of the invocation', async () => {
    const { promise: allStarted, resolve } = Promise.withResolvers<void>();
    const deadlines: number[] = [];
    const earliest = Date.now() + 60_000;
    const { batchItemFailures } = await processBatch(event, CONTEXT, async (_, deadline) => {
      if (deadlines.push(deadline) === SIZE) resolve();
      await allStarted;
    });
    expect(batchItemFailures).toEqual([]);
    expect(Math.min(...deadlines)).toBeGreaterThanOrEqual(earliest);
  });
});

describe('a batch in the packaged function', () => {
  let d: Deployment;

  beforeAll(async () => {
    d = await deploy({ functions: ['session-events'] });
    d.addArray('down', { host: '127.0.0.1:1' });
  });

  afterAll(() => d.stop());

  test.each([0, 0b1, 0b1000000000, 0b0101010101, 0b1101111111, SUBSETS - 1])(
    'exactly the failed messages of subset %i are returned as failures',
    async (subset) => {
      const messages = NUMBERS.map((n) =>
        contains(subset, n)
          ? requested({ array: 'down' }, `${subset}-${n}`)
          : executionEnded('arn:no-owner', 'RUNNING', `${subset}-${n}`),
      );
      const failing = messages.filter((_, n) => contains(subset, n)).map(({ messageId }) => messageId);
      expect(await d.deliver(messages)).toEqual(failing);
    },
  );
});
