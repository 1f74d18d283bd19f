/** The published library: packed, unpacked into an empty project, type-checked and run against the simulator. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { VERSION } from '../../../lib/index.ts';
import { ROOT } from '../../../scripts/build.ts';
import { startSimulator } from '../../../simulator/index.ts';
import { deploy } from '../../kit/deploy.ts';
import { atSimulator, examples, page, README } from '../../kit/pages.ts';
import { parseDocument } from '../../unit/docs/markdown.ts';
import { installLibrary, type Manifest, typeCheck } from './install.ts';

const run = promisify(execFile);

const PAGES = {
  'README.md': README,
  'docs/library.md': page('library.md'),
  'docs/getting-started.md': page('getting-started.md'),
  'lib/README.md': readFileSync(resolve(ROOT, 'lib/README.md'), 'utf8'),
};
/** The documented programs, each with its place. */
const programs = (info: string) =>
  Object.entries(PAGES).flatMap(([name, text]) =>
    parseDocument(text)
      .blocks.filter((block) => block.info === info)
      .map(({ line, code }) => [`${name}:${line}`, code] as const),
  );
const FOR_PYTHON = examples('ts example', page('coming-from-purity_fb.md'));

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

describe('the packed library', () => {
  it('contains the library with its sources, types and source maps, and no functions, tests or tools', () => {
    const sources = files.filter((name) => name.startsWith('lib/'));
    const compiled = files.filter((name) => name.startsWith('dist/lib/'));
    expect(files.filter((name) => !sources.includes(name) && !compiled.includes(name))).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    expect(sources).toEqual(expect.arrayContaining(['lib/index.ts', 'lib/array.ts', 'lib/leases/use.ts']));
    expect(sources.filter((name) => !name.endsWith('.ts') || name.includes('lambda'))).toEqual([]);
    const expected = sources.flatMap((name) =>
      ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((end) => `dist/${name.replace(/\.ts$/, end)}`),
    );
    expect(compiled).toEqual(expected.sort());
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

  it('rejects a plain string as a token at compile time', async () => {
    await writeFile(join(project, 'wrong.ts'), PROGRAM.replace("apiToken('T-wrong')", "'T-wrong'"));
    expect(await typeCheck(project, ['wrong.ts'])).toMatch(/wrong\.ts.*error TS2345/);
  });

  it('type-checks with every example in the documentation', async () => {
    const documented = [...programs('ts example'), ...programs('ts run')].map(([, code]) => code);
    const names = await written([...documented, ...FOR_PYTHON]);
    expect(names.length).toBeGreaterThan(4);
    expect(await typeCheck(project, names)).toBe('');
  });

  it('would not type-check with an example that passes what the library does not accept', async () => {
    const wrong = PAGES['lib/README.md'].replaceAll("trust: { kind: 'public' }", "trust: 'public'");
    const blocks = parseDocument(wrong).blocks.filter(({ info }) => info.startsWith('ts '));
    const names = await written(blocks.map(({ code }) => code));
    expect(await typeCheck(project, names)).toMatch(/example-\d\.ts.*error TS2322/);
  });

  async function written(texts: readonly string[]): Promise<string[]> {
    const names = texts.map((_, nth) => `example-${nth}.ts`);
    for (const [nth, text] of texts.entries()) await writeFile(join(project, `example-${nth}.ts`), text);
    return names;
  }

  /** Runs a documented program with one array of a fleet. Returns what it left. */
  async function left(code: string) {
    const d = await deploy({ functions: [] });
    onTestFinished(d.stop);
    d.addArray('fb1');
    await writeFile(join(project, 'documented.ts'), atSimulator(code, d.simulator));
    const env = { ...d.env, API_TOKEN: d.simulator.apiToken };
    const { stdout, stderr } = await run(process.execPath, ['documented.ts'], { cwd: project, env });
    const open = (await d.items()).filter(({ kind, state }) => kind === 'lease' && state !== 'CLOSED');
    const { history } = d.simulator;
    return { stdout, stderr, opened: history.length > 0, sessions: d.simulator.sessions().length, open };
  }

  const NOTHING = { stdout: expect.stringMatching(/./), stderr: '', sessions: 0, open: [] };

  it.each(programs('ts run'))('runs the documented program in %s, which leaves no session', async (_, code) => {
    expect(await left(code)).toEqual({ ...NOTHING, opened: !code.includes('fakeFleet') });
  });

  it('would find a session that a documented program leaves', async () => {
    const [, code = ''] = programs('ts run').find(([name]) => name.startsWith('lib/README.md')) ?? [];
    const { sessions } = await left(code.replace('await using fb', 'const fb'));
    expect(sessions).toBe(1);
  });

  it.each(FOR_PYTHON)('runs the purity_fb migration example to its end and to its error: %s', async (example) => {
    const simulator = await startSimulator();
    try {
      const { certificate, apiToken } = simulator;
      await writeFile(join(project, 'ca.pem'), certificate);
      await writeFile(join(project, 'python.ts'), atSimulator(example, simulator));
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
