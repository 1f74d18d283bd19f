/** Runs cases one after the other, and says which of them made something tell a token. */
import type { Case } from './asking.ts';
import type { World } from './world.ts';

/** On a busy machine an AWS call runs out of time now and then, and nobody is asked what the case is about. */
const TRIES = 3;

/** A line for each case that told: what it was, and where. All is searched at once; what each case told, only if something was. */
export async function runCases(w: World, cases: readonly Case[]): Promise<string[]> {
  const marks = [w.mark()];
  for (const one of cases) {
    await runOne(w, one, TRIES);
    marks.push(w.mark());
  }
  const find = w.finder();
  const [start = {}] = marks;
  const all = w.toldBetween(start, w.mark(), find);
  if (all.length === 0) return [];
  const wrong = cases.flatMap(({ what }, index) => {
    const places = w.toldBetween(marks[index] ?? {}, marks[index + 1] ?? {}, find);
    return places.length > 0 ? [`${what}: told in ${places.join(', ')}`] : [];
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
