/** What docs/security.md says is shown by tests, is. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { README, tableRows } from '../../kit/pages.ts';

const SECURITY = readFileSync(resolve(ROOT, 'docs/security.md'), 'utf8');
const scripts: Record<string, string> = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')).scripts;

const testsIn = (text: string): string[] => [...text.matchAll(/`(test\/[\w/.-]+)`/g)].map(([, path = '']) => path);
/** Rows that name no test, or one that is not there. */
const unshown = (rows: readonly string[][]): string[] =>
  rows
    .filter((row) => {
      const tests = testsIn(row.at(-1) ?? '');
      return tests.length === 0 || !tests.every((path) => path.endsWith('.test.ts') && existsSync(resolve(ROOT, path)));
    })
    .map((row) => row.join(' | '));

test('every threat and every change to the table has a protection and a test that proves it', () => {
  const rows = [...tableRows('who', SECURITY), ...tableRows('change', SECURITY)];
  expect(rows.length).toBeGreaterThan(25);
  expect(unshown(rows)).toEqual([]);
  expect(rows.filter((row) => row.at(-2) === '')).toEqual([]);
});

test('a row without a test, or with one that is not there, is found', () => {
  expect(unshown([['who', 'what', 'how', 'by hope']])).toHaveLength(1);
  expect(unshown([['who', 'what', 'how', '`test/unit/rules/gone.test.ts`']])).toHaveLength(1);
  expect(unshown([['who', 'what', 'how', '`test/unit/rules/security.test.ts`']])).toEqual([]);
});

test('every file, alarm and command that it names is there, and the README points to it', () => {
  for (const path of testsIn(SECURITY)) expect(existsSync(resolve(ROOT, path)), path).toBe(true);
  const runbook = readFileSync(resolve(ROOT, 'docs/operations.md'), 'utf8');
  for (const [, alarm] of SECURITY.matchAll(/`([a-z-]+)` goes off/g)) expect(runbook).toContain(`### ${alarm}\n`);
  for (const [, name = ''] of SECURITY.matchAll(/`npm run ([\w:]+)`/g)) expect(scripts).toHaveProperty(name);
  expect(README).toContain('(docs/security.md)');
});
