/** Many schedules in every dimension of the world, shared out over processes. */
import { tell } from './program.ts';
import type { Summary } from './schedules-program.ts';
import { DIMENSION_NAMES, type Dimension } from './world/dimensions.ts';

/** The program, from the project's root. */
export const SCHEDULES = 'test/proofs/schedules-program.ts';

export type Proved = {
  readonly schedules: number;
  readonly happened: Readonly<Record<string, number>>;
  readonly wrong: readonly { readonly dimension: Dimension; readonly seed: number; readonly what: string }[];
};

/** Runs `count` schedules per dimension with the seeds from `from` on. Each process stops when ten have gone wrong. */
export async function proveSchedules(options: { from: number; count: number; processes: number }): Promise<Proved> {
  const { from, count, processes } = options;
  const share = Math.ceil(count / processes);
  const happened: Record<string, number> = {};
  const wrong: Proved['wrong'][number][] = [];
  let schedules = 0;

  async function prove(dimension: Dimension, index: number): Promise<void> {
    const args = [dimension, from + index * share, Math.min(share, count - index * share)];
    const part = await tell<Summary>(SCHEDULES, args);
    for (const [what, times] of Object.entries(part.happened)) happened[what] = (happened[what] ?? 0) + times;
    wrong.push(...part.wrong.map((one) => ({ dimension, ...one })));
    schedules += part.schedules;
  }

  for (const dimension of DIMENSION_NAMES) {
    await Promise.all(Array.from({ length: processes }, (_, index) => prove(dimension, index)));
  }
  return { schedules, happened, wrong };
}
