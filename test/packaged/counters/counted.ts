/** Counts the connections that a function opens. */
import type { Everything } from './deployment.ts';

export type Counts = {
  /** To the array. */
  readonly connections: number;
  readonly fullHandshakes: number;
  readonly resumedHandshakes: number;
  readonly awsConnections: number;
};

/** Counts the connections that are opened during `work`. */
export async function counted<T>(
  d: Everything,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly counts: Counts }> {
  const [before, awsBefore] = [d.simulator.counters, d.awsConnections()];
  const result = await work();
  const after = d.simulator.counters;
  return {
    result,
    counts: {
      connections: after.connections - before.connections,
      fullHandshakes: after.fullHandshakes - before.fullHandshakes,
      resumedHandshakes: after.resumedHandshakes - before.resumedHandshakes,
      awsConnections: d.awsConnections() - awsBefore,
    },
  };
}
