import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { cpuMsOf } from '../../../scripts/bench/cold/cpu.ts';
import { type Login, partsTable } from '../../../scripts/bench/cold/parts.ts';
import { checkLease } from '../../../scripts/bench/cold/stage.ts';
import { askCold } from '../../../scripts/bench/questions/cold.ts';
import { functionEntries } from '../../../scripts/build.ts';
import { zipOf } from '../../kit/packaged.ts';

// Only Linux reports another process's CPU time.
const onLinux = test.skipIf(process.platform !== 'linux');

onLinux(
  'the question cold tells every part of a cold start, and what each function adds',
  { timeout: 180_000 },
  async () => {
    const { tables, goals, ratios } = await askCold({ quick: true, seed: 1 }, dirname(zipOf('login')));
    const [starts, parts, imports] = tables;
    expect(starts?.rows.map(([name]) => name)).toEqual([
      'empty handler',
      'login, first lease',
      'login, first lease that its array ever has',
    ]);
    expect(parts?.rows.map(([name]) => name)).toEqual([
      'boot',
      'start',
      'secret',
      'ledger, before the login',
      'login',
      'ledger, after the login',
    ]);
    expect(imports?.rows).toHaveLength(functionEntries().length);
    for (const { columns, rows } of tables) for (const row of rows) expect(row).toHaveLength(columns.length);
    expect(goals.map(({ atMost, unit }) => `${atMost} ${unit}`)).toEqual(['3 ×', '350 KiB']);
    // Whatever the machine: a login does all that the empty handler does, and more.
    for (const { measured } of ratios.slice(1)) expect(measured.low).toBeGreaterThan(1);
  },
);

const usage = (ms: number) => ({ wallMs: 2 * ms, cpuMs: ms });
const login = (slower: number): Login => ({
  asked: usage(50 + slower),
  secret: usage(70 + slower),
  intent: usage(85 + slower),
  session: usage(95 + slower),
  done: usage(100 + slower),
});
const empty = (slower: number) => ({ asked: usage(30 + slower), done: usage(31 + slower) });

test('the parts of a cold start add up to it, and a round that was slow as a whole is compared with itself', () => {
  const { rows } = partsTable([login(0), login(40), login(5)], [empty(0), empty(40), empty(5)]);
  const median = (cell: string | undefined) => Number(cell?.split(' ')[0]);
  expect(rows.map((row) => median(row[2]))).toEqual([35, 20, 20, 15, 10, 5]);
  expect(rows.map((row) => median(row[4]))).toEqual([70, 40, 40, 30, 20, 10]);
  expect(rows[1]?.[2]).toBe('20.00 (20.00–20.00)');
  expect(rows[1]?.[3]).toBe('19 %');
});

test('a login without its empty handler is no measurement', () => {
  expect(() => partsTable([login(0)], [])).toThrow('no empty handler was started in round 0');
});

test.for([
  [{ error: { errorType: 'LOGIN_REFUSED', errorMessage: 'no' } }, 1, 'login gave no lease: {"error"'],
  [{ killed: 'SIGKILL' }, 1, 'login gave no lease'],
  [{ result: null }, 1, 'login gave no lease'],
  [{ result: { array: 'fb1' } }, 1, 'login gave no lease'],
  [{ result: { leaseId: 'a', array: 'fb2' } }, 1, 'login gave no lease'],
  [{ result: { leaseId: 'a', array: 'fb1' } }, 0, 'the array has 0 more sessions, not one'],
] satisfies [Parameters<typeof checkLease>[0], number, string][])(
  'a login that ends with %j and %d more sessions is found out',
  ([outcome, opened, reason]) => {
    expect(() => checkLease(outcome, { array: 'fb1', opened })).toThrow(reason);
  },
);

onLinux('the CPU time of a process is that of all its threads', async () => {
  const burn = `
    const { parentPort } = require('node:worker_threads');
    const before = process.threadCpuUsage();
    let used = 0;
    while (used < 100_000) {
      const { user, system } = process.threadCpuUsage(before);
      used = user + system;
    }
    parentPort.postMessage('burnt');
    parentPort.once('message', () => {});
  `;
  const before = cpuMsOf(process.pid);
  const worker = new Worker(burn, { eval: true });
  await new Promise((burnt) => worker.once('message', burnt));
  expect(cpuMsOf(process.pid) - before).toBeGreaterThan(50);
  await worker.terminate();
});

test('a process that is not there has no CPU time', () => {
  expect(() => cpuMsOf(2 ** 30)).toThrow('ENOENT');
});
