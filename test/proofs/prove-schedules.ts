/** Many schedules, shared out over processes. */
import { tell } from './program.ts';
import type { Summary } from './schedules-program.ts';

/** The program, from the project's root. */
export const SCHEDULES = 'test/proofs/schedules-program.ts';

/** Runs schedules with the seeds from `from` on, in so many processes. Each stops when ten have gone wrong. */
export async function proveSchedules(from: number, count: number, processes: number): Promise<Summary> {
  const share = Math.ceil(count / processes);
  const parts = await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      tell<Summary>(SCHEDULES, [from + index * share, Math.min(share, count - index * share)]),
    ),
  );
  const happened: Record<string, number> = {};
  for (const part of parts) {
    for (const [what, times] of Object.entries(part.happened)) happened[what] = (happened[what] ?? 0) + times;
  }
  return {
    schedules: parts.reduce((sum, { schedules }) => sum + schedules, 0),
    happened,
    wrong: parts.flatMap(({ wrong }) => wrong),
  };
}
