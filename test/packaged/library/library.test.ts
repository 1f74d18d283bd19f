/** The published library: packed, unpacked into an empty project, type-checked and run against the simulator. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { apiToken, type FlashBlade, login, request, VERSION } from '../../../lib/index.ts';
import { ROOT } from '../../../scripts/build.ts';
import { startSimulator } from '../../../simulator/index.ts';
import { deploy } from '../../kit/deploy.ts';
import { examples, page, README } from '../../kit/pages.ts';
import { installLibrary, type Manifest } from './install.ts';

const run = promisify(execFile);

const OF_LIBRARY = page('library.md');
/** The documented programs that list the file systems of an array of a fleet. */
const FLEET = [...examples('ts run', OF_LIBRARY), ...examples('ts run', README)];
const FOR_PYTHON = examples('ts example', page('coming-from-purity_fb.md'));
const FIRST = examples('ts example', page('getting-started.md'));

const PROGRAM = `
import { apiToken, apiVersions, type FlashBlade, FlashBladeError, login, logout, request } from 'flashblade-sessions';

const { HOST = '', PORT = '', CA = '', API_TOKEN = '' } = process.env;
const array: FlashBlade = { name: 'fb1', host: HOST, port: Number(PORT), trust: { kind: 'ca', ca: CA } };
const versions: readonly string[] = await apiVersions(array);
const session = await login(array, apiToken(API_TOKEN));
const { status } = await request(session, { method: 'GET', path: '/api/2.4/arrays' });
await logout(session);
const refused = await login(array, apiToken('T-wrong')).catch((error: unknown) => error);
if (!(refused instanceof FlashBladeError)) throw new Error('not refused');
console.log(JSON.stringify({ versions, status, username: session.username, session, code: refused.code }));
`;

let project: string;
let files: string[];
let packed: Manifest;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'flashblade-user-'));
  ({ files, packed } = await installLibrary(project));
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
  await writeFile(join(project, 'program.ts'), PROGRAM);
});

afterAll(() => rm(project, { recursive: true, force: true }));

async function typeCheck(programs: readonly string[], moduleResolution: string) {
  const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext';
  const args = [
    '--strict',
    '--noEmit',
    '--target',
    'es2023',
    '--module',
    module,
    '--moduleResolution',
    moduleResolution,
  ];
  const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  return run(process.execPath, [tsc, ...args, '--types', 'node', ...programs], { cwd: project });
}

describe('the packed library', () => {
  it('contains the compiled library with its types, and no functions, tests or tools', () => {
    expect(files.filter((name) => !name.startsWith('dist/lib/'))).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    const own = files.filter((name) => name.startsWith('dist/lib/'));
    expect(own).toEqual(expect.arrayContaining(['dist/lib/index.js', 'dist/lib/index.d.ts', 'dist/lib/leases/use.js']));
    expect(own.filter((name) => !/\.(js|d\.ts)$/.test(name) || name.includes('lambda'))).toEqual([]);
  });

  it('requires the Node.js version that its code needs, not the one that the scripts need', () => {
    expect(packed['engines']).toEqual({ node: '>=22.12' });
  });

  it.each(['18.20.8', '20.20.2', '22.11.0'])('says in one sentence that Node.js %s is too old', async (version) => {
    const older = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
    const options = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, '--input-type=module'];
    const program = "await import('flashblade-sessions').catch(({ code, message }) => console.log(code, message));";
    const { stdout } = await run(process.execPath, [...options, '--eval', program], { cwd: project });
    expect(stdout).toBe(
      `CONFIG_INVALID flashblade-sessions needs Node.js 22.12 or newer, but this is Node.js ${version}. Install a newer version from https://nodejs.org\n`,
    );
  });

  it('installs no Node.js, no scripts and no development tools', () => {
    expect(Object.keys(packed)).toEqual(
      expect.not.arrayContaining(['scripts', 'devDependencies', 'optionalDependencies', 'private']),
    );
    expect(Object.keys(packed['dependencies'] ?? {}).every((name) => /^(@aws-sdk\/|valibot$)/.test(name))).toBe(true);
  });

  it('sends the version in package.json to arrays', () => {
    expect(packed['version']).toBe(VERSION);
  });

  it.each(['nodenext', 'bundler'])('type-checks in a strict project with the module resolution "%s"', async (kind) => {
    await typeCheck(['program.ts'], kind);
  });

  it('rejects a plain string as a token at compile time', async () => {
    await writeFile(join(project, 'wrong.ts'), PROGRAM.replace("apiToken('T-wrong')", "'T-wrong'"));
    const { stdout } = await typeCheck(['wrong.ts'], 'nodenext').catch((error: { stdout: string }) => error);
    expect(stdout).toMatch(/wrong\.ts.*error TS2345/);
  });

  it('type-checks with every example in the documentation', async () => {
    const all = [...FOR_PYTHON, ...examples('ts example', OF_LIBRARY), ...FLEET, ...FIRST];
    const names = all.map((_, nth) => `example-${nth}.ts`);
    for (const [nth, example] of all.entries()) await writeFile(join(project, `example-${nth}.ts`), example);
    await typeCheck(names, 'nodenext');
    await writeFile(join(project, 'example-0.ts'), all[0]?.replace('apiToken(', 'String(') ?? '');
    const { stdout } = await typeCheck(names, 'nodenext').catch((error: { stdout: string }) => error);
    expect(stdout).toMatch(/example-0\.ts.*error TS2345/);
  });

  it.each(FLEET)('runs the documented example of a fleet and leaves no session: %s', async (example) => {
    await writeFile(join(project, 'fleet.ts'), example);
    const d = await deploy({ functions: [] });
    onTestFinished(d.stop);
    d.addArray('fb1');
    const { stdout, stderr } = await run(process.execPath, ['fleet.ts'], { cwd: project, env: d.env });
    expect(stderr).toBe('');
    expect(d.simulator.history).toHaveLength(1);
    expect(d.simulator.sessions()).toEqual([]);
    expect(await d.items()).toEqual(expect.arrayContaining([expect.objectContaining({ state: 'CLOSED' })]));
    const { port, certificate: ca } = d.simulator;
    const array: FlashBlade = { name: 'fb1', host: '127.0.0.1', port, trust: { kind: 'ca', ca } };
    const session = await login(array, apiToken(d.simulator.apiToken));
    const response = await request(session, { method: 'GET', path: '/api/2.26/file-systems' });
    expect(stdout).toBe(`${inspect(response.body)}\n`);
  });

  it.each(FOR_PYTHON)('runs the purity_fb migration example to its end and to its error: %s', async (example) => {
    const simulator = await startSimulator();
    try {
      const { host, port, certificate, apiToken } = simulator;
      await writeFile(join(project, 'ca.pem'), certificate);
      const here = example.replace("'fb1.example.com'", `'${host}'`).replace('port: 443', `port: ${port}`);
      await writeFile(join(project, 'python.ts'), here);
      const start = (token: string) =>
        run(process.execPath, ['python.ts'], { cwd: project, env: { API_TOKEN: token } });
      expect(await start(apiToken)).toEqual({ stdout: 'logged in as pureuser\nlogged out\n', stderr: '' });
      expect(simulator.sessions()).toEqual([]);
      const { stdout, stderr } = await start('T-wrong');
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^LOGIN_REFUSED array fb1 /);
    } finally {
      await simulator.stop();
    }
  });

  it('logs in, sends a request and logs out in a user program', async () => {
    const simulator = await startSimulator();
    try {
      const env = {
        HOST: simulator.host,
        PORT: String(simulator.port),
        CA: simulator.certificate,
        API_TOKEN: simulator.apiToken,
      };
      const { stdout, stderr } = await run(process.execPath, ['program.ts'], { cwd: project, env });
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toMatchObject({
        status: 200,
        username: 'pureuser',
        code: 'LOGIN_REFUSED',
        session: { authToken: '[auth token]' },
      });
      expect(simulator.sessions()).toEqual([]);
    } finally {
      await simulator.stop();
    }
  });
});
