/** Whether the healthy arrays of a fleet wait for the dead ones. */

import { randomOf } from '../../../test/proofs/world/random.ts';
import type { Arena } from '../arena.ts';
import { type Interval, intervalOf, quantile, shuffled } from '../measure.ts';
import { times } from '../numbers.ts';
import type { Table } from '../question.ts';
import type { Health } from '../server-process.ts';
import { onceOver } from './work.ts';

export type DeadRounds = { readonly arrays: number; readonly rounds: number; readonly warmUp: number };

const CLIENT = 'this library';
const DEAD_SHARE = 0.05;
const DEATHS: readonly Health[] = ['refuses', 'hangs', 'garbage'];

type Fleet = { readonly ports: readonly number[]; readonly dead: number };

/** The 99th percentile of the healthy arrays' cycles, with dead ones among them, as multiples of a run without. */
export async function healthyBesideDead(
  arena: Arena,
  { arrays, rounds, warmUp, seed }: DeadRounds & { readonly seed: number },
): Promise<{ readonly table: Table; readonly ratio: Interval }> {
  const { next } = randomOf(seed);
  const all = await arena.server.call('listen', { count: arrays, health: 'healthy' });
  const deadPorts = await listenDead(arena, Math.ceil(arrays * DEAD_SHARE));
  const healthy: Fleet = { ports: all, dead: 0 };
  const mixed: Fleet = {
    ports: shuffled([...all.slice(deadPorts.length), ...deadPorts], next),
    dead: deadPorts.length,
  };
  const p99 = new Map<Fleet, number[]>([
    [healthy, []],
    [mixed, []],
  ]);
  for (let round = -warmUp; round < rounds; round++) {
    for (const fleet of shuffled([healthy, mixed], next)) {
      const value = await p99Of(arena, fleet);
      if (round >= 0) p99.get(fleet)?.push(value);
    }
  }
  const [without = [], beside = []] = [p99.get(healthy), p99.get(mixed)];
  const ratio = intervalOf(beside.map((value, round) => value / (without[round] ?? Number.NaN)));
  const row = (name: string, values: readonly number[], comparison: string) => [
    name,
    intervalOf(values).median.toFixed(0),
    comparison,
  ];
  return {
    ratio,
    table: {
      columns: ['fleet', 'p99 ms of a healthy array', '× all healthy'],
      rows: [
        row(`${arrays} healthy`, without, ''),
        row(`${arrays - mixed.dead} healthy, ${mixed.dead} refuse, hang or talk garbage`, beside, times(ratio)),
      ],
    },
  };
}

async function listenDead({ server }: Arena, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let nth = 0; nth < count; nth++) {
    ports.push(...(await server.call('listen', { count: 1, health: DEATHS[nth % DEATHS.length] ?? 'refuses' })));
  }
  return ports;
}

async function p99Of({ workers }: Arena, { ports, dead }: Fleet): Promise<number> {
  const worked = await workers.get(CLIENT)?.call('work', onceOver(ports));
  if (worked?.failures.length !== dead) throw new Error(`${worked?.failures.length} of ${dead} dead arrays failed`);
  return quantile(worked.cyclesMs, 0.99);
}
