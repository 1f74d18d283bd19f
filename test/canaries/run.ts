/** Runs cases one after the other, and says which of them made something tell a token. */
import type { Case } from './asking.ts';
import type { World } from './world.ts';

/** A line for each case that told: what it was, and where. */
export async function runCases(w: World, cases: readonly Case[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { what, run } of cases) {
    const name = w.newName();
    w.addArray(name);
    const places = w.watch();
    await run(w, name);
    const found = places();
    if (found.length > 0) wrong.push(`${what}: told in ${found.join(', ')}`);
  }
  return wrong;
}
