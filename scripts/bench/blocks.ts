/** Blocks of cycles as contenders, and what the processes at both ends did meanwhile. */
import { type Arena, openArena } from './arena.ts';
import { type Comparison, type Contender, compare, type Rounds } from './compare.ts';
import { percent, times } from './numbers.ts';
import type { Ratio, Table } from './question.ts';
import type { ClientName } from './subjects/clients.ts';
import type { Work } from './subjects/work.ts';

/** A client, and the one whose cost is 1.0 for it. */
export type Pair = readonly [client: ClientName, floor: ClientName];

type Totals = {
  cycles: number;
  wallMs: number;
  cpuMs: number;
  serverCpuMs: number;
  connections: number;
  resumed: number;
  requests: number;
};
export type Block = Comparison & { readonly totals: Readonly<Totals> };

/** Measures clients beside one array that answers at once, in an arena of their own. */
export async function besideOneArray(
  pairs: readonly Pair[],
  work: Pick<Work, 'passes' | 'keep'>,
  rounds: Rounds,
): Promise<readonly Block[]> {
  const arena = await openArena(pairs.map(([client]) => client));
  try {
    const ports = await arena.server.call('listen', { count: 1, health: 'healthy' });
    return await compareBlocks(arena, pairs, { ...work, ports, concurrency: 1 }, rounds);
  } finally {
    await arena.stop();
  }
}

/** Whether a contender is this library, for which there are goals. */
export const isOurs = ({ name }: Pick<Block, 'name'>): boolean => name.startsWith('this library');

/** The clients' CPU time, or what passes until they are done, as multiples of their floors. */
export const ratiosOf = (blocks: readonly Block[], goal: number, of: 'cpu' | 'wall' = 'cpu'): Ratio[] =>
  blocks.map((block) => ({
    label: of === 'cpu' ? block.name : `${block.name}, time`,
    measured: block[of].ratio,
    ...(isOurs(block) ? { goal } : {}),
  }));

/** Measures every client's work, per cycle. Throws if a cycle fails. */
export async function compareBlocks(
  arena: Arena,
  pairs: readonly Pair[],
  work: Work,
  rounds: Rounds,
): Promise<readonly Block[]> {
  const totals = new Map<string, Totals>();
  const contenders = pairs.map(([name, floor]): Contender => {
    const total = { cycles: 0, wallMs: 0, cpuMs: 0, serverCpuMs: 0, connections: 0, resumed: 0, requests: 0 };
    totals.set(name, total);
    return { name, floor, run: () => runBlock(arena, name, work, total) };
  });
  const compared = await compare(contenders, rounds);
  return compared.map((comparison) => ({ ...comparison, totals: totals.get(comparison.name) as Totals }));
}

async function runBlock({ server, workers }: Arena, name: ClientName, work: Work, total: Totals) {
  const worker = workers.get(name);
  if (worker === undefined) throw new Error(`no process for ${name}`);
  await server.call('counts', undefined);
  const { wallMs, cpuMs, cyclesMs, failures } = await worker.call('work', work);
  const { cpuMs: serverCpuMs, ...counts } = await server.call('counts', undefined);
  if (failures.length > 0) throw new Error(`${name}: ${failures.length} cycles failed, the first with ${failures[0]}`);
  const cycles = cyclesMs.length;
  const added: Totals = { cycles, wallMs, cpuMs, serverCpuMs, ...counts };
  for (const what of Object.keys(total) as (keyof Totals)[]) total[what] += added[what];
  return { wallMs: wallMs / cycles, cpuMs: cpuMs / cycles };
}

/** Whether the arrays were the bottleneck, as a sentence with its number. */
export function serverNote(blocks: readonly Block[]): string {
  const most = Math.max(...blocks.map(({ totals }) => totals.serverCpuMs / totals.cpuMs));
  return (
    `In the same blocks, all arrays together used at most ${percent(most, 1)} of the CPU time that the client used ` +
    '(see "busy"): on a core of their own they keep up, and a client\'s own CPU time does not contain theirs.'
  );
}

/** One row per client. */
export const blockTable = (blocks: readonly Block[]): Table => ({
  columns: [
    'client',
    'CPU ms per cycle',
    'CPU, × floor',
    'floor',
    'time ms per cycle',
    'time, × floor',
    'connections for cycles',
    'of them resumed',
    'busy: client, server',
  ],
  rows: blocks.map(({ name, floor, cpu, wall, totals }) => [
    name,
    cpu.ms.median.toFixed(3),
    times(cpu.ratio),
    name === floor ? '' : floor,
    wall.ms.median.toFixed(3),
    times(wall.ratio),
    `${totals.connections} for ${totals.cycles}`,
    percent(totals.resumed, totals.connections),
    `${percent(totals.cpuMs, totals.wallMs)}, ${percent(totals.serverCpuMs, totals.wallMs)}`,
  ]),
});
