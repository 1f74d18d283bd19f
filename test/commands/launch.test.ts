/** The launcher in a project of its own, with whatever is or is not installed there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../../scripts/build.ts';

const OLD = { version: 'v20.20.2', platform: 'linux', arch: 'x64' };
const SHOW = `
import { spawnSync } from 'node:child_process';
const node = spawnSync('node', ['--print', 'process.execPath'], { encoding: 'utf8' }).stdout.trim();
const shown: object = { args: process.argv.slice(2), cwd: process.cwd(), node };
console.log(JSON.stringify(shown));
process.exitCode = 7;
`;

/** A project with the launcher, the packages `one` (needed at run time) and `two` (for development), and the script `show`. */
function project({ installed = ['one', 'two'], script = SHOW } = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'flashblade-launch-')));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'scripts'));
  cpSync(resolve(ROOT, 'scripts/launch.mjs'), join(folder, 'scripts/launch.mjs'));
  const manifest = { type: 'module', dependencies: { one: '1.0.0' }, devDependencies: { two: '1.0.0' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'scripts/show.ts'), script);
  for (const name of installed) mkdirSync(join(folder, 'node_modules', name), { recursive: true });
  return folder;
}

/** What `npm ci` installs as Node.js. */
function install(folder: string, arch: string, program: string): void {
  const node = join(folder, `node_modules/node-linux-${arch}/bin/node`);
  mkdirSync(dirname(node), { recursive: true });
  writeFileSync(node, program, { mode: 0o755 });
}

type Start = { readonly as?: typeof OLD; readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv };

/** Starts the launcher. `as`: what it takes its own Node.js for. */
function start(folder: string, { as, args = [], env = {} }: Start = {}): ChildProcess {
  const assign = Object.entries(as ?? {}).map(
    ([name, value]) => `Object.defineProperty(process,'${name}',{value:'${value}'})`,
  );
  const pretend = as === undefined ? [] : [`--import=data:text/javascript,${encodeURIComponent(assign.join(';'))}`];
  const child = spawn(process.execPath, [...pretend, join(folder, 'scripts/launch.mjs'), 'show', ...args], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function ended(child: ChildProcess) {
  const [stdout, stderr] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream as never),
    text(child.stderr as NodeJS.ReadableStream as never),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, signal: child.signalCode, stdout, stderr };
}

const run = (folder: string, options?: Start) => ended(start(folder, options));

describe('the launcher', () => {
  test('runs a script with its arguments, its exit code and a PATH on which node is the same Node.js', async () => {
    const folder = project();
    const { code, stdout, stderr } = await run(folder, { args: ['a b', '--c'] });
    expect({ code, stderr }).toEqual({ code: 7, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ args: ['a b', '--c'], cwd: folder, node: process.execPath });
  });

  test.each(['x64', 'arm64'])(
    'prefers the Node.js that npm ci installed, which npm before 11.6 does not link: on Linux %s',
    async (arch) => {
      const folder = project();
      for (const installed of ['x64', 'arm64']) install(folder, installed, `#!/bin/sh\necho ${installed}\n`);
      for (const version of [OLD.version, 'v24.0.0']) {
        const { code, stdout } = await run(folder, { as: { ...OLD, version, arch } });
        expect([code, stdout]).toEqual([0, `${arch}\n`]);
      }
    },
  );

  test('runs in the folder where the user stands, not where npm starts scripts', async () => {
    const folder = project();
    const elsewhere = realpathSync(tmpdir());
    const there = await run(folder, { env: { INIT_CWD: elsewhere } });
    expect(JSON.parse(there.stdout).cwd).toBe(elsewhere);
    const gone = await run(folder, { env: { INIT_CWD: join(folder, 'gone') } });
    expect(JSON.parse(gone.stdout).cwd).toBe(folder);
  });

  test('passes on what comes through a pipe', async () => {
    const folder = project({ script: 'process.stdin.pipe(process.stdout);' });
    const child = start(folder);
    child.stdin?.end('hello');
    expect(await ended(child)).toMatchObject({ code: 0, stdout: 'hello' });
  });

  const WAIT = `
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {
  console.log(signal);
  process.exit(3);
});
console.log('ready');
setTimeout(() => {}, 60_000);
`;

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const)(
    'passes on %s and waits for the script to end',
    async (signal) => {
      const child = start(project({ script: WAIT }));
      child.stdout?.once('data', () => child.kill(signal));
      expect(await ended(child)).toMatchObject({ code: 3, stdout: `ready\n${signal}\n` });
    },
  );

  test('ends by the signal that ended the script', async () => {
    const folder = project({ script: "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60_000);" });
    expect(await run(folder)).toMatchObject({ code: null, signal: 'SIGTERM' });
  });
});

describe('where a script cannot run, the launcher says what to do:', () => {
  test.each([[[]], [['two']]])('without an install (of the packages, there are %j)', async (installed) => {
    expect(await run(project({ installed }))).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: 'The packages are not installed. Run npm ci first.\n',
    });
  });

  test('with an install for production', async () => {
    const { code, stderr } = await run(project({ installed: ['one'] }));
    expect(code).toBe(1);
    expect(stderr).toMatch(/NODE_ENV=production or omit=dev .* npm ci --include=dev\.\n$/);
  });

  test.each(['x64', 'arm64'])('with an old Node.js on Linux %s and no other', async (arch) => {
    const { code, stderr } = await run(project(), { as: { ...OLD, arch } });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `Node.js 24 or newer is needed; this is v20.20.2 on linux ${arch}. The one that npm ci installs was not found: ` +
        'run npm ci --include=optional, or install Node.js 24 yourself.\n',
    );
  });

  test.each([
    { version: 'v22.12.0', platform: 'darwin', arch: 'arm64' },
    { version: 'v23.11.0', platform: 'linux', arch: 's390x' },
  ])('with an old Node.js where npm ci installs none: $platform $arch', async (as) => {
    const { code, stderr } = await run(project(), { as });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `Node.js 24 or newer is needed; this is ${as.version} on ${as.platform} ${as.arch}. ` +
        'npm ci installs it for Linux on x64 and arm64 only: install it from https://nodejs.org.\n',
    );
  });

  test.each([
    [{ version: 'v24.0.0', platform: 'darwin', arch: 'arm64' }],
    [{ version: 'v26.1.0', platform: 'linux', arch: 'riscv64' }],
  ])('and it says nothing where Node.js is new enough: %j', async (as) => {
    expect(await run(project(), { as })).toMatchObject({ code: 7, stderr: '' });
  });

  test('with an installed Node.js that does not start, it takes its own if that is new enough', async () => {
    const folder = project();
    install(folder, 'x64', '#!/no/such/loader\n');
    expect(await run(folder, { as: { ...OLD, version: 'v24.1.0' } })).toMatchObject({ code: 7, stderr: '' });
    const { code, stderr } = await run(folder, { as: OLD });
    expect(code).toBe(1);
    expect(stderr).toContain('The one that npm ci installs does not start (ENOENT)');
  });
});
