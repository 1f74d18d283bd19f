/** Runs schedules: `<dimension> <first seed> <count> [enough]`. Stops after `enough` failures and prints a summary as JSON. */
import { runSchedule } from './schedules.ts';
import type { Dimension } from './world/dimensions.ts';

export type Summary = {
  readonly schedules: number;
  /** How often each kind of event happened, in all schedules together. */
  readonly happened: Readonly<Record<string, number>>;
  readonly wrong: readonly { readonly seed: number; readonly what: string }[];
};

async function runSchedules(dimension: Dimension, from: number, count: number, enough: number): Promise<Summary> {
  const happened: Record<string, number> = {};
  const wrong: { seed: number; what: string }[] = [];
  let schedules = 0;
  while (schedules < count && wrong.length < enough) {
    const outcome = await runSchedule(from + schedules++, dimension);
    for (const [what, times] of outcome.happened) happened[what] = (happened[what] ?? 0) + times;
    if (outcome.wrong !== undefined) wrong.push({ seed: outcome.seed, what: outcome.wrong });
  }
  return { schedules, happened, wrong };
}

const [dimension = 'plain', ...numbers] = process.argv.slice(2);
const [from = 1, count = 1, enough = 10] = numbers.map(Number);
process.stdout.write(JSON.stringify(await runSchedules(dimension as Dimension, from, count, enough)));
