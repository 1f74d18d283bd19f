/** examples/python: a real boto3 client, the Invoke API on loopback, and the packaged functions behind it. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../../lib/core/errors.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { configurationOf, type FunctionName } from '../../kit/packaged.ts';
import { changed, read, start } from './files.ts';
import { startLambdaEndpoint } from './lambda-endpoint.ts';

const PROGRAM = read('python/list_file_systems.py');
const FILE_SYSTEMS = 'home 512 GiB\nprojects 2048 GiB\nrender 8192 GiB\nscratch 1024 GiB\n';
const CALL = '/api/2.4/file-systems';

/** Older versions of boto3 ignore AWS_ENDPOINT_URL_LAMBDA and would send the requests to AWS. */
const PROBE = 'import boto3; assert tuple(map(int, boto3.__version__.split(".")[:2])) >= (1, 28)';

function missing(): string | undefined {
  try {
    execFileSync('python3', ['-c', PROBE], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'skipped: python3 with boto3 1.28 or newer is not installed';
  }
}

const reason = missing();
if (reason !== undefined) console.log(`examples/python ${reason}`);

test('the program retries exactly the error codes that are retryable', () => {
  const [, listed = ''] = /^RETRYABLE = \{([^}]*)\}/m.exec(PROGRAM) ?? [];
  const codes = Array.from(listed.matchAll(/"(\w+)"/g), ([, code]) => code);
  const retryable = Object.entries(ERROR_CODES).filter((entry) => entry[1].retryable);
  expect(codes).toEqual(retryable.map(([code]) => code));
});

describe.skipIf(reason !== undefined)('the program', () => {
  const FUNCTIONS = ['login', 'logout', 'call-array'] as const;
  let d: Deployment;
  let folder: string;
  let endpoint: Awaited<ReturnType<typeof startLambdaEndpoint>>;
  let stack: string;
  let invoked: string[] = [];

  beforeAll(async () => {
    d = await deploy({ functions: FUNCTIONS });
    d.addArray('fb1');
    folder = await mkdtemp(join(tmpdir(), 'flashblade-example-'));
    const fullName = (name: FunctionName) => configurationOf(name, d.physical).functionName;
    const names = new Map(FUNCTIONS.map((name) => [fullName(name), name]));
    stack = fullName('login').replace(/-login$/, '');
    endpoint = await startLambdaEndpoint((functionName, event) => {
      const name = names.get(functionName);
      invoked.push(name ?? functionName);
      return name && d.invoke(name, event);
    });
  });

  afterEach(async () => {
    invoked = [];
    d.watchArray(undefined);
    await d.simulator.faults.clear();
    for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
  });

  afterAll(async () => {
    await endpoint?.stop();
    await d?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(array = 'fb1', program = PROGRAM) {
    const file = join(folder, 'list_file_systems.py');
    await writeFile(file, program);
    const { PATH, HOME } = process.env;
    const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = d.aws.env;
    const env = {
      ...{ PATH, HOME, AWS_DEFAULT_REGION: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY },
      AWS_ENDPOINT_URL_LAMBDA: endpoint.url,
      // A developer's own settings must not send the requests elsewhere.
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    };
    return start('python3', [file, stack, array], { cwd: folder, env });
  }

  test.each([
    ['in one page', PROGRAM, ['login', 'call-array', 'logout']],
    ['page by page', changed(PROGRAM, '"limit": 100', '"limit": 3'), ['login', 'call-array', 'call-array', 'logout']],
  ])('lists the file systems %s and closes its session', async (_, program, expected) => {
    const { code, stdout, stderr } = await (await run('fb1', program)).ended;
    expect([code, stdout, stderr]).toEqual([0, FILE_SYSTEMS, '']);
    expect(invoked).toEqual(expected);
    expect(d.simulator.sessions()).toEqual([]);
    expect(await d.leaks({ stdout })).toEqual([]);
  });

  test('retries a login under the same lease while the array is busy', async () => {
    d.simulator.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/login', times: 1 });
    const logins = d.simulator.history.length;
    expect(await (await run()).ended).toMatchObject({ code: 0, stdout: FILE_SYSTEMS });
    expect(invoked).toEqual(['login', 'login', 'call-array', 'logout']);
    expect(d.simulator.history).toHaveLength(logins + 1);
  });

  test('does not retry a call that the array forbids, closes its session and reports the code', async () => {
    d.simulator.faults.add({ kind: 'answer', status: 403, path: CALL });
    const { code, stderr } = await (await run()).ended;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^FORBIDDEN: array fb1 refused GET/)]);
    expect(invoked).toEqual(['login', 'call-array', 'logout']);
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('logs out after a login that failed, and reports the error of the login', async () => {
    const { code, stderr } = await (await run('unknown')).ended;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^ARRAY_UNKNOWN: /)]);
    expect(invoked).toEqual(['login', 'logout']);
  });

  test('reports a logout that failed without hiding the error of the work', async () => {
    d.simulator.faults.add({ kind: 'answer', status: 403, path: CALL });
    const program = changed(PROGRAM, '{stack}-logout', '{stack}-log-out');
    const { code, stderr } = await (await run('fb1', program)).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^logout failed: .*ResourceNotFoundException.*\nFORBIDDEN: /);
    expect(d.simulator.sessions()).toHaveLength(1);
  });

  const SIGNAL = 'signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))';
  test.each([
    ['closes its session first', PROGRAM, 143, 0],
    ['leaves it open without its signal handler', changed(PROGRAM, SIGNAL, ''), null, 1],
  ])('stopped by SIGTERM in the middle of its work, %s', async (_, program, exitCode, left) => {
    const working = Promise.withResolvers<void>();
    d.watchArray((phase, { path }) => {
      if (phase === 'done' && path === CALL) working.resolve();
    });
    // The signal reaches the program after the array served its call, and before it logs out.
    const { child, ended } = await run(
      'fb1',
      changed(program, 'token = result["body"]', 'time.sleep(30)\n            token = result["body"]'),
    );
    await working.promise;
    child.kill('SIGTERM');
    expect((await ended).code).toBe(exitCode);
    expect(d.simulator.sessions()).toHaveLength(left);
  });
});
