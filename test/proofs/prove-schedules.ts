/** Runs many schedules in several dimensions of the world, spread over processes. */
import { brokenCopy, tell } from './controls.ts';
import type { Summary } from './schedules.ts';
import type { Dimension } from './world/dimensions.ts';

/** The module with the function `runSchedules`, from the project's root. */
export const SCHEDULES = 'test/proofs/schedules.ts';

type Share = { readonly from: number; readonly count: number; readonly processes: number };

/** Runs `count` schedules in each dimension, with seeds from `from` upward. Each process stops after ten failures. */
export async function proveSchedules(dimensions: readonly Dimension[], { from, count, processes }: Share) {
  // Nothing is broken in this copy: a bundle starts faster than its sources.
  await using copy = await brokenCopy(SCHEDULES, []);
  const share = Math.ceil(count / processes);
  const shares = Array.from({ length: processes }, (_, n) => [from + n * share, Math.min(share, count - n * share)]);
  const happened: Record<string, number> = {};
  const wrong: { readonly dimension: Dimension; readonly seed: number; readonly what: string }[] = [];
  let schedules = 0;
  for (const dimension of dimensions) {
    const parts = shares.map((part) => tell<Summary>(copy.path, 'runSchedules', [dimension, ...part]));
    for (const part of await Promise.all(parts)) {
      for (const [what, times] of Object.entries(part.happened)) happened[what] = (happened[what] ?? 0) + times;
      wrong.push(...part.wrong.map((one) => ({ dimension, ...one })));
      schedules += part.schedules;
    }
  }
  return { schedules, happened, wrong };
}
