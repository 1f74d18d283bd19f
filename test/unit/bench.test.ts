/** The benchmarks' arithmetic, report, arguments, and the check that a client does what it is measured for. */
import { describe, expect, test } from 'vitest';
import { readCommand } from '../../bench/arguments.ts';
import { API_TOKEN, type Client, rawClient } from '../../bench/clients.ts';
import { type Contender, compare, intervalOf, quantile, shuffled, type Usage } from '../../bench/compare.ts';
import { checkClient } from '../../bench/cycles.ts';
import { markdown, verdict } from '../../bench/report.ts';
import { apiToken } from '../../lib/core/model.ts';
import { login } from '../../lib/flashblade/client.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { randomOf } from '../proofs/world/random.ts';
import { authority, certificate, trust } from './flashblade/servers.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('an interval', () => {
  test('has the median and the ranks one width of √n away from it', () => {
    expect(intervalOf(shuffled(upTo(101), randomOf(1).next))).toEqual({ low: 41, median: 51, high: 61 });
  });

  test('of few values covers all of them', () => {
    expect(intervalOf([3, 1, 2])).toEqual({ low: 1, median: 2, high: 3 });
    expect(intervalOf([7])).toEqual({ low: 7, median: 7, high: 7 });
  });

  test('contains the true median of noise in about 19 of 20 cases', () => {
    const random = randomOf(7).next;
    const hits = upTo(1000).filter(() => {
      const { low, high } = intervalOf(upTo(40).map(() => random() ** 3));
      return low <= 0.125 && 0.125 <= high;
    });
    expect(hits.length).toBeGreaterThan(940);
    expect(hits.length).toBeLessThan(985);
  });

  test('of nothing is an error', () => {
    expect(() => intervalOf([])).toThrow('nothing was measured');
  });
});

test.for([
  [[1, 2, 3, 4], 0.5, 2.5],
  [[4, 1, 3, 2], 0, 1],
  [[1, 2, 3, 4], 1, 4],
  [upTo(101), 0.99, 100],
] satisfies [number[], number, number][])('the quantile of %j at %d is %d', ([values, share, expected]) => {
  expect(quantile(values, share)).toBe(expected);
});

test('every order of a shuffle is about equally likely', () => {
  const random = randomOf(3).next;
  const counts = Object.groupBy(
    upTo(6000).map(() => shuffled(['a', 'b', 'c'], random).join('')),
    (order) => order,
  );
  expect(Object.keys(counts).sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  for (const orders of Object.values(counts)) expect(Math.abs((orders?.length ?? 0) - 1000)).toBeLessThan(120);
});

describe('a comparison', () => {
  const disturbances = [1, 9, 1, 1, 5, 1, 1, 3, 1, 1, 1];
  /** Takes `cost` milliseconds, multiplied by what disturbs the round. */
  const contender = (name: string, baseline: string, cost: number, runs: string[] = []): Contender<Usage> => {
    let round = 0;
    const run = async () => {
      runs.push(name);
      const ms = cost * (disturbances[round++] ?? 1);
      return { wallMs: 2 * ms, cpuMs: ms };
    };
    return { name, baseline, run };
  };

  test('is not changed by what disturbs a whole round', async () => {
    const contenders = [contender('base', 'base', 2), contender('client', 'base', 3)];
    const [base, client] = await compare(contenders, { rounds: 9, warmUp: 2 });
    const exactly = (value: number) => ({ low: value, median: value, high: value });
    expect(base?.cpu.ratio).toEqual(exactly(1));
    expect(client?.cpu.ratio).toEqual(exactly(1.5));
    expect(client?.wall.ratio).toEqual(exactly(1.5));
    expect(client?.cpu.ms.median).toBe(3);
    expect(client?.wall.ms.high).toBe(18);
    expect(client?.samples).toHaveLength(9);
  });

  test('uses the baseline of each contender', async () => {
    const [full, resumed] = [contender('full', 'full', 10), contender('resumed', 'resumed', 5)];
    const compared = await compare([full, resumed, contender('a', 'full', 20), contender('b', 'resumed', 20)], {
      rounds: 3,
      warmUp: 0,
    });
    expect(compared.map(({ name, cpu }) => [name, cpu.ratio.median])).toEqual([
      ['full', 1],
      ['resumed', 1],
      ['a', 2],
      ['b', 4],
    ]);
  });

  test('runs every contender once per round, in changing order', async () => {
    const runs: string[] = [];
    const contenders = ['a', 'b', 'c'].map((name) => contender(name, 'a', 1, runs));
    await compare(contenders, { rounds: 8, warmUp: 2 }, randomOf(1).next);
    const orders = upTo(10).map((round) => runs.slice(3 * round - 3, 3 * round).join(''));
    expect(runs).toHaveLength(30);
    for (const order of orders) expect([...order].sort().join('')).toBe('abc');
    expect(new Set(orders).size).toBeGreaterThan(2);
  });
});

test.for([
  [1.3, 1.5, 'met'],
  [1.5, 1.7, 'undecided'],
  [1.7, 1.8, 'missed'],
] satisfies [number, number, string][])('between %d and %d, a goal of 1.6 is %s', ([low, high, expected]) => {
  expect(verdict({ low, median: (low + high) / 2, high }, 1.6)).toBe(expected);
});

test('the report is Markdown with aligned columns, and says for each goal whether it is met', () => {
  const ratio = { low: 1.5, median: 2, high: 4 };
  const answer = {
    name: 'a',
    title: 'A question',
    tables: [
      {
        columns: ['client', 'CPU', 'ms'],
        rows: [
          ['base', ratio, 12.34],
          ['other', 7, ''],
        ],
      },
    ],
    goals: [{ what: 'CPU', measured: ratio, atMost: 1.6 }],
    notes: ['One sentence.'],
  };
  const lines = markdown({ machine: { node: 'v24' }, answers: [answer] }).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      '- node: v24',
      '## A question',
      '| client | CPU              | ms |',
      '| ---    | ---              | --- |',
      '| base   | 2.00 (1.50–4.00) | 12.3 |',
      '| other  | 7                |  |',
      '- goal undecided: CPU 2.00 (1.50–4.00), at most 1.6',
      'One sentence.',
    ]),
  );
});

test('the arguments name one question, or none for all of them', () => {
  expect(readCommand([], ['warm'])).toEqual({ question: undefined, quick: false, json: false });
  expect(readCommand(['--question', 'warm', '--quick', '--json'], ['warm'])).toEqual({
    question: 'warm',
    quick: true,
    json: true,
  });
  expect(() => readCommand(['--question', 'other'], ['warm', 'cold'])).toThrow('--question must be one of warm, cold');
  expect(() => readCommand(['--fast'], ['warm'])).toThrow("'--fast'");
});

describe('a client', () => {
  const check = ({ cycle, close }: Client) =>
    checkClient(
      'it',
      async ({ ports: [port = 0], passes }) => {
        const failures: string[] = [];
        for (let pass = 0; pass < passes; pass++) await cycle(port).catch((error) => failures.push(String(error)));
        close();
        return { wallMs: 0, cpuMs: 0, cyclesMs: [], failures };
      },
      { ...certificate, ca: authority.certificate },
    );
  const raw = rawClient(authority.certificate, true);

  test('may be measured if each of its cycles opens a session and ends it by a logout', async () => {
    await check(raw);
  });

  test('that skips every second cycle is detected', async () => {
    let nth = 0;
    const lazy = { ...raw, cycle: async (port: number) => (nth++ % 2 === 0 ? raw.cycle(port) : undefined) };
    await expect(check(lazy)).rejects.toThrow('3 cycles, but 2 logins and 2 logouts');
  });

  test('that never logs out is detected', async () => {
    const cycle = async (port: number) => {
      await login({ name: 'fb1', host: '127.0.0.1', port, trust }, apiToken(API_TOKEN));
    };
    await expect(check({ cycle, close: closeConnections })).rejects.toThrow('3 cycles, but 3 logins and 0 logouts');
  });

  test('that the array refuses is reported with the reason', async () => {
    const cycle = async (port: number) => {
      await login({ name: 'fb1', host: '127.0.0.1', port, trust }, apiToken('T-wrong'));
    };
    await expect(check({ cycle, close: closeConnections })).rejects.toThrow('it failed: ');
  });
});
