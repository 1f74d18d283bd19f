/** The published package, as registries, compilers, bundlers and Node.js see it. Each check must also find a planted mistake. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build } from 'esbuild';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { VERSION } from '../../../lib/index.ts';
import { startSimulator } from '../../../simulator/index.ts';
import { homeIn, installLibrary, type Manifest, type ModuleResolution, typeCheck, withMistake } from './install.ts';
import { startRegistry } from './registry.ts';

const run = promisify(execFile);

let project: string;
let tarball: string;
let packed: Manifest;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'flashblade-package-'));
  ({ packed, tarball } = await installLibrary(project));
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
});

afterAll(() => rm(project, { recursive: true, force: true }));

/** The entry points, as programs import them. */
const entries = (): string[] =>
  Object.keys(packed['exports'] ?? {})
    .filter((name) => name !== './package.json')
    .map((name) => name.replace('.', 'flashblade-sessions'));

/** Runs a program in a project. Rejects if the program fails. */
async function start(where: string, file: string, program: string, env: NodeJS.ProcessEnv = {}) {
  await writeFile(join(where, file), program);
  return run(process.execPath, [file], { cwd: where, env });
}

describe('the manifest', () => {
  const publintFaults = async (archive: string) => {
    const content = new Uint8Array(await readFile(archive));
    const { messages } = await publint({ pack: { tarball: content.buffer }, strict: true });
    return messages.map(({ code }) => code);
  };

  it('has no fault that publint knows', async () => {
    expect(await publintFaults(tarball)).toEqual([]);
  });

  it.each([
    ['an entry point without a file', './dist/lib/array.js', './dist/lib/gone.js', 'FILE_DOES_NOT_EXIST'],
    ['types after the code', '"types":', '"node": "./dist/lib/index.js", "types":', 'EXPORTS_TYPES_SHOULD_BE_FIRST'],
  ])('would be refused by publint with %s', async (_, find, replacement, code) => {
    const wrong = await withMistake(project, 'package.json', find, replacement);
    expect(await publintFaults(wrong.tarball)).toContain(code);
  });

  /**
   * What is wrong with the types. The package is an ES module, which Node.js also loads with `require`, and which TypeScript's obsolete
   * module resolution `node10` does not find.
   */
  const typesFaults = async (archive: string) => {
    const result = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(archive))));
    if (!result.types) return ['no types'];
    return result.problems
      .filter((one) => one.kind !== 'CJSResolvesToESM' && !('resolutionKind' in one && one.resolutionKind === 'node10'))
      .map(({ kind }) => kind);
  };

  it('leads every module resolution to types that match the code', async () => {
    expect(await typesFaults(tarball)).toEqual([]);
  });

  it.each([
    [
      'an entry point without types',
      'package.json',
      './dist/lib/array.d.ts',
      './dist/lib/gone.d.ts',
      'FallbackCondition',
    ],
    ['an import of nothing', 'dist/lib/array.d.ts', './core/model.js', './core/gone.js', 'InternalResolutionError'],
  ])('would be found with %s', async (_, file, find, replacement, kind) => {
    const wrong = await withMistake(project, file, find, replacement);
    expect(await typesFaults(wrong.tarball)).toContain(kind);
  });

  it('names its entry points, each with types, and package.json', async () => {
    expect(entries()).toEqual(expect.arrayContaining(['flashblade-sessions', 'flashblade-sessions/array']));
    for (const [name, target] of Object.entries(packed['exports'] ?? {})) {
      const file = name === '.' ? 'index' : name.slice(2);
      const expected = { types: `./dist/lib/${file}.d.ts`, default: `./dist/lib/${file}.js` };
      expect(target, name).toEqual(name === './package.json' ? name : expected);
    }
    const { stdout } = await start(
      project,
      'deep.js',
      `import about from 'flashblade-sessions/package.json' with { type: 'json' };
      const { code } = await import('flashblade-sessions/dist/lib/leases/open.js').catch((error) => error);
      console.log(about.version, code);`,
    );
    expect(stdout).toBe(`${VERSION} ERR_PACKAGE_PATH_NOT_EXPORTED\n`);
  });
});

describe('the dependencies', () => {
  /** How often a program that uses a newer AWS client itself would install each package. */
  async function copies(archive: string) {
    const where = await mkdtemp(join(tmpdir(), 'flashblade-copies-'));
    onTestFinished(() => rm(where, { recursive: true, force: true }));
    const newer = '3.9000.0';
    const known = Object.entries(packed['dependencies'] ?? {}).map(([name, range]) => [name, range.replace('^', '')]);
    const registry = await startRegistry(
      Object.fromEntries(
        known.map(([name, exact = '']) => [name, name?.includes('/client-') ? [exact, newer] : [exact]]),
      ),
    );
    onTestFinished(registry.stop);
    const program = { private: true, dependencies: { '@aws-sdk/client-dynamodb': newer } };
    await writeFile(join(where, 'package.json'), JSON.stringify(program));
    const { PATH } = process.env;
    const settings = { npm_config_registry: registry.address, npm_config_cache: join(where, 'cache') };
    const env = { PATH, HOME: where, ...settings, npm_config_update_notifier: 'false' };
    await run('npm', ['install', '--package-lock-only', '--no-audit', archive], { cwd: where, env });
    const lock = JSON.parse(await readFile(join(where, 'package-lock.json'), 'utf8')) as { packages: object };
    const names = Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ''));
    return names.filter((name) => name === '@aws-sdk/client-dynamodb').length;
  }

  it('are shared with a program that uses a newer AWS client', async () => {
    expect(await copies(tarball)).toBe(1);
  });

  it('would be installed twice if their versions were exact', async () => {
    const wrong = await withMistake(
      project,
      'package.json',
      '"@aws-sdk/client-dynamodb": "^',
      '"@aws-sdk/client-dynamodb": "',
    );
    expect(await copies(wrong.tarball)).toBe(2);
  });
});

describe('the types', () => {
  const PROGRAM = `
import { apiToken, createFleet, type FlashBlade, type Lease, login, type MapResult, type Session } from 'flashblade-sessions';
import { connect, type ArraySession } from 'flashblade-sessions/array';
import { type FakeFleet, fakeFleet } from 'flashblade-sessions/testing';

const array: FlashBlade = { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } };
export const session: Promise<Session> = login(array, apiToken('T-1'));
export const connection: Promise<ArraySession> = connect({ host: array.host, apiToken: 'T-1', trust: array.trust });
export const fake: FakeFleet = fakeFleet({ respond: () => ({ body: { items: [] } }) });
const fleet = createFleet({ table: 'leases', key: 'alias/leases', aws: { region: 'eu-central-1' } });
export const lease: Promise<Lease> = fleet.open('fb1', { leaseSeconds: 600 });
export const counts: Promise<readonly MapResult<number>[]> = fleet.map(['fb1'], async (fb) => {
  const { items } = await fb.get<{ items: string[] }>('/file-systems');
  return items.length;
});
`;
  // In TypeScript 5.2, nodenext is the same as node16.
  const CASES: readonly (readonly [compiler: string, kind: ModuleResolution])[] = [
    ['typescript-5.2', 'node16'],
    ['typescript-5.2', 'bundler'],
    ['typescript', 'node16'],
    ['typescript', 'nodenext'],
    ['typescript', 'bundler'],
  ];

  it.each(CASES)('are valid for the package %s with the module resolution "%s"', async (compiler, kind) => {
    await writeFile(join(project, 'types.ts'), PROGRAM);
    expect(await typeCheck(project, ['types.ts'], kind, compiler)).toBe('');
  });

  it('are valid in a CommonJS file', async () => {
    await writeFile(join(project, 'types.cts'), PROGRAM);
    expect(await typeCheck(project, ['types.cts'])).toBe('');
  });

  it('would be refused if they contained what TypeScript 5.2 does not know', async () => {
    const added = 'export type Bytes = Buffer<ArrayBuffer>;\n';
    const wrong = await withMistake(project, 'dist/lib/array.d.ts', '', added);
    await writeFile(join(wrong.project, 'types.ts'), "import 'flashblade-sessions/array';");
    const errors = await typeCheck(wrong.project, ['types.ts'], 'node16', 'typescript-5.2');
    expect(errors).toMatch(/array\.d\.ts.*error TS2315/);
  });
});

describe('the source maps', () => {
  /** Files without a map, and maps without a source. */
  async function mapFaults(home: string): Promise<string[]> {
    const compiled = (await readdir(join(home, 'dist'), { recursive: true })).filter((name) =>
      /\.(js|d\.ts)$/.test(name),
    );
    const faults = compiled.map(async (name) => {
      const path = join(home, 'dist', name);
      const [, map] = /\n\/\/# sourceMappingURL=(.+)\s*$/.exec(await readFile(path, 'utf8')) ?? [];
      if (map === undefined) return [`${name} has no map`];
      const { sources } = JSON.parse(await readFile(join(dirname(path), map), 'utf8')) as { sources: string[] };
      const missing = sources.filter((source) => !existsSync(resolve(dirname(path), source)));
      return missing.map((source) => `${name} comes from ${source}`);
    });
    return (await Promise.all(faults)).flat();
  }

  it('of all code and types lead to sources in the package', async () => {
    expect(await mapFaults(homeIn(project))).toEqual([]);
  });

  it('would be reported if they led elsewhere, or were missing', async () => {
    const elsewhere = await withMistake(project, 'dist/lib/array.js.map', '../../lib/', '../../../lib/');
    expect(await mapFaults(homeIn(elsewhere.project))).toEqual(['lib/array.js comes from ../../../lib/array.ts']);
    const without = await withMistake(project, 'dist/lib/array.d.ts', '//# sourceMappingURL', '// ');
    expect(await mapFaults(homeIn(without.project))).toEqual(['lib/array.d.ts has no map']);
  });

  it('lead an editor to the declaration, and a stack trace to the line that threw', async () => {
    const home = homeIn(project);
    const declared = await readFile(join(home, 'dist/lib/array.d.ts'), 'utf8');
    const line = declared.split('\n').findIndex((text) => text.startsWith('export declare function connect('));
    const map = new SourceMap(JSON.parse(await readFile(join(home, 'dist/lib/array.d.ts.map'), 'utf8')));
    const entry = map.findEntry(line, 'export declare function '.length);
    if (!('originalSource' in entry)) throw new Error('connect is not mapped');
    expect(entry.originalSource).toBe('../../lib/array.ts');
    const source = (await readFile(join(home, 'lib/array.ts'), 'utf8')).split('\n');
    expect(source[entry.originalLine]).toMatch(/^export async function connect\(/);

    const program = `process.setSourceMapsEnabled(true);
      const { connect } = await import('flashblade-sessions/array');
      await connect({ host: 'fb1', version: 'newest' }).catch(({ stack }) => console.log(stack));`;
    const { stdout } = await start(project, 'stack.js', program);
    const [, file = '', nth] = /at \w+ \((.*lib\/array\.ts):(\d+):/.exec(stdout) ?? [];
    expect((await readFile(file, 'utf8')).split('\n')[Number(nth) - 1]).toMatch(/^ *throw invalid\(/);
  });
});

describe('a bundle', () => {
  /** Bundles a program that uses these exports. Returns its size in KiB and the packages in it. */
  async function bundled(where: string, names: string, from: string) {
    const { outputFiles, metafile } = await build({
      stdin: { contents: `import { ${names} } from '${from}'; console.log(${names});`, resolveDir: where },
      ...{ bundle: true, minify: true, write: false, metafile: true },
      ...{ format: 'esm', platform: 'node', target: 'node22', preserveSymlinks: false },
    });
    const [file] = outputFiles;
    if (file === undefined) throw new Error('no bundle');
    const inputs = Object.entries(metafile.outputs).flatMap(([, output]) => Object.entries(output.inputs));
    const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
    const packages = new Set(used.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
    const [kib, gzipKib] = [file.contents, gzipSync(file.contents)].map(({ length }) => length / 1024);
    return { kib, gzipKib, packages: [...packages].sort(), text: file.text };
  }

  it.each(['flashblade-sessions', 'flashblade-sessions/array'])(
    'of login from %s contains only what login needs',
    async (from) => {
      const { kib, gzipKib, packages } = await bundled(project, 'login', from);
      expect(packages).toEqual(['flashblade-sessions']);
      expect(kib).toBeLessThan(48);
      expect(gzipKib).toBeLessThan(20);
    },
  );

  it('would contain more if bundlers had to assume that every module has side effects', async () => {
    const wrong = await withMistake(project, 'package.json', '"sideEffects"', '"was"');
    const { kib, packages } = await bundled(wrong.project, 'login', 'flashblade-sessions');
    expect(packages).toEqual(['flashblade-sessions', 'valibot']);
    expect(kib).toBeGreaterThan(48);
  });

  it('of login and logout works', async () => {
    const simulator = await startSimulator();
    onTestFinished(simulator.stop);
    const { text } = await bundled(project, 'login, logout, apiToken', 'flashblade-sessions');
    const { host, port, certificate: ca } = simulator;
    const array = JSON.stringify({ name: 'fb1', host, port, trust: { kind: 'ca', ca } });
    // The bundle prints its imports. Here it uses them instead.
    const program = text.replace(
      /console\.log\(([\w$]+),([\w$]+),([\w$]+)\)/,
      `const session=await $1(${array},$3(process.env.API_TOKEN));await $2(session);console.log(session.username)`,
    );
    const { stdout } = await start(project, 'bundle.js', program, { API_TOKEN: simulator.apiToken });
    expect(stdout).toBe('pureuser\n');
    expect(simulator.history).toHaveLength(1);
    expect(simulator.sessions()).toEqual([]);
  });

  /** What the bundle says on an old version of Node.js. */
  async function onOldNode(where: string, name: string, from: string): Promise<string> {
    const { text } = await bundled(where, name, from);
    await writeFile(join(where, 'old.js'), text);
    const older = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })";
    const options = ['--import', `data:text/javascript,${encodeURIComponent(older)}`];
    const { stderr } = await run(process.execPath, [...options, 'old.js'], { cwd: where }).catch((error) => error);
    return stderr;
  }

  it.each([
    ['login', 'flashblade-sessions'],
    ['login', 'flashblade-sessions/array'],
    ['connect', 'flashblade-sessions'],
    ['createFleet', 'flashblade-sessions'],
    ['closeOnSignals', 'flashblade-sessions'],
  ])('of %s from %s still checks the version of Node.js', async (name, from) => {
    expect(await onOldNode(project, name, from)).toContain('needs Node.js 22.12 or newer, but this is Node.js 20.20.2');
  });

  it('would not check it if package.json did not say that the check is a side effect', async () => {
    const wrong = await withMistake(project, 'package.json', 'node-version.js', 'gone.js');
    expect(await onOldNode(wrong.project, 'login', 'flashblade-sessions')).toBe('');
  });
});

describe('an import', () => {
  /** Imports an entry point. Returns what that changed in the process, apart from what its dependencies change. */
  async function effects(where: string, entry: string): Promise<{ reads: string[]; changes: string[] }> {
    const others = ['node:http', ...Object.keys(packed['dependencies'] ?? {})];
    const program = `
      if ('${entry}' !== 'flashblade-sessions/array')
        for (const name of ${JSON.stringify(others)}) await import(name);
      const { env, stdout, stderr } = process;
      const reads = [];
      const noted = (name) => {
        if (new Error().stack.includes('node_modules/flashblade-sessions/')) reads.push(String(name));
      };
      process.env = new Proxy(env, { get: (_, name) => { noted(name); return env[name]; } });
      const state = () => [
        ...Reflect.ownKeys(globalThis).map((name) => 'global ' + String(name)),
        ...process.eventNames().map((name) => 'listener ' + String(name) + process.listenerCount(name)),
        ...process.getActiveResourcesInfo().map((name) => 'active ' + name),
      ];
      const before = state();
      await import('${entry}');
      console.log(JSON.stringify({ reads, changes: state().filter((one) => !before.includes(one)) }));
      process.exit();`;
    return JSON.parse((await start(where, 'effects.js', program)).stdout);
  }

  it('does nothing', async () => {
    for (const entry of entries()) expect(await effects(project, entry), entry).toEqual({ reads: [], changes: [] });
  });

  it('would be reported if it did something', async () => {
    const added = "process.on('SIGTERM', () => {}); globalThis.home = process.env.HOME; setInterval(() => {}, 9);\n";
    const wrong = await withMistake(project, 'dist/lib/array.js', '', added);
    expect(await effects(wrong.project, 'flashblade-sessions/array')).toEqual({
      reads: ['HOME'],
      changes: expect.arrayContaining(['global home', 'listener SIGTERM1', 'active Timeout']),
    });
  });

  /** The packages that importing an entry point loads, and the milliseconds of CPU time that it takes. */
  async function loading(where: string, entry: string): Promise<{ packages: string[]; ms: number }> {
    const program = `
      import { registerHooks } from 'node:module';
      const urls = [];
      if (process.argv[2] === 'list')
        registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
      const start = process.cpuUsage();
      await import('${entry}');
      const { user, system } = process.cpuUsage(start);
      const names = urls.flatMap((url) => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? []);
      console.log(JSON.stringify({ packages: [...new Set(names)].sort(), ms: (user + system) / 1000 }));`;
    await writeFile(join(where, 'loading.js'), program);
    const measure = async (what: string) =>
      JSON.parse((await run(process.execPath, ['loading.js', what], { cwd: where })).stdout);
    const { packages } = await measure('list');
    const times: number[] = [];
    for (let n = 0; n < 5; n++) times.push((await measure('time')).ms);
    return { packages, ms: Math.min(...times) };
  }

  it('of /array loads no other package and takes less than a third of the time, and /testing loads no AWS SDK', async () => {
    const all = await loading(project, 'flashblade-sessions');
    const array = await loading(project, 'flashblade-sessions/array');
    const testing = await loading(project, 'flashblade-sessions/testing');
    expect(all.packages).toEqual(expect.arrayContaining(Object.keys(packed['dependencies'] ?? {})));
    expect(array.packages).toEqual(['flashblade-sessions']);
    expect(testing.packages).toEqual(['flashblade-sessions', 'valibot']);
    expect(all.ms / array.ms).toBeGreaterThan(3);
    const wrong = await withMistake(project, 'dist/lib/array.js', '', "import './compose.js';\n");
    const slow = await loading(wrong.project, 'flashblade-sessions/array');
    expect(slow.packages).toContain('@aws-sdk/client-dynamodb');
    expect(all.ms / slow.ms).toBeLessThan(3);
  });

  const REQUIRE = (): string => `
    for (const name of ${JSON.stringify(entries())}) console.log(name, Object.keys(require(name)).length > 0);
    console.log(require('flashblade-sessions/package.json').version);`;

  it('with require works', async () => {
    const { stdout, stderr } = await start(project, 'common.cjs', REQUIRE());
    expect(stderr).toBe('');
    expect(stdout).toBe(
      `${entries()
        .map((name) => `${name} true\n`)
        .join('')}${VERSION}\n`,
    );
  });

  it('with require would fail if a module waited at its top level', async () => {
    const wrong = await withMistake(project, 'dist/lib/core/errors.js', '', 'await undefined;\n');
    await expect(start(wrong.project, 'common.cjs', REQUIRE())).rejects.toThrow('ERR_REQUIRE_ASYNC_MODULE');
  });
});
