/** The launcher in small projects, with and without the packages that it requires. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';

const OLD = { version: 'v20.20.2', platform: 'linux', arch: 'x64' };
/** The binaries of esbuild and other tools are optional packages. */
const BINARIES = ['x64', 'arm64', 's390x', 'riscv64'].flatMap((arch) => [
  `@esbuild/linux-${arch}`,
  `@esbuild/darwin-${arch}`,
]);
const ALL = ['one', 'two', 'esbuild', ...BINARIES];

const SHOW = `
import { spawnSync } from 'node:child_process';
const node = spawnSync('node', ['--print', 'process.execPath'], { encoding: 'utf8' }).stdout.trim();
const shown: object = { args: process.argv.slice(2), cwd: process.cwd(), node };
console.log(JSON.stringify(shown));
process.exitCode = 7;
`;

/** A project with the launcher, the packages `one` (needed at run time), `two` and `esbuild` (for development), and the script `show`. */
function project({ installed = ALL, script = SHOW } = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'flashblade-launch-')));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'scripts'));
  cpSync(resolve(ROOT, 'scripts/launch.mjs'), join(folder, 'scripts/launch.mjs'));
  const manifest = {
    type: 'module',
    dependencies: { one: '1.0.0' },
    devDependencies: { two: '1.0.0', esbuild: '1.0.0' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'scripts/show.ts'), script);
  for (const name of installed) mkdirSync(join(folder, 'node_modules', name), { recursive: true });
  return folder;
}

/** Installs the Node.js package of `npm ci`. */
function install(folder: string, arch: string, program: string): void {
  const node = join(folder, `node_modules/node-linux-${arch}/bin/node`);
  mkdirSync(dirname(node), { recursive: true });
  writeFileSync(node, program, { mode: 0o755 });
}

type Start = { readonly as?: typeof OLD; readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv };

/** Starts the launcher. `as`: the version, platform and architecture of Node.js that it sees. */
function start(folder: string, { as, args = [], env = {} }: Start = {}): ChildProcessWithoutNullStreams {
  const assign = Object.entries(as ?? {}).map(
    ([name, value]) => `Object.defineProperty(process,'${name}',{value:'${value}'})`,
  );
  const pretend = as === undefined ? [] : [`--import=data:text/javascript,${encodeURIComponent(assign.join(';'))}`];
  const child = spawn(process.execPath, [...pretend, join(folder, 'scripts/launch.mjs'), 'show', ...args], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function ended(child: ChildProcessWithoutNullStreams) {
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
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
    'uses the Node.js that npm ci installed on Linux %s, even if npm (before 11.6) did not link it',
    async (arch) => {
      const folder = project();
      for (const installed of ['x64', 'arm64'])
        install(folder, installed, `#!/bin/sh\n[ "$1" = --version ] || echo ${installed}\n`);
      for (const version of [OLD.version, 'v24.0.0']) {
        const { code, stdout } = await run(folder, { as: { ...OLD, version, arch } });
        expect([code, stdout]).toEqual([0, `${arch}\n`]);
      }
    },
  );

  test('runs a script in the directory in which the user ran npm', async () => {
    const folder = project();
    const elsewhere = realpathSync(tmpdir());
    const directoryOf = async (INIT_CWD: string): Promise<string> =>
      JSON.parse((await run(folder, { env: { INIT_CWD } })).stdout).cwd;
    expect(await directoryOf(elsewhere)).toBe(elsewhere);
    // The directory may not exist, or may be a file.
    expect(await directoryOf(join(folder, 'gone'))).toBe(folder);
    expect(await directoryOf(join(folder, 'package.json'))).toBe(folder);
  });

  test('passes standard input to the script', async () => {
    const folder = project({ script: 'process.stdin.pipe(process.stdout);' });
    const child = start(folder);
    child.stdin.end('hello');
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
    'passes %s to the script and waits for its end',
    async (signal) => {
      const child = start(project({ script: WAIT }));
      child.stdout.once('data', () => child.kill(signal));
      expect(await ended(child)).toMatchObject({ code: 3, stdout: `ready\n${signal}\n` });
    },
  );

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'ends the script with SIGTERM after %s to its shell, because npm signals only the shell, which forwards nothing',
    async (signal) => {
      const folder = project({ script: WAIT });
      const shell = spawn('sh', ['-c', '"$0" scripts/launch.mjs show; :', process.execPath], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      shell.stdout.once('data', () => shell.kill(signal));
      // The pipe closes when the last process that holds it ends.
      expect(await text(shell.stdout)).toBe('ready\nSIGTERM\n');
    },
  );

  test('ends with the same signal as the script', async () => {
    const folder = project({ script: "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60_000);" });
    expect(await run(folder)).toMatchObject({ code: null, signal: 'SIGTERM' });
  });
});

describe('the launcher names the next step', () => {
  test.each([[[]], [['two']]])('if the packages are not installed (only %j)', async (installed) => {
    expect(await run(project({ installed }))).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: 'The packages are not installed. Run npm ci first.\n',
    });
  });

  test('if development packages were omitted', async () => {
    const { code, stderr } = await run(project({ installed: ['one'] }));
    expect(code).toBe(1);
    expect(stderr).toMatch(/NODE_ENV=production or omit=dev\. Run npm ci --include=dev\.\n$/);
  });

  test('if optional packages are missing or belong to another platform', async () => {
    const { code, stderr } = await run(project({ installed: ['one', 'two', 'esbuild', '@esbuild/darwin-x64'] }), {
      as: OLD,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The packages for linux on x64 are missing, .* Run npm ci --include=optional\.\n$/);
  });

  test.each(['x64', 'arm64'])('if Node.js is too old and the one of npm ci is missing on Linux %s', async (arch) => {
    const { code, stderr } = await run(project(), { as: { ...OLD, arch } });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `This project needs Node.js 24 or newer, but you are running v20.20.2 on linux ${arch}. The version that npm ci installs is missing or ` +
        'does not start. Run npm ci again, or install Node.js from https://nodejs.org.\n',
    );
  });

  test.each([
    { version: 'v22.12.0', platform: 'darwin', arch: 'arm64' },
    { version: 'v23.11.0', platform: 'linux', arch: 's390x' },
  ])('if Node.js is too old on a platform for which npm ci installs none: $platform $arch', async (as) => {
    const { code, stderr } = await run(project(), { as });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `This project needs Node.js 24 or newer, but you are running ${as.version} on ${as.platform} ${as.arch}. ` +
        'Install it from https://nodejs.org, because npm ci provides it only for Linux on x64 and arm64.\n',
    );
  });

  test.each(['#!/no/such/loader\n', '#!/bin/sh\nexit 1\n'])(
    'if Node.js is too old and the installed one does not start: %j',
    async (program) => {
      const folder = project();
      install(folder, 'x64', program);
      const { code, stderr } = await run(folder, { as: OLD });
      expect(code).toBe(1);
      expect(stderr).toContain('is missing or does not start');
      // Negative control: with a recent Node.js of its own, the launcher runs the script.
      expect(await run(folder, { as: { ...OLD, version: 'v24.1.0' } })).toMatchObject({ code: 7, stderr: '' });
    },
  );

  test.each([
    [{ version: 'v24.0.0', platform: 'darwin', arch: 'arm64' }],
    [{ version: 'v26.1.0', platform: 'linux', arch: 'riscv64' }],
  ])('only if Node.js is too old, so a recent one starts without a message: %j', async (as) => {
    expect(await run(project(), { as })).toMatchObject({ code: 7, stderr: '' });
  });
});
