/** Runs many schedules in several dimensions of the world, spread over processes, and lists the mistakes that they must find. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokenCopy, type Patch, tell } from './controls.ts';
import type { Summary } from './schedules.ts';
import { DIMENSION_NAMES, type Dimension } from './world/dimensions.ts';

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

const TEXT = readFileSync(join(import.meta.dirname, 'schedules-mistakes.diff'), 'utf8');
const CHANGE = /((?:^-.*\n)+)((?:^\+.*\n)*)/gm;
const unmarked = (lines: string): string => lines.replace(/^[-+]/gm, '').replace(/\n$/, '');

/** Plausible mistakes that the schedules must find: the entries of schedules-mistakes.diff, which explains itself. */
export const MISTAKES = TEXT.split(/^@@ /m)
  .slice(1)
  .map((entry) => {
    const [, name, seed, what] = /^(.+), (\d+) @@ (.+)\n/.exec(entry) ?? [];
    const dimension = DIMENSION_NAMES.find((one) => one === name);
    if (dimension === undefined) throw new Error(`schedules-mistakes.diff: no dimension in ${entry}`);
    const patches = [...entry.matchAll(/^(\w+\/\S+\.ts)\n((?:[-+].*\n)+)/gm)].flatMap(([, file = '', changes = '']) =>
      [...changes.matchAll(CHANGE)].map(
        ([, find = '', replace = '']): Patch => ({ file, find: unmarked(find), replace: unmarked(replace) }),
      ),
    );
    return { what, dimension, seed: Number(seed), patches };
  });
