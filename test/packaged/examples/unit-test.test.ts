/** examples/typescript/unit-test.test.ts: type-checked and run by `node --test` in a project that has the packed library installed. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { installLibrary } from '../library/install.ts';
import { changed, EXAMPLES, read, start } from './files.ts';

const FILE = 'unit-test.test.ts';
const PROGRAM = read(`typescript/${FILE}`);

let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'flashblade-unit-test-'));
  for (const file of ['package.json', 'tsconfig.json'])
    await cp(join(EXAMPLES, 'typescript', file), join(project, file));
  await installLibrary(project);
  await writeFile(join(project, 'tsconfig.test.json'), JSON.stringify({ extends: './tsconfig.json', files: [FILE] }));
});
afterAll(() => rm(project, { recursive: true, force: true }));

async function run(program: string, args: readonly string[]) {
  await writeFile(join(project, FILE), program);
  return start(process.execPath, args, { cwd: project, env: {} }).ended;
}

test('the test type-checks, and a misspelt option does not', async () => {
  const tsc = [resolve(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.test.json'];
  expect(await run(PROGRAM, tsc)).toEqual({ code: 0, stdout: '', stderr: '' });
  expect((await run(changed(PROGRAM, 'respond:', 'response:'), tsc)).stdout).toContain("'response' does not exist");
});

test('the test passes with an empty environment', async () => {
  const { code, stdout, stderr } = await run(PROGRAM, ['--test', FILE]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/pass 1\n.*fail 0\n/);
});

test.each([
  ['counts wrongly', '.length;', '.length + 1;', 'Expected values to be strictly equal'],
  [
    'leaves a session open',
    '(await fleet.withSession(array, (fb) =>',
    '(await fleet.withLease((await fleet.open(array)).leaseId, (fb) =>',
    'these leases are still open: id-1 on fb1',
  ],
])('the test fails if the code %s', async (_, find, replacement, why) => {
  const { code, stdout } = await run(changed(PROGRAM, find, replacement), ['--test', FILE]);
  expect(code).toBe(1);
  expect(stdout).toContain(why);
});
