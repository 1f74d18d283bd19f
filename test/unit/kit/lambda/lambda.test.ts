import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { type Lambda, type LambdaOptions, startLambda } from '../../../kit/lambda/lambda.ts';
import { resultOf } from '../../../kit/lambda/outcome.ts';
import { isAlive } from '../../../kit/script.ts';

// A cold start takes a fraction of a second, and some seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const directory = resolve(import.meta.dirname, '../../../kit/lambda/fixtures');
const started: Lambda[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const lambda of started.splice(0)) await lambda.stop();
});

const start = async (handler: string, options: Partial<LambdaOptions> = {}): Promise<Lambda> => {
  const lambda = await startLambda({ directory, handler, ...options });
  started.push(lambda);
  return lambda;
};

const written = (lambda: Lambda, text: string) => vi.waitFor(() => expect(lambda.output).toContain(text), 10_000);

test('an event reaches a handler in an ES module, and its result returns as JSON', async () => {
  const lambda = await start('handlers.echo');
  expect(await lambda.invoke({ name: 'fb1', größe: [1, null] })).toEqual({
    result: { event: { name: 'fb1', größe: [1, null] }, invocations: 1 },
  });
});

test('consecutive invocations run in the same process', async () => {
  const lambda = await start('handlers.echo');
  await lambda.invoke({});
  const { pid } = lambda;
  expect(await lambda.invoke({})).toMatchObject({ result: { invocations: 2 } });
  expect(lambda.pid).toBe(pid);
});

/** CPU time of another process, seen from outside: that of the threads it has now, in ms. Only Linux reports it. */
const cpuMsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'latin1').split(' ')[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);

test.skipIf(process.platform !== 'linux')('the CPU time of a process includes threads that ended', async () => {
  const lambda = await start('handlers.burnInThread');
  const burntMs = 100;
  expect(await lambda.invoke({ burntMs })).toEqual({ result: 'burnt' });
  expect(lambda.cpuMs).toBeGreaterThan(burntMs);
  expect((lambda.cpuMs ?? 0) - cpuMsOf(lambda.pid ?? 0)).toBeGreaterThan(burntMs / 2);
});

test('a concurrent second invocation is refused', async () => {
  const lambda = await start('handlers.echo');
  const first = lambda.invoke({});
  await expect(lambda.invoke({})).rejects.toThrow('busy');
  expect(await first).toMatchObject({ result: { invocations: 1 } });
});

test('the result of a handler that returns nothing is null', async () => {
  const lambda = await start('handlers.nothing');
  expect(await lambda.invoke({})).toEqual({ result: null });
});

test('the name of a thrown error is the error type that the caller sees', async () => {
  const lambda = await start('handlers.fail');
  expect(await lambda.invoke({})).toMatchObject({
    error: { errorType: 'LOGIN_REFUSED', errorMessage: 'the array does not accept this API token' },
  });
});

test('a result that cannot be JSON is an error', async () => {
  const lambda = await start('handlers.unprintable');
  expect(await lambda.invoke({})).toMatchObject({ error: { errorType: 'Runtime.JSONStringifyError' } });
});

test('an unhandled rejection ends the process and is logged', async () => {
  const lambda = await start('handlers.leaveRejection');
  expect(await lambda.invoke({}, { awsRequestId: 'r-1' })).toEqual({
    error: {
      errorType: 'Runtime.ExitError',
      errorMessage: 'RequestId: r-1 Error: Runtime exited with error: exit status 1',
    },
  });
  expect(lambda.output).toContain('an unhandled rejection');
});

test('a handler that ends the process is an error, not a result', async () => {
  const lambda = await start('handlers.exit');
  expect(await lambda.invoke({})).toMatchObject({ error: { errorType: 'Runtime.ExitError' } });
});

test('a module that cannot be imported fails every invocation', async () => {
  const lambda = await start('is-not-here.handler');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    expect(await lambda.invoke({})).toMatchObject({
      error: { errorType: 'Runtime.ImportModuleError', errorMessage: expect.stringContaining('is-not-here') },
    });
  }
});

test('a missing handler fails the invocation', async () => {
  const lambda = await start('handlers.missing');
  expect(await lambda.invoke({})).toMatchObject({ error: { errorType: 'Runtime.HandlerNotFound' } });
});

test('a timeout kills the process, and the next invocation gets a new one', async () => {
  const lambda = await start('handlers.hang');
  await lambda.invoke({ answer: true });
  const { pid } = lambda;
  expect(await lambda.invoke({}, { awsRequestId: 'r-2', timeoutMs: 50 })).toEqual({
    error: { errorType: 'Sandbox.Timedout', errorMessage: 'RequestId: r-2 Error: Task timed out after 0.05 seconds' },
    timedOut: true,
  });
  expect(await lambda.invoke({ answer: true })).toEqual({ result: 'answered' });
  expect(lambda.pid).not.toBe(pid);
});

test('a process that is killed during an invocation is reported and replaced', async () => {
  const lambda = await start('handlers.hang');
  const outcome = lambda.invoke({});
  await written(lambda, 'hanging');
  await lambda.kill();
  expect(await outcome).toEqual({ killed: 'SIGKILL' });
  expect(await lambda.invoke({ answer: true })).toEqual({ result: 'answered' });
});

test('a process that is killed between invocations is replaced', async () => {
  const lambda = await start('handlers.echo');
  await lambda.invoke({});
  await lambda.kill();
  expect(await lambda.invoke({})).toMatchObject({ result: { invocations: 1 } });
});

test('a handler can clean up on SIGTERM before its process ends', async () => {
  const lambda = await start('handlers.cleanUp');
  const outcome = lambda.invoke({});
  await written(lambda, 'hanging');
  await lambda.kill('SIGTERM');
  expect(await outcome).toMatchObject({ error: { errorType: 'Runtime.ExitError' } });
  expect(lambda.output).toContain('cleaned up');
});

test('the context contains the invocation, the function and the remaining time', async () => {
  const lambda = await start('handlers.describe', { functionName: 'flashblade-sessions-dev-login' });
  const outcome = await lambda.invoke({}, { awsRequestId: 'r-3', timeoutMs: 900_000 });
  expect(outcome).toMatchObject({
    result: {
      awsRequestId: 'r-3',
      functionName: 'flashblade-sessions-dev-login',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:flashblade-sessions-dev-login',
      memoryLimitInMB: '512',
      logGroupName: '/aws/lambda/flashblade-sessions-dev-login',
      remainingMs: expect.any(Number),
      now: expect.any(Number),
    },
  });
  const { remainingMs } = (outcome as { result: { remainingMs: number } }).result;
  expect(remainingMs).toBeGreaterThan(0);
  expect(remainingMs).toBeLessThanOrEqual(900_000);
});

test('a process has the clock of the function and is replaced when that clock is put forward', async () => {
  let aheadMs = 0;
  const lambda = await start('handlers.describe', { aheadMs: () => aheadMs });
  const describe = async () =>
    resultOf<{ now: number; remainingMs: number }>(await lambda.invoke({}, { timeoutMs: 60_000 }));
  const before = await describe();
  const { pid } = lambda;
  await describe();
  expect(lambda.pid).toBe(pid);
  aheadMs = 3_600_000;
  const after = await describe();
  expect(after.now - before.now).toBeGreaterThanOrEqual(aheadMs);
  expect(after.remainingMs).toBeGreaterThan(0);
  expect(after.remainingMs).toBeLessThanOrEqual(60_000);
  expect(lambda.pid).not.toBe(pid);
});

test('the function gets the given variables and none from the environment of the caller', async () => {
  vi.stubEnv('AWS_PROFILE', 'from the caller');
  vi.stubEnv('OF_THE_CALLER', '1');
  const lambda = await start('handlers.variables', { env: { LEASE_TABLE: 'leases' } });
  const { result } = (await lambda.invoke({})) as { result: { names: string[]; directory: string } };
  expect(result.directory).toBe(directory);
  expect(result.names.filter((name) => !name.startsWith('AWS_')).sort()).toEqual([
    'LAMBDA_TASK_ROOT',
    'LANG',
    'LEASE_TABLE',
    'TZ',
    '_HANDLER',
  ]);
  expect(result.names).not.toContain('AWS_PROFILE');
});

test('a stopped function leaves no process behind', async () => {
  const lambda = await start('handlers.echo');
  await lambda.invoke({});
  const { pid = 0 } = lambda;
  expect(isAlive(pid)).toBe(true);
  await lambda.stop();
  expect(isAlive(pid)).toBe(false);
});
