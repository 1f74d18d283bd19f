/** Where clients are measured: one process with the arrays, one with each client, all idle until they are asked. */
import { createAuthority } from '../../simulator/certificates.ts';
import { API_TOKEN, checkClient } from './check.ts';
import { type Process, start } from './process.ts';
import type { ServerCalls } from './server-process.ts';
import type { ClientName } from './subjects/clients.ts';
import type { WorkerCalls } from './subjects/worker.ts';

export type Arena = {
  readonly server: Process<ServerCalls>;
  readonly workers: ReadonlyMap<ClientName, Process<WorkerCalls>>;
  readonly stop: () => Promise<void>;
};

const SERVER = new URL('server-process.ts', import.meta.url);
const WORKER = new URL('subjects/worker.ts', import.meta.url);

/**
 * Starts the processes, those of clients with more `flags` of Node's. Throws if a client does not log in and out as often as it says: its
 * numbers would mean nothing.
 */
export async function openArena(names: readonly ClientName[], flags: readonly string[] = []): Promise<Arena> {
  const authority = await createAuthority();
  const { certificate, key, fingerprint } = await authority.issue();
  const server = start<ServerCalls>(SERVER);
  const workers = new Map(names.map((name) => [name, start<WorkerCalls>(WORKER, flags)]));
  const stop = async () => {
    await Promise.all([server, ...workers.values()].map((process) => process.stop()));
  };
  try {
    await server.call('present', { cert: certificate, key });
    const place = { host: '127.0.0.1', ca: authority.certificate, fingerprint, apiToken: API_TOKEN };
    for (const [name, worker] of workers) {
      await worker.call('open', { name, place });
      await checkClient(name, (work) => worker.call('work', work), { certificate, key, ca: authority.certificate });
    }
    return { server, workers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
