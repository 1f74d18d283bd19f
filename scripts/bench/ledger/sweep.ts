/** What a sweep of very many due leases takes, over a ledger in memory, with time enough and with too little. */
import { type Interval, intervalOf } from '../measure.ts';
import { between } from '../numbers.ts';
import type { Table } from '../question.ts';
import type { LedgerArena } from './arena.ts';

export type MemorySizes = { readonly arrays: number; readonly count: number; readonly runs: number };
export type SweptInMemory = { readonly table: Table; readonly timeUsed: Interval };

type Run = {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly kib: number;
  readonly limitMs?: number;
  readonly closed: number;
  readonly left: number;
};

/** What a sweep keeps of its time to record the last logout, and to answer. */
const RESERVED_MS = 2750;
/** A function's call ends so long before its time. */
const PROMISED_MS = 500;

/** Each run in a process of its own: once with time enough, once with half of what that took. Throws if a lease is forgotten. */
export async function sweepsInMemory(arena: LedgerArena, { arrays, count, runs }: MemorySizes): Promise<SweptInMemory> {
  const whole: Run[] = [];
  const halves: Run[] = [];
  const run = async (limitMs?: number): Promise<Run> => {
    const worker = await arena.newWorker();
    try {
      await worker.call('fill', { arrays, count });
      const limit = limitMs === undefined ? {} : { limitMs };
      const { wallMs, cpuMs, peakKiB, result } = await worker.call('sweep', limit);
      const { closed, left, expired } = result;
      if (expired !== count || closed + left !== count)
        throw new Error(`of ${count} leases, ${closed} closed, ${left} left`);
      return { wallMs, cpuMs, kib: peakKiB, closed, left, ...limit };
    } finally {
      await worker.stop();
    }
  };
  for (let nth = 0; nth < runs; nth++) {
    const all = await run();
    if (all.left > 0) throw new Error(`${all.left} leases were left, though there was time`);
    whole.push(all);
    halves.push(await run(RESERVED_MS + Math.ceil(all.wallMs / 2)));
  }
  const timeUsed = halves.map(({ wallMs, limitMs = 0 }) => wallMs / (limitMs - PROMISED_MS));
  return { table: memoryTable(count, whole, halves), timeUsed: intervalOf(timeUsed) };
}

const memoryTable = (count: number, whole: readonly Run[], halves: readonly Run[]): Table => {
  const median = (runs: readonly Run[], of: (run: Run) => number, digits = 0): string =>
    intervalOf(runs.map(of)).median.toFixed(digits);
  const row = (name: string, runs: readonly Run[]): string[] => [
    name,
    median(runs, ({ limitMs = 0 }) => limitMs).replace(/^0$/, ''),
    median(runs, ({ wallMs }) => wallMs),
    median(runs, ({ closed }) => closed),
    median(runs, ({ left }) => left),
    between(intervalOf(runs.map(({ closed, wallMs }) => (1000 * closed) / wallMs))),
    between(intervalOf(runs.map(({ closed, cpuMs }) => cpuMs / Math.max(1, closed)))),
    median(runs, ({ kib }) => kib / count, 1),
  ];
  return {
    columns: [
      'sweep, ledger in memory',
      'time it has, ms',
      'time, ms',
      'closed',
      'left',
      'closed per second',
      'CPU ms per lease',
      'KiB per due lease',
    ],
    rows: [row(`${count} leases`, whole), row(`${count} leases, half the time`, halves)],
  };
};
