/** Plausible mistakes that the schedules must find: the entries of schedules-mistakes.diff, which explains itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Patch } from './controls.ts';
import { DIMENSION_NAMES } from './world/dimensions.ts';

const TEXT = readFileSync(join(import.meta.dirname, 'schedules-mistakes.diff'), 'utf8');
const CHANGE = /((?:^-.*\n)+)((?:^\+.*\n)*)/gm;
const unmarked = (lines: string): string => lines.replace(/^[-+]/gm, '').replace(/\n$/, '');

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
