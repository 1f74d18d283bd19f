/** What a whole fleet costs: per array, by its size, and while some of it is dead. */
import { type Arena, openArena } from '../arena.ts';
import { type Block, compareBlocks, isOurs, type Pair, serverNote } from '../blocks.ts';
import type { Rounds } from '../compare.ts';
import { type DeadRounds, healthyBesideDead } from '../fleet/dead.ts';
import { memoryPerArray } from '../fleet/memory.ts';
import { CONCURRENCY, onceOver } from '../fleet/work.ts';
import { intervalOf } from '../measure.ts';
import { percent, times } from '../numbers.ts';
import type { Answer, Question, Settings, Table } from '../question.ts';

const PAIRS: readonly Pair[] = [
  ['raw node:tls', 'raw node:tls'],
  ['this library', 'raw node:tls'],
  ['raw node:tls, never resumed', 'raw node:tls, never resumed'],
  ['this library, fingerprint', 'raw node:tls, never resumed'],
];
const GOALS = { cpu: 1.8, openKiB: 30, p99: 1.2 };

type Size = { readonly arrays: number; readonly passes: number; readonly rounds: Omit<Rounds, 'seed'> };

const SIZES: readonly Size[] = [
  { arrays: 1, passes: 20, rounds: { rounds: 20, warmUp: 10 } },
  { arrays: 10, passes: 4, rounds: { rounds: 20, warmUp: 2 } },
  { arrays: 100, passes: 1, rounds: { rounds: 10, warmUp: 2 } },
  { arrays: 1000, passes: 1, rounds: { rounds: 16, warmUp: 1 } },
];
const QUICK_SIZES: readonly Size[] = [1, 8].map((arrays) => ({
  arrays,
  passes: 1,
  rounds: { rounds: 2, warmUp: 1 },
}));
const DEAD: DeadRounds = { arrays: 1000, rounds: 16, warmUp: 1 };
const QUICK_DEAD: DeadRounds = { arrays: 50, rounds: 1, warmUp: 0 };

export const fleet: Question = {
  name: 'fleet',
  title: `A fleet of arrays, each with a connection of its own, ${CONCURRENCY} at a time`,
  ask: async ({ quick, seed }: Settings): Promise<Answer> => {
    const arena = await openArena(PAIRS.map(([client]) => client));
    try {
      const memory = await memoryPerArray(quick ? 8 : 1000);
      const sized = await eachSize(arena, quick ? QUICK_SIZES : SIZES, seed);
      const dead = await healthyBesideDead(arena, { ...(quick ? QUICK_DEAD : DEAD), seed });
      const largest = sized.at(-1);
      const ours = largest?.blocks.filter(isOurs) ?? [];
      return {
        tables: [sizeTable(sized), memory.table, dead.table],
        ratios: sized.flatMap(({ arrays, blocks }) =>
          blocks.filter(isOurs).map(({ name, cpu }) => ({
            label: `${name}, ${arrays}`,
            measured: cpu.ratio,
            ...(arrays === largest?.arrays ? { goal: GOALS.cpu } : {}),
          })),
        ),
        goals: [
          ...ours.map(({ name, cpu }) => ({
            what: `CPU of ${name} with ${largest?.arrays} arrays`,
            atMost: GOALS.cpu,
            measured: cpu.ratio,
            unit: '×',
          })),
          {
            what: 'memory per array, all asked',
            atMost: GOALS.openKiB,
            measured: intervalOf([memory.openKiB]),
            unit: 'KiB',
          },
          { what: 'p99 of the healthy beside 5 % dead', atMost: GOALS.p99, measured: dead.ratio, unit: '×' },
        ],
        notes: [
          'Every array has a port of its own. The floor keeps every connection open until the whole fleet is done, the library keeps 128 of those that wait.',
          'Memory is that of a process that has been at work before; what new arrays take is divided by their number. Its space for new objects is held at the most that Node chooses for a function of 2 GiB or less (--max-semi-space-size=16): on a machine with more memory it grows with the work. The allocator gives little back to the system when connections close.',
          serverNote(sized.flatMap(({ blocks }) => blocks)),
        ],
      };
    } finally {
      await arena.stop();
    }
  },
};

type Sized = { readonly arrays: number; readonly blocks: readonly Block[] };

async function eachSize(arena: Arena, sizes: readonly Size[], seed: number): Promise<Sized[]> {
  const sized: Sized[] = [];
  for (const { arrays, passes, rounds } of sizes) {
    const ports = await arena.server.call('listen', { count: arrays, health: 'healthy' });
    const work = { ...onceOver(ports), passes };
    sized.push({ arrays, blocks: await compareBlocks(arena, PAIRS, work, { ...rounds, seed }) });
  }
  return sized;
}

const sizeTable = (sized: readonly Sized[]): Table => ({
  columns: ['arrays', 'client', 'CPU ms per array', 'CPU, × floor', 'time ms per array', 'busy: client, server'],
  rows: sized.flatMap(({ arrays, blocks }) =>
    blocks.map(({ name, cpu, wall, totals }) => [
      `${arrays}`,
      name,
      cpu.ms.median.toFixed(2),
      times(cpu.ratio),
      wall.ms.median.toFixed(2),
      `${percent(totals.cpuMs, totals.wallMs)}, ${percent(totals.serverCpuMs, totals.wallMs)}`,
    ]),
  ),
});
