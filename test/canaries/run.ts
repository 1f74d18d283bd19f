/** Runs cases one after the other, and says which of them made something tell a token. */
import type { Case } from './asking.ts';
import type { World } from './world.ts';

/** A line for each case that told: what it was, and where. All is searched at once; what each case told, only if something was. */
export async function runCases(w: World, cases: readonly Case[]): Promise<string[]> {
  const marks = [w.mark()];
  for (const { run } of cases) {
    const name = w.newName();
    w.addArray(name);
    await run(w, name);
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
