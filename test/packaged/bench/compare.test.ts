import { expect, test } from 'vitest';
import { type Contender, compare } from '../../../scripts/bench/compare.ts';

const disturbances = [1, 9, 1, 1, 5, 1, 1, 3, 1, 1, 1];

/** Takes `cost` milliseconds, times what disturbs the round; writes down each run. */
function contender(name: string, floor: string, cost: number, runs: string[]): Contender {
  let round = 0;
  const run = async () => {
    runs.push(name);
    const ms = cost * (disturbances[round++] ?? 1);
    return { wallMs: 2 * ms, cpuMs: ms };
  };
  return { name, floor, run };
}

test('what disturbs a whole round does not change the ratio to the floor of that round', async () => {
  const contenders = [contender('floor', 'floor', 2, []), contender('client', 'floor', 3, [])];
  const [floor, client] = await compare(contenders, { rounds: 9, warmUp: 2, seed: 1 });
  const same = (value: number) => ({ low: value, median: value, high: value });
  expect(floor?.cpu.ratio).toEqual(same(1));
  expect(client?.cpu.ratio).toEqual(same(1.5));
  expect(client?.wall.ratio).toEqual(same(1.5));
  expect(client?.cpu.ms.median).toBe(3);
  expect(client?.wall.ms.high).toBe(18);
});

test('each contender has its own floor', async () => {
  const contenders = [
    contender('full', 'full', 10, []),
    contender('resumed', 'resumed', 5, []),
    contender('a', 'full', 20, []),
    contender('b', 'resumed', 20, []),
  ];
  const compared = await compare(contenders, { rounds: 3, warmUp: 0, seed: 1 });
  expect(compared.map(({ name, cpu }) => [name, cpu.ratio.median])).toEqual([
    ['full', 1],
    ['resumed', 1],
    ['a', 2],
    ['b', 4],
  ]);
});

test('every round runs all, in an order that the seed decides and that changes', async () => {
  const orderOf = async (seed: number) => {
    const runs: string[] = [];
    const contenders = ['a', 'b', 'c'].map((name) => contender(name, 'a', 1, runs));
    await compare(contenders, { rounds: 8, warmUp: 2, seed });
    return Array.from({ length: 10 }, (_, round) => runs.slice(3 * round, 3 * round + 3).join(''));
  };
  const orders = await orderOf(1);
  expect(orders).toHaveLength(10);
  for (const order of orders) expect([...order].sort().join('')).toBe('abc');
  expect(new Set(orders).size).toBeGreaterThan(2);
  expect(await orderOf(1)).toEqual(orders);
  expect(await orderOf(2)).not.toEqual(orders);
});
