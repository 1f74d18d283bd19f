/** examples/README.md fits on a screen, and names every example. */
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EXAMPLES, read } from './files.ts';

const README = read('README.md');
const links = (text: string) => Array.from(text.matchAll(/\]\(([^)]+)\)/g), ([, link = '']) => link);
const broken = (text: string) => links(text).filter((link) => !existsSync(resolve(EXAMPLES, link)));

test('the README has at most 40 lines and links to every example', () => {
  expect(README.split('\n').length).toBeLessThanOrEqual(40);
  const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const linked = links(README).map((link) => link.replace(/\/.*/, ''));
  expect([...new Set(linked)].sort()).toEqual(folders.map(({ name }) => name).sort());
});

test('every link in the README leads to a file, and a wrong one is detected', () => {
  expect(broken(README)).toEqual([]);
  expect(broken('[x](python/gone.py)')).toEqual(['python/gone.py']);
});
