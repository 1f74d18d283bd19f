/** Measures clients in blocks of logins and logouts. The arrays run in one process, and each client runs in its own. */
import { createAuthority } from '../simulator/certificates.ts';
import { type PresentedCertificate, startSimulator } from '../simulator/index.ts';
import type { ArrayCalls } from './array-server.ts';
import { API_TOKEN, type ClientName } from './clients.ts';
import { type Comparison, compare, type Rounds, type Usage } from './compare.ts';
import { type Process, start } from './process.ts';
import type { Goal, Table } from './report.ts';
import type { Work, Worked, WorkerCalls } from './worker.ts';

export type Arena = {
  readonly server: Process<ArrayCalls>;
  /** PEM certificate of the authority that issued the arrays' certificate. */
  readonly ca: string;
  readonly work: (name: ClientName, work: Work) => Promise<Worked>;
  readonly memoryKib: (name: ClientName) => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** A client and its baseline. */
export type Pair = readonly [client: ClientName, baseline: ClientName];

/** `flags` are Node.js flags for the client processes. Throws if a client fails `checkClient`. */
export async function openArena(names: readonly ClientName[], flags: readonly string[] = []): Promise<Arena> {
  const authority = await createAuthority();
  const { certificate, key, fingerprint } = await authority.issue();
  const ca = authority.certificate;
  const server = start<ArrayCalls>(new URL('array-server.ts', import.meta.url));
  const workers = new Map(
    names.map((name) => [name, start<WorkerCalls>(new URL('worker.ts', import.meta.url), flags)]),
  );
  const workerOf = (name: ClientName): Process<WorkerCalls> => {
    const worker = workers.get(name);
    if (worker === undefined) throw new Error(`no process runs ${name}`);
    return worker;
  };
  const work = (name: ClientName, what: Work) => workerOf(name).call('work', what);
  const stop = async () => {
    await Promise.all([server, ...workers.values()].map((process) => process.stop()));
  };
  try {
    await server.call('present', { cert: certificate, key });
    for (const name of names) {
      await workerOf(name).call('open', { name, identity: { ca, fingerprint } });
      await checkClient(name, (what) => work(name, what), { certificate, key, ca });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { server, ca, work, memoryKib: (name) => workerOf(name).call('memoryKib', undefined), stop };
}

const CHECKED = 3;

/** Runs a client against a simulated array, which records every session. Throws unless each cycle opens a session and logs out. */
export async function checkClient(
  name: string,
  work: (work: Work) => Promise<Worked>,
  certificate: PresentedCertificate,
): Promise<void> {
  const simulator = await startSimulator({ certificate, users: [{ username: 'pureuser', apiToken: API_TOKEN }] });
  try {
    const { failures } = await work({ ports: [simulator.port], passes: CHECKED, concurrency: 1, keep: false });
    if (failures.length > 0) throw new Error(`${name} failed: ${failures[0]}`);
    const opened = simulator.history.length;
    const loggedOut = simulator.history.filter(({ ended }) => ended?.by === 'logout').length;
    if (opened !== CHECKED || loggedOut !== CHECKED) {
      throw new Error(`${name}: ${CHECKED} cycles, but ${opened} logins and ${loggedOut} logouts on the array`);
    }
  } finally {
    await simulator.stop();
  }
}

/** `totals` covers all rounds, including warm-up rounds. */
export type Block = Comparison & { readonly totals: Readonly<Totals> };
type Totals = { cycles: number; connections: number; resumed: number };

/** Measures each client's elapsed time and CPU time per cycle. Throws if a cycle fails. */
export async function compareCycles(
  { server, work }: Arena,
  pairs: readonly Pair[],
  what: Work,
  rounds: Rounds,
): Promise<readonly Block[]> {
  const totals = new Map(pairs.map(([name]): [string, Totals] => [name, { cycles: 0, connections: 0, resumed: 0 }]));
  const totalsOf = (name: string) => totals.get(name) as Totals;
  const run = async (name: ClientName): Promise<Usage> => {
    await server.call('counts', undefined);
    const { wallMs, cpuMs, cyclesMs, failures } = await work(name, what);
    const { connections, resumed } = await server.call('counts', undefined);
    if (failures.length > 0)
      throw new Error(`${name}: ${failures.length} cycles failed, the first with ${failures[0]}`);
    const total = totalsOf(name);
    total.cycles += cyclesMs.length;
    total.connections += connections;
    total.resumed += resumed;
    return { wallMs: wallMs / cyclesMs.length, cpuMs: cpuMs / cyclesMs.length };
  };
  const compared = await compare(
    pairs.map(([name, baseline]) => ({ name, baseline, run: () => run(name) })),
    rounds,
  );
  return compared.map((comparison) => ({ ...comparison, totals: totalsOf(comparison.name) }));
}

/** Measures clients against a single array. */
export async function besideOneArray(
  pairs: readonly Pair[],
  what: Pick<Work, 'passes' | 'keep'>,
  rounds: Rounds,
): Promise<readonly Block[]> {
  const arena = await openArena(pairs.map(([client]) => client));
  try {
    const ports = await arena.server.call('listen', { count: 1, health: 'healthy' });
    return await compareCycles(arena, pairs, { ...what, ports, concurrency: 1 }, rounds);
  } finally {
    await arena.stop();
  }
}

const isOurs = ({ name }: Block): boolean => name.startsWith('this library');

export const goalsOf = (blocks: readonly Block[], of: 'cpu' | 'wall', atMost: number): Goal[] =>
  blocks.filter(isOurs).map((block) => ({
    what: `${of === 'cpu' ? 'CPU' : 'time'} for ${block.name}`,
    measured: block[of].ratio,
    atMost,
  }));

/** Returns a table with one row per client. Times are per cycle. */
export const cycleTable = (blocks: readonly Block[]): Table => ({
  columns: ['client', 'CPU ms', 'CPU, × baseline', 'time ms', 'time, × baseline', 'baseline', 'connections', 'resumed'],
  rows: blocks.map(({ name, baseline, cpu, wall, totals: { cycles, connections, resumed } }) => {
    const opened = `${connections} for ${cycles} cycles`;
    return [name, cpu.ms.median, cpu.ratio, wall.ms.median, wall.ratio, baseline, opened, resumed];
  }),
});
