import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { errorOf, resultOf } from '../../kit/lambda/outcome.ts';
import { OF_ERROR } from '../infra/runbook.ts';
import { eventsOf, linesOf } from './logs.ts';

let d: Deployment;

beforeAll(async () => {
  d = await deploy();
});

afterAll(async () => {
  expect(await d.leaks()).toEqual([]);
  await d.stop();
});

const lastRequest = () => d.simulator.requests.at(-1);

test('a login writes one log line with its lease, array, secret version, invocation and request id', async () => {
  const secretVersionId = d.addArray('fb1');
  resultOf(await d.login({ array: 'fb1', leaseId: 'logged' }, { awsRequestId: 'invocation-1' }));
  const lines = eventsOf(d.lambdaOf('login').output, 'LoginSucceeded');
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'INFO',
      invocation: 'invocation-1',
      leaseId: 'logged',
      array: 'fb1',
      secretVersionId,
      requestId: lastRequest()?.requestId,
      status: 200,
      durationMs: expect.any(Number),
    }),
  ]);
  expect(lastRequest()?.requestId).toBe((await d.lease('logged'))?.attemptId);
});

test('a logout writes one log line with its lease, array, invocation and request id', async () => {
  resultOf(await d.logout({ leaseId: 'logged' }, { awsRequestId: 'invocation-2' }));
  expect(lastRequest()).toMatchObject({ path: '/api/logout', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(eventsOf(d.lambdaOf('logout').output, 'LogoutSucceeded')).toEqual([
    expect.objectContaining({
      level: 'INFO',
      invocation: 'invocation-2',
      leaseId: 'logged',
      array: 'fb1',
      requestId: lastRequest()?.requestId,
      status: 200,
      durationMs: expect.any(Number),
    }),
  ]);
});

test('a refused login writes one log line with status and secret version, and is not repeated', async () => {
  const secretVersionId = d.addArray('refusing', { apiToken: 'T-00000000-1111-2222-3333-444444444444' });
  expect(errorOf(await d.login({ array: 'refusing', leaseId: 'refused' })).errorType).toBe('LOGIN_REFUSED');
  const refusal = expect.objectContaining({
    level: 'WARN',
    code: 'LOGIN_REFUSED',
    leaseId: 'refused',
    array: 'refusing',
    secretVersionId,
    requestId: lastRequest()?.requestId,
    status: 401,
    durationMs: expect.any(Number),
  });
  expect(eventsOf(d.lambdaOf('login').output, 'LoginFailed')).toEqual([refusal]);
  const requests = d.simulator.requests.length;
  expect(errorOf(await d.login({ array: 'refusing', leaseId: 'again' })).errorType).toBe('LOGIN_REFUSED');
  expect(d.simulator.requests).toHaveLength(requests);
  expect(eventsOf(d.lambdaOf('login').output, 'LoginFailed')).toHaveLength(1);
});

test('an invocation that fails before any request to an array writes one log line with the code, and Lambda adds one', async () => {
  await d.login({}, { awsRequestId: 'invocation-3' });
  const lines = linesOf(d.lambdaOf('login').output).filter(({ requestId }) => requestId === 'invocation-3');
  const [ours, ofRuntime, ...more] = lines.filter((line) => !('_aws' in line));
  expect(ours).toMatchObject({ level: 'WARN', message: { event: 'InvocationFailed', code: 'REQUEST_INVALID' } });
  const { message = {}, ...line } = ofRuntime ?? {};
  expect(line).toMatchObject({ level: 'ERROR' });
  const fields = Object.keys(message as object).map((field) => `message.${field}`);
  expect(fields).toEqual(expect.arrayContaining([...OF_ERROR, 'message.code']));
  expect(message).toMatchObject({ errorType: 'REQUEST_INVALID' });
  expect(message).not.toHaveProperty('event');
  expect(more).toEqual([]);
});

test('a login that the ledger refuses writes one log line with its lease and array', async () => {
  expect(errorOf(await d.login({ array: 'fb1', leaseId: 'logged' })).errorType).toBe('LEASE_ENDED');
  expect(eventsOf(d.lambdaOf('login').output, 'InvocationFailed').at(-1)).toMatchObject({
    level: 'WARN',
    code: 'LEASE_ENDED',
    leaseId: 'logged',
    array: 'fb1',
  });
});

test('the log line that Lambda writes for an error has the code as its type, also when a function cannot start', async () => {
  // The login above.
  expect(errorTypesIn(d.lambdaOf('login').output).at(-1)).toBe('LEASE_ENDED');
  const broken = await deploy({ functions: ['login'], env: { LEASE_TABLE: '' } });
  onTestFinished(broken.stop);
  expect(errorOf(await broken.login({})).errorType).toBe('CONFIG_INVALID');
  expect(errorTypesIn(broken.lambdaOf('login').output)).toEqual(['CONFIG_INVALID']);
});

/** `errorType` of every line that Lambda's runtime client writes about an error. A process that cannot start also writes other lines. */
const errorTypesIn = (output: string): unknown[] =>
  linesOf(output.replaceAll(/^[^{].*$/gm, ''))
    .map(({ message }) => Object(message) as Record<string, unknown>)
    .filter((message) => 'errorType' in message)
    .map(({ errorType }) => errorType);
