/** Runs many schedules in several dimensions of the world, spread over processes. */
import { tell } from './program.ts';
import type { Summary } from './schedules-program.ts';
import type { Dimension } from './world/dimensions.ts';

/** The program, from the project's root. */
export const SCHEDULES = 'test/proofs/schedules-program.ts';

export type Proved = {
  readonly schedules: number;
  readonly happened: Readonly<Record<string, number>>;
  readonly wrong: readonly { readonly dimension: Dimension; readonly seed: number; readonly what: string }[];
};

type Share = { readonly from: number; readonly count: number; readonly processes: number };

/** Runs `count` schedules in each dimension, with seeds from `from` upward. Each process stops after ten failures. */
export async function proveSchedules(
  dimensions: readonly Dimension[],
  { from, count, processes }: Share,
): Promise<Proved> {
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

  for (const dimension of dimensions) {
    await Promise.all(Array.from({ length: processes }, (_, index) => prove(dimension, index)));
  }
  return { schedules, happened, wrong };
}
