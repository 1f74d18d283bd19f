import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { readCommand } from '../../../scripts/bench/arguments.ts';
import type { Report } from '../../../scripts/bench/report.ts';

const BENCH = new URL('../../../scripts/bench.ts', import.meta.url).pathname;
const bench = (...args: string[]) => promisify(execFile)(process.execPath, [BENCH, ...args]);

/** It opens two for one login and logout. */
const MORE_THAN_ONE = expect.toSatisfy((count: number) => count > 1);
const GOALS = { warm: 2, fresh: 2, overhead: 2, fleet: 4, ledger: 1 };

test.for(['warm', 'fresh', 'overhead', 'fleet', 'ledger'] as const)(
  'npm run bench answers the question %s with tables, goals and files',
  { timeout: 180_000 },
  async (name) => {
    const folder = await mkdtemp(join(tmpdir(), 'flashblade-bench-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [md, svg] = [join(folder, 'bench.md'), join(folder, 'bench.svg')];
    const { stdout } = await bench('--quick', '--json', '--question', name, '--markdown', md, '--plot', svg);
    const { header, answered }: Report = JSON.parse(stdout);

    expect(header['seed']).toMatch(/^1 \(quick/);
    expect(answered.map(({ question }) => question.name)).toEqual([name]);
    for (const { answer } of answered) {
      expect(answer.goals).toHaveLength(GOALS[name]);
      for (const { measured } of [...answer.goals, ...answer.ratios])
        expect(measured.median).toEqual(expect.any(Number));
      for (const { columns, rows } of answer.tables) {
        for (const row of rows) expect(row).toHaveLength(columns.length);
      }
      if (name === 'warm') {
        const connections = answer.tables[0]?.rows.map((row) => [row[0], Number(row[6]?.split(' ')[0])]);
        expect(Object.fromEntries(connections ?? [])).toMatchObject({
          'raw node:tls': 1,
          'global fetch': MORE_THAN_ONE,
        });
      }
      expect(await readFile(svg, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
      const written = await readFile(md, 'utf8');
      for (const { columns } of answer.tables) expect(written).toContain(`| ${columns.join(' | ')} |`);
    }
  },
);

test.for([
  [['--question', 'other'], '--question must be one of warm'],
  [['--seed', 'x'], '--seed must be a whole number'],
  [['--fast'], "'--fast'"],
] satisfies [string[], string][])('%j is no command', ([args, reason]) => {
  expect(() => readCommand(args, ['warm'])).toThrow(reason);
});

test('npm run bench tells its usage about what is no command', async () => {
  const failed: { code?: number; stderr?: string } = await bench('--question', 'other').then(
    () => ({}),
    (error) => error,
  );
  expect(failed.code).toBe(2);
  expect(failed.stderr).toContain('npm run bench -- [options]');
});
