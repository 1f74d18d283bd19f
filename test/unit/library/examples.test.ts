/** Every export of the library is documented, and the examples in its comments work. */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { LEASE_TABLE } from '../../kit/lease-table.ts';
import { simulated } from '../flashblade/simulated.ts';
import { apiFaults, examplesOf, programOf, publicApi, type Read, readLibrary } from './doc-examples.ts';

const ENTRIES = ['lib/index.ts', 'lib/testing.ts'];
const apiOf = (read: Read) => {
  const all = ENTRIES.flatMap((entry) => publicApi(entry, read));
  return [...new Map(all.map((one) => [`${one.file} ${one.name}`, one])).values()];
};
const API = apiOf(readLibrary);

type Example = { readonly file: string; readonly name: string; readonly example: string };
const EXAMPLES: readonly Example[] = API.flatMap((one) => examplesOf(one).map((example) => ({ ...one, example })));
const planned = (example: string, file = 'lib/index.ts'): Example => ({ file, name: 'planned by the test', example });

/** Writes the programs of these examples into a new folder. */
function written(examples: readonly Example[]): { folder: string; files: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-doc-examples-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(resolve(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const config = {
    extends: resolve(ROOT, 'tsconfig.json'),
    compilerOptions: { noUnusedLocals: false, noPropertyAccessFromIndexSignature: false },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const files = examples.map((_, n) => join(folder, `${n}.ts`));
  for (const [n, { example, file }] of examples.entries()) writeFileSync(files[n] ?? '', programOf(example, file, API));
  return { folder, files };
}

/** The errors of the type check, each with the number of its example. */
function typeFaults(examples: readonly Example[]): string[] {
  const { folder } = written(examples);
  const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes('error TS'));
}

/** Runs the examples. Returns, for each one, its error or the number of sessions that it left, if any. */
async function runFaults(examples: readonly Example[]): Promise<(string | undefined)[]> {
  const { aws } = await awsWithClients();
  const { simulator, array, token } = await simulated();
  await aws.dynamodb.createTable(LEASE_TABLE, 'leases');
  const ca = array.trust.kind === 'ca' ? array.trust.ca : '';
  for (const name of ['fb1', 'fb2']) {
    const secret = { host: `${array.host}:${array.port}`, apiToken: token.reveal(), trust: { ca } };
    aws.secrets.put(`flashblade/${name}`, secret);
  }
  // The simulator has no calls that change something.
  for (const method of ['POST', 'PATCH', 'PUT', 'DELETE'])
    simulator.faults.add({
      ...{ kind: 'answer', method, path: /^\/api\/2\.\d+\/file-systems$/, act: false },
      ...{ status: 200, body: '{"items":[]}', headers: { 'content-type': 'application/json' } },
    });
  const env = {
    ...{ ...aws.env, LEASE_TABLE: 'leases', LEASE_KEY: aws.kms.createKey().arn, CA: ca },
    ...{ HOST: array.host, PORT: String(array.port), API_TOKEN: token.reveal() },
  };
  const child = fork(resolve(import.meta.dirname, 'run-examples.ts'), written(examples).files, {
    env,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill());
  const faults: (string | undefined)[] = [];
  for (const _ of examples) {
    const [{ error }] = (await once(child, 'message')) as [{ error?: string }];
    const left = simulator.sessions();
    for (const { authToken } of left) simulator.endSession(authToken);
    faults.push(error ?? (left.length === 0 ? undefined : `${left.length} sessions are left`));
    child.send('next');
  }
  return faults;
}

/** Reads the library with one text replaced, which must occur exactly once in the file. */
const changed =
  (file: string, find: string, replacement: string): Read =>
  (one) => {
    const text = readLibrary(one);
    if (one !== file) return text;
    if (text.split(find).length !== 2) throw new Error(`"${find}" must be in ${file} exactly once`);
    return text.replace(find, () => replacement);
  };

describe('the public API', () => {
  it('has a comment on every export, and an example on every function, value and method', () => {
    expect(API.length).toBeGreaterThan(60);
    expect(apiFaults(API)).toEqual([]);
  });

  it.each([
    [
      'a function without an example',
      'lib/array.ts',
      ' * await logout(session, { timeoutMs: 5000 });',
      ' *',
      ['lib/array.ts: logout has no @example'],
    ],
    [
      'a new function without an example',
      'lib/index.ts',
      '/**\n * Installs',
      '/** New. */\nexport function added() {}\n/**\n * Installs',
      ['lib/index.ts: added has no @example'],
    ],
    [
      'a method without an example',
      'lib/fleet-of.ts',
      '   * @example\n   * const { outcome } =',
      '   * const { outcome } =',
      ['lib/fleet-of.ts: Fleet.close has no @example'],
    ],
    [
      'a type without a comment',
      'lib/flashblade/requests.ts',
      '/** One REST call. */\n',
      '',
      ['lib/flashblade/requests.ts: ArrayRequest has no comment'],
    ],
  ])('the check finds %s', (_, file, find, replacement, faults) => {
    expect(apiFaults(apiOf(changed(file, find, replacement)))).toEqual(faults);
  });
});

describe('the examples in the comments', () => {
  it('type-check', () => {
    expect(EXAMPLES.length).toBeGreaterThan(25);
    expect(typeFaults(EXAMPLES)).toEqual([]);
    expect(typeFaults([planned("await fleet.open('fb1', { leaseMinutes: 10 });")])).toEqual([
      expect.stringContaining('leaseMinutes'),
    ]);
  });

  it('run and leave no session', async () => {
    const faults = await runFaults(EXAMPLES);
    const found = EXAMPLES.map(({ file, name }, n) => faults[n] && `${file}: ${name}: ${faults[n]}`);
    expect(found.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it('would be found if they failed or left a session', async () => {
    const broken = ["await fb.get('/no-such-thing');", 'await login(array, token);', "await fleet.open('fb1');"];
    const inTests = planned('assert.equal(fleet.openSessions().length, 1);', 'lib/testing.ts');
    expect(await runFaults([inTests, ...broken.map((example) => planned(example))])).toEqual([
      expect.stringMatching(/^AssertionError/),
      expect.stringMatching(/^CALL_REFUSED/),
      '1 sessions are left',
      '1 sessions are left',
    ]);
  });
});
