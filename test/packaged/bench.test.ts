/** `npm run bench -- --quick` measures everything that the documentation cites. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Interval } from '../../bench/compare.ts';
import type { Cell, Report } from '../../bench/report.ts';
import { functionEntries, ROOT } from '../../scripts/build.ts';

/** One table of each question: its columns, the names of its rows, and how many goals the question has. */
const QUESTIONS = {
  warm: [['raw node:tls', 'this library', 'undici dispatch', 'node:https', 'global fetch'], 2],
  fresh: [['this library', 'node:https', 'this library, fingerprint'], 2],
  cold: [['empty handler', 'login', 'login, first lease on an array'], 2],
  overhead: [['bare client', 'login and logout'], 0],
  fleet: [['this library', 'this library, fingerprint'], 4],
  check: [['duration, s', 'checked', 'not checked', 'healthy arrays reported unhealthy'], 4],
  ledger: [['login', 'logout'], 2],
} as const satisfies Record<string, [rows: readonly string[], goals: number]>;

const isNumber = (cell: Cell | undefined): boolean => Number.isFinite((cell as Interval)?.median ?? cell);

test.concurrent.for(Object.entries(QUESTIONS))(
  'npm run bench answers the question %s',
  async ([name, [rows, goals]]) => {
    const args = [resolve(ROOT, 'bench/main.ts'), '--quick', '--json', '--question', name];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { answers }: Report = JSON.parse(stdout);
    const [answer, ...others] = answers;
    expect([answer?.name, others]).toEqual([name, []]);
    for (const { columns, rows } of answer?.tables ?? []) {
      for (const row of rows) {
        expect(row).toHaveLength(columns.length);
        expect(row.some(isNumber), `${row[0]} has numbers`).toBe(true);
      }
    }
    const [table] = answer?.tables ?? [];
    expect(table?.rows.map(([first]) => first)).toEqual(expect.arrayContaining([...rows]));
    expect(answer?.goals.filter(({ measured }) => isNumber(measured))).toHaveLength(goals);

    const cell = (row: string, column: string): Cell | undefined =>
      table?.rows.find(([first]) => first === row)?.[table.columns.indexOf(column)];
    if (name === 'warm') {
      expect(cell('raw node:tls', 'connections')).toBe('1 for 15 cycles');
      expect(Number.parseInt(String(cell('global fetch', 'connections')), 10)).toBeGreaterThan(1);
    }
    if (name === 'cold') {
      expect(table?.rows).toHaveLength(functionEntries().length + 2);
      // Whatever the machine: a login does everything that the empty handler does, and more.
      expect((cell('login', 'CPU, × empty') as Interval).median).toBeGreaterThan(1);
    }
    if (name === 'ledger') {
      expect([cell('login', 'sequential'), cell('logout', 'sequential')]).toEqual([2, 3]);
    }
  },
);
