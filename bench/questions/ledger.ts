/** Measures the cost of the ledger: each function's AWS calls, how many of them are sequential, and a sweep of ten thousand leases. */
import { COUNTED_NAMES, type CountedName, inRounds, perform, ROUNDS } from '../../test/packaged/counters/rounds.ts';
import type { ClientName } from '../clients.ts';
import { compare, intervalOf } from '../compare.ts';
import { openArena } from '../cycles.ts';
import { openStage } from '../functions.ts';
import { start } from '../process.ts';
import type { Answer, Cell, Goal, Question, Table } from '../report.ts';
import type { SweepCalls } from '../sweep-worker.ts';

const ARRAYS = 64;
const BARE: ClientName = 'raw node:tls';

export const ledger: Question = {
  name: 'ledger',
  title: 'AWS calls per invocation of a warm function, and the cost of a sweep',
  ask: async (quick): Promise<Answer> => {
    const { table, inARow } = await callTable(quick);
    const goal = (name: CountedName, atMost: number): Goal => ({
      what: `sequential AWS calls for a warm ${name}`,
      measured: intervalOf([inARow.get(name) ?? Number.NaN]),
      atMost,
    });
    return {
      tables: [table, await sweepTable(quick)],
      goals: [goal('login', 2), goal('logout', 3)],
      notes: [
        'Steps joined by + are sent in parallel. No response is sent until all of these steps have arrived.',
        `The sweep covers ${ARRAYS} arrays over real TLS connections. The ledger and KMS are in memory.`,
        "The sweep's baseline is a login and logout by the raw client on kept-alive connections.",
      ],
    };
  },
};

/** Lists the steps of each warm function, round by round. Steps that arrive outside their round are listed last. */
async function callTable(quick: boolean): Promise<{ table: Table; inARow: ReadonlyMap<CountedName, number> }> {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(quick, stack);
  const inARow = new Map<CountedName, number>();
  const rows: Cell[][] = [];
  for (const [nth, name] of COUNTED_NAMES.entries()) {
    await perform(stage, name, `cold-${nth}`, (invoke) => invoke());
    const seen = await perform(stage, name, `warm-${nth}`, (invoke) => inRounds(stage, ROUNDS[name], invoke));
    const rounds = [...seen.rounds, ...seen.others.map((step) => [step])];
    const aws = rounds.map((round) => round.filter((step) => !step.includes(' /'))).filter(({ length }) => length > 0);
    inARow.set(name, aws.length);
    rows.push([name, aws.flat().length, aws.length, rounds.map((round) => round.join(' + ')).join(' → ')]);
  }
  return { table: { columns: ['function', 'AWS calls', 'sequential', 'steps'], rows }, inARow };
}

async function sweepTable(quick: boolean): Promise<Table> {
  const count = quick ? 2 * ARRAYS : 10_000;
  const arena = await openArena([BARE]);
  const worker = start<SweepCalls>(new URL('../sweep-worker.ts', import.meta.url));
  try {
    const ports = await arena.server.call('listen', { count: ARRAYS, health: 'healthy' });
    const passes = Math.ceil(count / ARRAYS);
    const compared = await compare(
      [
        {
          name: BARE,
          baseline: BARE,
          run: async () => {
            const { wallMs, cpuMs } = await arena.work(BARE, { ports, passes, concurrency: ARRAYS, keep: true });
            return { wallMs: wallMs / (passes * ARRAYS), cpuMs: cpuMs / (passes * ARRAYS) };
          },
        },
        {
          name: `sweep of ${count} leases`,
          baseline: BARE,
          run: async () => {
            const { wallMs, cpuMs } = await worker.call('sweep', { ports, ca: arena.ca, count });
            return { wallMs: wallMs / count, cpuMs: cpuMs / count };
          },
        },
      ],
      quick ? { rounds: 1, warmUp: 0 } : { rounds: 5, warmUp: 1 },
    );
    return {
      columns: ['per session', 'CPU ms', 'CPU, × baseline', 'sessions per second'],
      rows: compared.map(({ name, cpu, wall }) => [name, cpu.ms.median, cpu.ratio, Math.round(1000 / wall.ms.median)]),
    };
  } finally {
    await worker.stop();
    await arena.stop();
  }
}
