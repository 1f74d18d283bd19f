/** A block of work for one client, with its cost. */
import { mapLimit } from '../../../lib/core/map-limit.ts';
import type { Client } from './client.ts';

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

export async function workWith(client: Client, { ports, passes, concurrency, keep }: Work): Promise<Worked> {
  const cyclesMs: number[] = [];
  const failures: string[] = [];
  const timed = async (port: number) => {
    const startedAt = performance.now();
    try {
      await client.cycle(port);
      cyclesMs.push(performance.now() - startedAt);
    } catch (error) {
      failures.push(String(error));
    }
  };
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  for (let pass = 0; pass < passes; pass++) {
    await mapLimit(ports, concurrency, timed);
    if (!keep) client.close();
  }
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000, cyclesMs, failures };
}
