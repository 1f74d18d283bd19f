/** What a sweep takes over dynalite, against a floor of the same calls by hand. */
import { type Comparison, type Contender, compare, type Rounds } from '../compare.ts';
import { between, percent, times } from '../numbers.ts';
import type { Table } from '../question.ts';
import type { LedgerArena } from './arena.ts';
import type { How } from './worker.ts';

export type TableSizes = { readonly arrays: number; readonly count: number; readonly rounds: Rounds };

type Totals = { wallMs: number; standInMs: number; closed: number; failed: number };

/** By hand, as many at a time as a sweep of that many arrays may close. */
const LEASES_AT_A_TIME = 4;

/** `how` a lease is closed. Throws if none of them is. */
export async function sweepsInTable(
  arena: LedgerArena,
  { arrays, count, rounds }: TableSizes,
): Promise<{ readonly table: Table; readonly comparisons: readonly Comparison[] }> {
  const totals = new Map<string, Totals>();
  const contender = (how: How): Contender => {
    const total: Totals = { wallMs: 0, standInMs: 0, closed: 0, failed: 0 };
    totals.set(how, total);
    return { name: how, floor: 'by hand', run: () => block(arena, how, { arrays, count }, total) };
  };
  const comparisons = await compare([contender('story'), contender('by hand')], rounds);
  const rows = comparisons.map(({ name, floor, cpu }) => {
    const { wallMs, standInMs, closed, failed } = totals.get(name) as Totals;
    return [
      `${count} leases, ${name}`,
      ((1000 * closed) / wallMs).toFixed(0),
      between(cpu.ms),
      name === floor ? '' : times(cpu.ratio),
      `${failed} of ${closed + failed}`,
      percent(standInMs, wallMs),
    ];
  });
  const columns = ['sweep, ledger in dynalite', 'closed per second', 'CPU ms per lease', 'CPU, × by hand', 'failed'];
  return { table: { columns: [...columns, 'busy: stand-ins for AWS'], rows }, comparisons };
}

async function block(
  arena: LedgerArena,
  how: How,
  { arrays, count }: Omit<TableSizes, 'rounds'>,
  total: Totals,
): Promise<{ wallMs: number; cpuMs: number }> {
  const { workers, aws, newTable } = arena;
  await workers[how].call('fill', { arrays, count, table: await newTable() });
  await aws.call('asked', undefined);
  const { wallMs, cpuMs, closed } = how === 'story' ? await swept(arena) : await sweptByHand(arena, arrays, count);
  if (closed === 0) throw new Error(`no lease was closed, ${how}`);
  total.wallMs += wallMs;
  total.standInMs += (await aws.call('asked', undefined)).cpuMs;
  total.closed += closed;
  total.failed += count - closed;
  return { wallMs: wallMs / closed, cpuMs: cpuMs / closed };
}

async function swept({ workers }: LedgerArena) {
  const { result, ...used } = await workers.story.call('sweep', {});
  return { ...used, closed: result.closed };
}

async function sweptByHand({ workers }: LedgerArena, arrays: number, count: number) {
  const concurrency = arrays * LEASES_AT_A_TIME;
  const { failures, ...used } = await workers['by hand'].call('sweepByHand', { concurrency });
  return { ...used, closed: count - failures.length };
}
