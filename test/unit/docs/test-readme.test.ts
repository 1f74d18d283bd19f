/** The examples of test/README.md are parts of the tests. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { examples } from '../../kit/pages.ts';

const FOLDER = resolve(ROOT, 'test');
const TEXT = readFileSync(resolve(FOLDER, 'README.md'), 'utf8');

/** An example names its file in a comment, and then quotes it. */
const isQuoted = (example: string): boolean => {
  const [first = '', ...rest] = example.split('\n');
  return readFileSync(resolve(ROOT, first.replace('// ', '')), 'utf8').includes(rest.join('\n'));
};

it('every example is a part of the file that it names', () => {
  const all = [...examples('ts quote', TEXT), ...examples('diff quote', TEXT)];
  expect(all).toHaveLength(3);
  expect(all.filter((example) => !isQuoted(example))).toEqual([]);
});

it('an example that differs from its file is found', () => {
  const [example = ''] = examples('ts quote', TEXT);
  expect(isQuoted(example.replace('w.dropSessions()', 'w.dropSession()'))).toBe(false);
});
