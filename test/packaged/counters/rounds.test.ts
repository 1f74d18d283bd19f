import { expect, test } from 'vitest';
import { gateOf } from './rounds.ts';

const ROUNDS = [['a', 'b'], ['c']];

/** The arrivals that can be answered now, without waiting for anything but promises. */
async function answeredOf(arrivals: Readonly<Record<string, Promise<void>>>): Promise<string[]> {
  const answered: string[] = [];
  for (const [step, arrival] of Object.entries(arrivals)) void arrival.then(() => answered.push(step));
  await new Promise(setImmediate);
  return answered.sort();
}

test('steps that are sent together are answered together', async () => {
  const { arrive, end } = gateOf(ROUNDS);
  const b = arrive('b');
  expect(await answeredOf({ b })).toEqual([]);
  const a = arrive('a');
  expect(await answeredOf({ a, b })).toEqual(['a', 'b']);
  await arrive('c');
  expect(end()).toEqual({ rounds: ROUNDS, others: [] });
});

test('a caller that waits for one step before it sends the other gets no response, and the round is missing', async () => {
  const { arrive, end } = gateOf(ROUNDS);
  const a = arrive('a');
  expect(await answeredOf({ a })).toEqual([]);
  expect(end()).toEqual({ rounds: [], others: [] });
  await a;
});

test('an extra or early step is recorded and not delayed', async () => {
  const { arrive, end } = gateOf(ROUNDS);
  await arrive('c');
  const together = [arrive('a'), arrive('b')];
  await Promise.all(together);
  await arrive('d');
  expect(end()).toEqual({ rounds: [['a', 'b']], others: ['c', 'd'] });
});
