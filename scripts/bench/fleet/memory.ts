/** What an array costs in memory: when a whole fleet was asked, and what the process still holds when all connections are closed. */
import { type Arena, openArena } from '../arena.ts';
import type { Table } from '../question.ts';
import type { ClientName } from '../subjects/clients.ts';
import { CONCURRENCY, onceOver } from './work.ts';

/**
 * The most MiB of new objects that Node keeps where the memory is 2 GiB or less. On a larger machine it is more, and grows with
 * the work, by tens of MiB, whatever the number of arrays.
 */
const AS_IN_LAMBDA = ['--max-semi-space-size=16'];

/** By resident memory of processes of their own; the part of it that JavaScript knows of is told beside. */
export async function memoryPerArray(arrays: number): Promise<{ readonly table: Table; readonly openKiB: number }> {
  const arena = await openArena(['raw node:tls', 'this library'], AS_IN_LAMBDA);
  try {
    return tableOf(await measure(arena, 'raw node:tls', arrays), await measure(arena, 'this library', arrays));
  } finally {
    await arena.stop();
  }
}

function tableOf(raw: Memory, ours: Memory): { readonly table: Table; readonly openKiB: number } {
  const row = (name: string, { open, kept }: Memory) =>
    [name, open.rssKiB, open.heapKiB, kept.rssKiB, kept.heapKiB].map((cell) =>
      typeof cell === 'number' ? cell.toFixed(1) : cell,
    );
  return {
    openKiB: Math.max(ours.open.rssKiB, ours.open.heapKiB),
    table: {
      columns: [
        'client',
        'KiB per array, all asked',
        'of that in JavaScript',
        'KiB per array, connections closed',
        'of that in JavaScript',
      ],
      rows: [row('raw node:tls', raw), row('this library', ours)],
    },
  };
}

type Usage = { readonly rssKiB: number; readonly heapKiB: number };
type Memory = { readonly open: Usage; readonly kept: Usage };

/** New arrays for a process that has been at work for long: what it takes now, it takes for them. */
async function measure({ server, workers }: Arena, name: ClientName, arrays: number): Promise<Memory> {
  const worker = workers.get(name);
  if (worker === undefined) throw new Error(`no process for ${name}`);
  const others = await server.call('listen', { count: CONCURRENCY, health: 'healthy' });
  const ports = await server.call('listen', { count: arrays, health: 'healthy' });
  await worker.call('work', { ...onceOver(others), passes: Math.ceil((2 * arrays) / CONCURRENCY) });
  const before = await worker.call('memory', undefined);
  await worker.call('work', onceOver(ports, true));
  const open = await worker.call('memory', undefined);
  await worker.call('close', undefined);
  const kept = await worker.call('memory', undefined);
  const perArray = (usage: Usage): Usage => ({
    rssKiB: (usage.rssKiB - before.rssKiB) / arrays,
    heapKiB: (usage.heapKiB - before.heapKiB) / arrays,
  });
  return { open: perArray(open), kept: perArray(kept) };
}
