/** Runs blocks of cycles on request. Each client has its own worker process. */
import { mapLimit } from '../lib/core/map-limit.ts';
import { CLIENTS, type Client, type ClientName, type Identity } from './clients.ts';
import type { Usage } from './compare.ts';
import { expose, using } from './process.ts';

/** Each pass runs one cycle per port. Connections close after each pass unless `keep` is set. */
export type Work = {
  readonly ports: readonly number[];
  readonly passes: number;
  readonly concurrency: number;
  readonly keep: boolean;
};

/** `cyclesMs` has the duration of each successful cycle. */
export type Worked = Usage & { readonly cyclesMs: readonly number[]; readonly failures: readonly string[] };

let client: Client | undefined;

const handlers = {
  open: async ({ name, identity }: { name: ClientName; identity: Identity }): Promise<void> => {
    client = await CLIENTS[name](identity);
  },
  work: async ({ ports, passes, concurrency, keep }: Work): Promise<Worked> => {
    const cyclesMs: number[] = [];
    const failures: string[] = [];
    const cycle = async (port: number) => {
      const startedAt = performance.now();
      try {
        await client?.cycle(port);
        cyclesMs.push(performance.now() - startedAt);
      } catch (error) {
        failures.push(String(error));
      }
    };
    const usage = await using(async () => {
      for (let pass = 0; pass < passes; pass++) {
        await mapLimit(ports, concurrency, cycle);
        if (!keep) client?.close();
      }
    });
    return { ...usage, cyclesMs, failures };
  },
  /** Returns the resident memory after garbage collection, in KiB. */
  memoryKib: (): number => {
    for (let nth = 0; nth < 3; nth++) globalThis.gc?.();
    return process.memoryUsage.rss() / 1024;
  },
};
export type WorkerCalls = typeof handlers;

expose(handlers);
