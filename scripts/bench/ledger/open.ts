/** Opening sessions, many at a time in one process, against a floor of the same calls by hand. */
import { type Comparison, type Contender, compare, type Rounds } from '../compare.ts';
import { times } from '../numbers.ts';
import type { Table } from '../question.ts';
import type { LedgerArena } from './arena.ts';
import type { Asked } from './aws.ts';
import type { How } from './worker.ts';

export type OpenSizes = {
  readonly concurrency: number;
  /** Openings per block. */
  readonly count: number;
  readonly rounds: Rounds;
};

type Case = { readonly arrays: number; readonly how: How };
type Block = Case & {
  readonly opened: number;
  readonly failed: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly asked: Asked;
};

export type Opened = { readonly tables: readonly Table[]; readonly comparisons: readonly Comparison[] };

const nameOf = ({ arrays, how }: Case): string => `${how}, ${arrays === 1 ? 'one array' : `${arrays} arrays`}`;

/** All of one array, and each of another. Throws if a floor's opening fails. */
export async function openings(arena: LedgerArena, { rounds, ...sizes }: OpenSizes): Promise<Opened> {
  const blocks: Block[] = [];
  const contender = (one: Case): Contender => ({
    name: nameOf(one),
    floor: nameOf({ ...one, how: 'by hand' }),
    run: async () => {
      const table = await arena.newTable();
      await arena.workers.story.call('meet', { table, arrays: one.arrays });
      const block = await openBlock(arena, { ...one, ...sizes, table });
      blocks.push(block);
      const { wallMs, cpuMs } = block;
      return { wallMs: wallMs / block.opened, cpuMs: cpuMs / block.opened };
    },
  });
  const cases = [1, sizes.concurrency].flatMap((arrays): Case[] => [
    { arrays, how: 'story' },
    { arrays, how: 'by hand' },
  ]);
  const comparisons = await compare(cases.map(contender), rounds);
  const first = await openBlock(arena, { arrays: 1, how: 'story', ...sizes, table: await arena.newTable() });
  // Warm-up reads the secrets, once.
  const counted = cases.flatMap((one) => blocks.filter((block) => nameOf(block) === nameOf(one)).slice(rounds.warmUp));
  return { tables: [costTable(comparisons, counted), callTable(cases, counted, first)], comparisons };
}

async function openBlock(
  { aws, workers }: LedgerArena,
  what: Case & { readonly table: string; readonly count: number; readonly concurrency: number },
) {
  await aws.call('asked', undefined);
  const { wallMs, cpuMs, failures } = await workers[what.how].call('open', what);
  const asked = await aws.call('asked', undefined);
  const opened = what.count - failures.length;
  if (opened === 0) throw new Error(`no session was opened, ${what.how}: ${failures[0]}`);
  return { ...what, opened, failed: failures.length, wallMs, cpuMs, asked };
}

const sum = (blocks: readonly Block[], of: (block: Block) => number): number =>
  blocks.reduce((total, block) => total + of(block), 0);

const costTable = (comparisons: readonly Comparison[], blocks: readonly Block[]): Table => ({
  columns: [
    'opening',
    'CPU ms per session',
    'CPU, × by hand',
    'sessions per second',
    'failed',
    'busy: stand-ins for AWS',
  ],
  rows: comparisons.map(({ name, floor, cpu }) => {
    const own = blocks.filter((block) => nameOf(block) === name);
    const seconds = sum(own, ({ wallMs }) => wallMs) / 1000;
    return [
      name,
      cpu.ms.median.toFixed(2),
      name === floor ? '' : times(cpu.ratio),
      (sum(own, ({ opened }) => opened) / seconds).toFixed(0),
      `${sum(own, ({ failed }) => failed)} of ${sum(own, ({ opened, failed }) => opened + failed)}`,
      `${((sum(own, ({ asked }) => asked.cpuMs) / seconds / 1000) * 100).toFixed(0)} %`,
    ];
  }),
});

const callTable = (cases: readonly Case[], blocks: readonly Block[], first: Block): Table => {
  const row = (name: string, own: readonly Block[]): string[] => {
    const opened = sum(own, (block) => block.opened);
    const dynamodb = sum(own, ({ asked }) => callsOf(asked, 'dynamodb'));
    const others = sum(own, ({ asked }) => callsOf(asked, '')) - dynamodb;
    const refused = sum(own, ({ asked }) => asked.refused);
    return [name, ...[dynamodb, refused, others].map((calls) => (calls / opened).toFixed(2))];
  };
  return {
    columns: ['opening', 'DynamoDB calls per session', 'of them refused by a condition', 'other AWS calls'],
    rows: [
      ...cases.map((one) =>
        row(
          nameOf(one),
          blocks.filter((block) => nameOf(block) === nameOf(one)),
        ),
      ),
      row('story, one array, never seen before', [first]),
    ],
  };
};

const callsOf = ({ calls }: Asked, service: string): number =>
  Object.entries(calls).reduce((total, [name, count]) => total + (name.startsWith(service) ? count : 0), 0);
