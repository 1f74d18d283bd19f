/** One pass over a fleet. */
import type { Work } from '../subjects/work.ts';

export const CONCURRENCY = 64;

/** Each array once. `keep`: connections stay open. */
export const onceOver = (ports: readonly number[], keep = false): Work => ({
  ports,
  passes: 1,
  concurrency: CONCURRENCY,
  keep,
});
