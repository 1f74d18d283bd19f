/** examples/typescript: type-checked and run in a project that has the packed library installed. */
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { VERSION } from '../../../lib/index.ts';
import { ROOT } from '../../../scripts/build.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { installLibrary } from '../library/install.ts';
import { changed, EXAMPLES, read, start } from './files.ts';

const PROGRAM = read('typescript/list-file-systems.ts');
const FILE_SYSTEMS = 'home 512 GiB\nprojects 2048 GiB\nrender 8192 GiB\nscratch 1024 GiB\n';

let project: string;
let d: Deployment;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'flashblade-example-'));
  await cp(join(EXAMPLES, 'typescript'), project, { recursive: true });
  await installLibrary(project);
  d = await deploy({ functions: [] });
  d.addArray('fb1');
  d.addArray('down', { host: '127.0.0.1:1' });
});

afterEach(() => {
  d.watchArray(undefined);
  for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
});

afterAll(async () => {
  await d?.stop();
  await rm(project, { recursive: true, force: true });
});

async function run(array: string, program = PROGRAM) {
  await writeFile(join(project, 'list-file-systems.ts'), program);
  return start(process.execPath, ['list-file-systems.ts', array], { cwd: project, env: d.env });
}

const states = async () => (await d.items()).filter(({ kind }) => kind === 'lease').map(({ state }) => state);

test('the program type-checks with its own tsconfig.json', async () => {
  const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  const check = () => start(process.execPath, [tsc], { cwd: project, env: {} }).ended;
  expect(await check()).toEqual({ code: 0, stdout: '', stderr: '' });
  await writeFile(join(project, 'list-file-systems.ts'), changed(PROGRAM, 'leaseSeconds: 600', 'leaseMinutes: 10'));
  expect((await check()).stdout).toContain('leaseMinutes');
});

test('package.json names the tarball that `npm run library` writes', () => {
  const { dependencies } = JSON.parse(read('typescript/package.json'));
  expect(dependencies).toEqual({ 'flashblade-sessions': `file:flashblade-sessions-${VERSION}.tgz` });
});

test.each([
  ['in one page', PROGRAM, 1],
  ['page by page', changed(PROGRAM, 'limit: 100', 'limit: 3'), 2],
])('the program lists the file systems %s and closes its session', async (_, program, pages) => {
  const before = d.simulator.requests.length;
  const { code, stdout, stderr } = await (await run('fb1', program)).ended;
  expect([code, stdout, stderr]).toEqual([0, `${FILE_SYSTEMS}4 file systems on fb1\n`, '']);
  const paths = d.simulator.requests.slice(before).map(({ path }) => path.replace(/.*\//, ''));
  expect(paths).toEqual(['login', 'api_version', ...Array(pages).fill('file-systems'), 'logout']);
  expect(d.simulator.sessions()).toEqual([]);
  expect(new Set(await states())).toEqual(new Set(['CLOSED']));
  expect(await d.leaks({ stdout })).toEqual([]);
});

test.each([
  ['unknown', 'ARRAY_UNKNOWN', 1],
  ['down', 'ARRAY_UNREACHABLE', 75],
])('for the array "%s" the program reports %s and exits with %i', async (array, error, exitCode) => {
  const { code, stderr } = await (await run(array)).ended;
  expect(code).toBe(exitCode);
  expect(stderr).toMatch(new RegExp(`^${error}: .*${array}`, 'm'));
});

test.each([
  ['closes its session first', PROGRAM, 0],
  ['leaves it open without closeOnSignals', changed(PROGRAM, 'closeOnSignals();', ''), 1],
])('the program, stopped by SIGTERM in the middle of its work, %s', async (_, program, left) => {
  const [working, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  d.watchArray(async (phase, { path }) => {
    if (phase !== 'done' || !path.endsWith('/file-systems')) return;
    working.resolve();
    await released.promise;
  });
  const { child } = await run('fb1', program);
  const exit = once(child, 'exit');
  try {
    await working.promise;
    expect(d.simulator.sessions()).toHaveLength(1);
    child.kill('SIGTERM');
    expect(await exit).toEqual([null, 'SIGTERM']);
    expect(d.simulator.sessions()).toHaveLength(left);
  } finally {
    child.kill('SIGKILL');
    released.resolve();
  }
});
