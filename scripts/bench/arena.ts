/** Where clients are measured: one process with the arrays, one with each client, all idle until they are asked. */
import { createAuthority } from '../../test/certificates.ts';
import { startSimulator } from '../../test/simulator/index.ts';
import { type Process, start } from './process.ts';
import type { ServerCalls } from './server-process.ts';
import type { ClientName } from './subjects/clients.ts';
import type { Work, WorkerCalls } from './subjects/worker.ts';

export type Worker = Process<WorkerCalls>;

export type Arena = {
  readonly server: Process<ServerCalls>;
  readonly workers: ReadonlyMap<ClientName, Worker>;
  readonly stop: () => Promise<void>;
};

const HOST = '127.0.0.1';
const API_TOKEN = 'T-00000000-1111-2222-3333-444444444444';
const CHECKED_CYCLES = 3;

/** Starts the processes. Throws if a client does not log in and out as often as it says: nothing of it would mean anything. */
export async function openArena(names: readonly ClientName[]): Promise<Arena> {
  const authority = await createAuthority();
  const issued = await authority.issue();
  const server = start<ServerCalls>(new URL('server-process.ts', import.meta.url));
  const workers = new Map(
    names.map((name) => [name, start<WorkerCalls>(new URL('subjects/worker.ts', import.meta.url))]),
  );
  const stop = async () => {
    await Promise.all([server, ...workers.values()].map((process) => process.stop()));
  };
  try {
    await server.call('present', { cert: issued.certificate, key: issued.key });
    const place = { host: HOST, ca: authority.certificate, fingerprint: issued.fingerprint, apiToken: API_TOKEN };
    for (const [name, worker] of workers) {
      await worker.call('open', { name, place });
      await checkClient(name, worker, { certificate: issued.certificate, key: issued.key, ca: authority.certificate });
    }
    return { server, workers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Lets a client work on the simulated array, which knows every session: each must have been opened, and ended by a logout. */
export async function checkClient(
  name: string,
  worker: Pick<Worker, 'call'>,
  certificate: { readonly certificate: string; readonly key: string; readonly ca: string },
): Promise<void> {
  const simulator = await startSimulator({ certificate, users: [{ username: 'pureuser', apiToken: API_TOKEN }] });
  try {
    const work: Work = { ports: [simulator.port], passes: CHECKED_CYCLES, concurrency: 1, keep: false };
    const { failures } = await worker.call('work', work);
    if (failures.length > 0) throw new Error(`${name} fails: ${failures[0]}`);
    const opened = simulator.history.length;
    const loggedOut = simulator.history.filter(({ ended }) => ended?.by === 'logout').length;
    if (opened !== CHECKED_CYCLES || loggedOut !== CHECKED_CYCLES) {
      throw new Error(`${name}: ${CHECKED_CYCLES} cycles, but ${opened} logins and ${loggedOut} logouts at the array`);
    }
  } finally {
    await simulator.stop();
  }
}
