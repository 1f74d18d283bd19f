/** Runs cases one after the other, and reports which of them leaked a token. */
import type { Case } from './asking.ts';
import type { World } from './world.ts';

/** On a busy machine, an AWS call sometimes runs out of time and the request of the case is never sent. */
const TRIES = 3;

/** One line for each case that leaked: the case and where. Searches all output at once, and the output of each case only after a hit. */
export async function runCases(w: World, cases: readonly Case[]): Promise<string[]> {
  const marks = [w.mark()];
  for (const one of cases) {
    await runOne(w, one, TRIES);
    marks.push(w.mark());
  }
  const find = w.finder();
  const [start = {}] = marks;
  const all = w.leaksBetween(start, w.mark(), find);
  if (all.length === 0) return [];
  const wrong = cases.flatMap(({ what }, index) => {
    const hits = w.leaksBetween(marks[index] ?? {}, marks[index + 1] ?? {}, find);
    return hits.length > 0 ? [`${what}: told in ${hits.join(', ')}`] : [];
  });
  return wrong.length > 0 ? wrong : [`between two cases: told in ${all.join(', ')}`];
}

async function runOne(w: World, { what, run }: Case, left: number): Promise<void> {
  const name = w.newName();
  w.addArray(name);
  try {
    await run(w, name);
  } catch (error) {
    if (left === 1) throw new Error(`${what}: ${error}`);
    await runOne(w, { what, run }, left - 1);
  }
}
