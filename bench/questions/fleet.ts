/** Measures the cost of a fleet: CPU and memory per array, and healthy arrays' cycle times in a fleet with dead arrays. */
import type { Health } from '../array-server.ts';
import type { ClientName } from '../clients.ts';
import { compare, intervalOf, quantile, type Rounds, shuffled } from '../compare.ts';
import { type Arena, compareCycles, cycleTable, goalsOf, openArena, type Pair } from '../cycles.ts';
import type { Answer, Question } from '../report.ts';
import type { Work } from '../worker.ts';

const PAIRS: readonly Pair[] = [
  ['raw node:tls', 'raw node:tls'],
  ['this library', 'raw node:tls'],
  ['raw node:tls, never resumed', 'raw node:tls, never resumed'],
  ['this library, fingerprint', 'raw node:tls, never resumed'],
];
const CONCURRENCY = 64;
/** With 2 GiB of memory or less, as in Lambda, Node.js limits a semi-space to 16 MiB. On larger machines, the limit is higher. */
const AS_IN_LAMBDA = ['--max-semi-space-size=16'];
const DEAD_SHARE = 0.05;
const DEATHS: readonly Health[] = ['refuses', 'hangs', 'garbage'];

export const fleet: Question = {
  name: 'fleet',
  title: `A fleet of arrays, each with its own connection, ${CONCURRENCY} at a time`,
  ask: async (quick): Promise<Answer> => {
    const arrays = quick ? 20 : 1000;
    const rounds = quick ? { rounds: 1, warmUp: 0 } : { rounds: 16, warmUp: 1 };
    const arena = await openArena(
      PAIRS.map(([client]) => client),
      AS_IN_LAMBDA,
    );
    try {
      const memory = await memoryPerArray(arena, arrays);
      const ports = await arena.server.call('listen', { count: arrays, health: 'healthy' });
      const blocks = await compareCycles(arena, PAIRS, onceOver(ports), rounds);
      const dead = await healthyBesideDead(arena, ports, rounds);
      return {
        tables: [
          cycleTable(blocks),
          { columns: ['client', 'KiB of memory per array'], rows: memory },
          {
            columns: ['fleet', 'p99 ms on healthy arrays', '× all healthy'],
            rows: dead.map(({ name, wall }) => [name, wall.ms.median, wall.ratio]),
          },
        ],
        goals: [
          ...goalsOf(blocks, 'cpu', 1.8),
          ...memory.slice(1).map(([name, kib]) => ({
            what: `KiB of memory per array for ${name}`,
            measured: intervalOf([kib]),
            atMost: 30,
          })),
          ...dead.slice(1).map(({ name, wall }) => ({
            what: `p99 for healthy arrays in a fleet ${name}`,
            measured: wall.ratio,
            atMost: 1.2,
          })),
        ],
        notes: [
          'The baseline keeps every connection open until the whole fleet is done. The library keeps up to 128 idle connections.',
          'Memory is the growth of a warm process, divided by the number of new arrays.',
        ],
      };
    } finally {
      await arena.stop();
    }
  },
};

/** Returns work that runs one cycle per array. */
const onceOver = (ports: readonly number[], keep = false): Work => ({
  ports,
  passes: 1,
  concurrency: CONCURRENCY,
  keep,
});

async function memoryPerArray({ server, work, memoryKib }: Arena, arrays: number) {
  const grown = async (name: ClientName): Promise<[ClientName, number]> => {
    const former = await server.call('listen', { count: CONCURRENCY, health: 'healthy' });
    const ports = await server.call('listen', { count: arrays, health: 'healthy' });
    await work(name, { ...onceOver(former), passes: Math.ceil((2 * arrays) / CONCURRENCY) });
    const before = await memoryKib(name);
    await work(name, onceOver(ports, true));
    return [name, ((await memoryKib(name)) - before) / arrays];
  };
  return [await grown('raw node:tls'), await grown('this library')];
}

/** Measures the 99th percentile of healthy arrays' cycle times, with and without dead arrays in the fleet. */
async function healthyBesideDead({ server, work }: Arena, ports: readonly number[], rounds: Rounds) {
  const dead: number[] = [];
  for (let nth = 0; nth < ports.length * DEAD_SHARE; nth++) {
    const health = DEATHS[nth % DEATHS.length] ?? 'refuses';
    dead.push(...(await server.call('listen', { count: 1, health })));
  }
  const mixed = shuffled([...ports.slice(dead.length), ...dead], Math.random);
  const healthy = `${ports.length} healthy arrays`;
  const p99 = (name: string, fleet: readonly number[], failing: number) => ({
    name,
    baseline: healthy,
    run: async () => {
      const { failures, cyclesMs, cpuMs } = await work('this library', onceOver(fleet));
      if (failures.length !== failing) throw new Error(`${failures.length} arrays failed, but ${failing} are dead`);
      return { wallMs: quantile(cyclesMs, 0.99), cpuMs };
    },
  });
  return compare(
    [p99(healthy, ports, 0), p99(`with ${dead.length} that refuse, hang or send garbage`, mixed, dead.length)],
    rounds,
  );
}
