/** What the ledger costs when there is much of it: a sweep of ten thousand leases, and many openings at once. */
import type { Comparison } from '../compare.ts';
import { openLedgerArena } from '../ledger/arena.ts';
import { type OpenSizes, openings } from '../ledger/open.ts';
import { type MemorySizes, sweepsInMemory } from '../ledger/sweep.ts';
import { sweepsInTable, type TableSizes } from '../ledger/table.ts';
import { havePackaged } from '../packaged.ts';
import type { Answer, Question, Ratio, Settings } from '../question.ts';

const ARRAYS = 64;

export const ledger: Question = {
  name: 'ledger',
  title: 'Sweeping ten thousand due leases, and opening 64 sessions at a time',
  ask: async ({ quick, seed }: Settings): Promise<Answer> => {
    await havePackaged(quick);
    const sizes = quick ? quickSizes(seed) : fullSizes(seed);
    const arena = await openLedgerArena(ARRAYS);
    try {
      const memory = await sweepsInMemory(arena, sizes.memory);
      const table = await sweepsInTable(arena, sizes.table);
      const opened = await openings(arena, sizes.open);
      return {
        tables: [memory.table, table.table, ...opened.tables],
        ratios: [...ratiosOf('sweep', table.comparisons), ...ratiosOf('opening', opened.comparisons)],
        goals: [
          {
            what: 'time of a sweep that is too long, of the time until half a second before its end',
            atMost: 1,
            measured: memory.timeUsed,
            unit: '×',
          },
        ],
        notes: [
          `Arrays are ${ARRAYS} ports of a server that answers at once, in a process of its own; connections are made by TLS, as always.`,
          'In memory: the story and its HTTPS, with a ledger and a KMS that are maps in the same process. Over dynalite, that is the bottleneck, and not the functions: read the CPU, which is of the working process alone, not the time.',
          'By hand: the same calls of AWS by bare clients of the SDK and the same requests to the array by this library, as many at a time, with nothing between.',
          'No AWS call is given up for taking long, as a function would after two seconds: hundreds at once are more than dynalite answers in that time.',
          'Log lines and metrics are left out. Of the half of the time, what a sweep keeps for recording and answering comes on top.',
        ],
      };
    } finally {
      await arena.stop();
    }
  },
};

const ratiosOf = (what: string, comparisons: readonly Comparison[]): Ratio[] =>
  comparisons
    .filter(({ name, floor }) => name !== floor)
    .map(({ name, cpu }) => ({ label: `${what}, ${name}`, measured: cpu.ratio }));

type Sizes = { readonly memory: MemorySizes; readonly table: TableSizes; readonly open: OpenSizes };

const fullSizes = (seed: number): Sizes => ({
  memory: { arrays: ARRAYS, count: 10_000, runs: 3 },
  table: { arrays: 16, count: 192, rounds: { rounds: 6, warmUp: 1, seed } },
  open: { concurrency: 64, count: 128, rounds: { rounds: 8, warmUp: 1, seed } },
});

const quickSizes = (seed: number): Sizes => ({
  memory: { arrays: 4, count: 40, runs: 1 },
  table: { arrays: 2, count: 8, rounds: { rounds: 1, warmUp: 0, seed } },
  open: { concurrency: 4, count: 8, rounds: { rounds: 1, warmUp: 0, seed } },
});
