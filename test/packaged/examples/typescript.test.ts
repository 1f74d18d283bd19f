/** examples/typescript: type-checked and run in a project that has the packed library installed. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { VERSION } from '../../../lib/index.ts';
import { ROOT } from '../../../scripts/build.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { installLibrary } from '../library/install.ts';
import { changed, EXAMPLES, read, start } from './files.ts';

const text = (name: string): string => read(`typescript/${name}`);
const PROGRAMS = readdirSync(join(EXAMPLES, 'typescript')).filter((name) => name.endsWith('.ts'));
const NAMES = 'home, projects, render, scratch';

let project: string;
let d: Deployment;
/** The ids of the items in the ledger before the test. */
let before: ReadonlySet<string | undefined>;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'flashblade-example-'));
  await cp(join(EXAMPLES, 'typescript'), project, { recursive: true });
  await installLibrary(project);
  d = await deploy({ functions: [] });
  d.addArray('fb1');
  d.addArray('fb2');
  d.addArray('down', { host: '127.0.0.1:1' });
});

beforeEach(async () => {
  before = new Set((await d.items()).map(({ id }) => id));
});

afterEach(() => {
  d.watchArray(undefined);
  for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
});

afterAll(async () => {
  await d?.stop();
  await rm(project, { recursive: true, force: true });
});

type Run = { readonly program?: string; readonly env?: Readonly<Record<string, string>>; readonly preload?: string };

async function run(name: string, args: readonly string[], { program = text(name), env = {}, preload }: Run = {}) {
  await writeFile(join(project, name), program);
  const options = preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  return start(process.execPath, [...options, name, ...args], { cwd: project, env: { ...d.env, ...env } });
}

/** The leases of the test. */
const leases = async () => (await d.items()).filter(({ kind, id }) => kind === 'lease' && !before.has(id));

/** Holds the array's response to the first request whose path ends like this. */
function holding(end: string) {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  d.watchArray(async (phase, { path }) => {
    if (phase !== 'done' || !path.endsWith(end)) return;
    reached.resolve();
    await released.promise;
  });
  return { reached: reached.promise, release: released.resolve };
}

/** Expects that every session was closed, that the ledger knows it, and that no token was printed. */
async function expectClosed(stdout: string): Promise<void> {
  expect(d.simulator.sessions()).toEqual([]);
  for (const { state } of await leases()) expect(state).toBe('CLOSED');
  expect(await d.leaks({ stdout })).toEqual([]);
}

const linesOf = (program: string): number =>
  program
    .replace(/\/\*\*[\s\S]*?\*\//, '')
    .split('\n')
    .filter((line) => line.trim() !== '').length;

test.each(PROGRAMS)('%s has ten lines or less', (name) => {
  expect(linesOf(text(name))).toBeLessThanOrEqual(10);
  expect(linesOf(`${text(name)}\n${'more();\n'.repeat(10)}`)).toBeGreaterThan(10);
});

test('the programs type-check with their own tsconfig.json', async () => {
  const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  const check = () => start(process.execPath, [tsc], { cwd: project, env: {} }).ended;
  expect(await check()).toEqual({ code: 0, stdout: '', stderr: '' });
  await writeFile(join(project, 'long-job.ts'), changed(text('long-job.ts'), 'leaseSeconds: 600', 'leaseMinutes: 10'));
  expect((await check()).stdout).toContain('leaseMinutes');
});

test('package.json names the tarball that `npm run library` writes', () => {
  const { dependencies } = JSON.parse(read('typescript/package.json'));
  expect(dependencies).toEqual({ 'flashblade-sessions': `file:flashblade-sessions-${VERSION}.tgz` });
});

test('one-call.ts makes a call on one array without AWS and closes its session', async () => {
  const { port, apiToken, fingerprint } = d.simulator;
  const calls = d.aws.calls.length;
  const env = { HOST: '127.0.0.1', PORT: String(port), API_TOKEN: apiToken, FINGERPRINT: fingerprint };
  const { code, stdout, stderr } = await (await run('one-call.ts', [], { env })).ended;
  expect([code, stdout, stderr]).toEqual([0, 'pureuser is logged in to fb1\n', '']);
  expect(d.aws.calls).toHaveLength(calls);
  await expectClosed(stdout);
});

test.each([
  ['in one page', text('fleet-loop.ts'), 1],
  ['page by page', changed(text('fleet-loop.ts'), "'/file-systems'", "'/file-systems', { query: { limit: 3 } }"), 2],
])('fleet-loop.ts lists the file systems of each array %s and closes its sessions', async (_, program, pages) => {
  const already = d.simulator.requests.length;
  const { code, stdout, stderr } = await (await run('fleet-loop.ts', ['fb1', 'fb2'], { program })).ended;
  expect([code, stdout, stderr]).toEqual([0, `fb1: ${NAMES}\nfb2: ${NAMES}\n`, '']);
  const paths = d.simulator.requests.slice(already).map(({ path }) => path.replace(/.*\//, ''));
  const perArray = ['login', 'api_version', ...Array(pages).fill('file-systems'), 'logout'];
  expect(paths.sort()).toEqual([...perArray, ...perArray].sort());
  await expectClosed(stdout);
});

test('fleet-loop.ts reports arrays that fail, continues with the others, and exits with 1', async () => {
  const { code, stdout } = await (await run('fleet-loop.ts', ['unknown', 'down', 'fb1'])).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/^unknown: ARRAY_UNKNOWN: .*\ndown: ARRAY_UNREACHABLE: .*\nfb1: home, .*\n$/);
  await expectClosed(stdout);
});

test.each([
  ['closes its session first', text('fleet-loop.ts'), 0],
  ['leaves it open without closeOnSignals', changed(text('fleet-loop.ts'), 'closeOnSignals();', ''), 1],
])('fleet-loop.ts, stopped by SIGTERM in the middle of its work, %s', async (_, program, left) => {
  const { reached, release } = holding('/file-systems');
  const { child } = await run('fleet-loop.ts', ['fb1'], { program });
  const exit = once(child, 'exit');
  try {
    await reached;
    expect(d.simulator.sessions()).toHaveLength(1);
    child.kill('SIGTERM');
    expect(await exit).toEqual([null, 'SIGTERM']);
    expect(d.simulator.sessions()).toHaveLength(left);
  } finally {
    child.kill('SIGKILL');
    release();
  }
});

/** Makes every pause of the program 200 times shorter. */
const HURRY = `
import timers from 'node:timers/promises';
import { syncBuiltinESMExports } from 'node:module';
const { setTimeout: wait } = timers;
timers.setTimeout = (ms, ...rest) => wait(ms / 200, ...rest);
syncBuiltinESMExports();
`;

test.each([
  ['renews its lease', text('long-job.ts'), true],
  ["does not renew its lease without renew: 'auto'", changed(text('long-job.ts'), ", renew: 'auto'", ''), false],
])('long-job.ts %s', async (_, program, isRenewed) => {
  const shorter = changed(program, 'minutes < 120', 'minutes < 12');
  const { code, stdout, stderr } = await (await run('long-job.ts', ['fb1'], { program: shorter, preload: HURRY }))
    .ended;
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.match(/"name":"fb1"/g)).toHaveLength(12);
  const [lease] = await leases();
  const lasts = (lease?.expiresAt ?? 0) - (lease?.createdAt ?? 0);
  expect(lasts > 600).toBe(isRenewed);
  await expectClosed(stdout);
});

/** Runs cancellation.ts, with little time, on an array that does not respond to its call. */
async function stalled(program: string) {
  const { reached, release } = holding('/file-systems');
  const { child, ended } = await run('cancellation.ts', ['fb1'], { program: changed(program, '60_000', '4000') });
  onTestFinished(() => {
    child.kill('SIGKILL');
    release();
  });
  await reached;
  return { child, ended };
}

test('cancellation.ts closes its session when its time is over', async () => {
  const { code, stdout, stderr } = await (await stalled(text('cancellation.ts'))).ended;
  expect([code, stdout, stderr]).toEqual([1, '', 'Cancelled. The session is closed.\n']);
  await expectClosed(stdout);
});

test('cancellation.ts waits for the array if the call gets no signal', async () => {
  const { child } = await stalled(changed(text('cancellation.ts'), ', { signal }', ''));
  // The call itself would give up after five seconds.
  await setTimeout(4500);
  expect(child.exitCode).toBeNull();
  expect(d.simulator.sessions()).toHaveLength(1);
});
