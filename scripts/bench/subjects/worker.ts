/** Started as a process, one per client: idle until it is asked for a block of work. */
import { eachOf } from '../../../lib/ground/pool.ts';
import { answer } from '../process.ts';
import type { Client, Place } from './client.ts';
import { CLIENTS, type ClientName } from './clients.ts';

/** In each pass every port gets one cycle; connections end with the pass unless they are kept. */
export type Work = {
  readonly ports: readonly number[];
  readonly passes: number;
  readonly concurrency: number;
  readonly keep: boolean;
};

/** Milliseconds. `cpuMs`: of all threads of this process. */
export type Worked = {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** How long each cycle took that succeeded. */
  readonly cyclesMs: readonly number[];
  /** What the others failed with. */
  readonly failures: readonly string[];
};

let client: Client | undefined;

const handlers = {
  open: async ({ name, place }: { name: ClientName; place: Place }): Promise<void> => {
    client = await CLIENTS[name](place);
  },
  work: async (work: Work): Promise<Worked> => {
    const cyclesMs: number[] = [];
    const failures: string[] = [];
    const timed = async (port: number) => {
      const startedAt = performance.now();
      try {
        await client?.cycle(port);
        cyclesMs.push(performance.now() - startedAt);
      } catch (error) {
        failures.push(String(error));
      }
    };
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    for (let pass = 0; pass < work.passes; pass++) {
      await eachOf(work.ports, work.concurrency, timed);
      if (!work.keep) client?.close();
    }
    const wallMs = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs, cpuMs: (user + system) / 1000, cyclesMs, failures };
  },
  /** KiB in use after garbage collection: of the process, and of JavaScript's heap and buffers. */
  memory: (): { readonly rssKiB: number; readonly heapKiB: number } => {
    for (let times = 0; times < 3; times++) globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rssKiB: rss / 1024, heapKiB: (heapUsed + external) / 1024 };
  },
  close: (): void => client?.close(),
};
export type WorkerCalls = typeof handlers;

answer(handlers);
