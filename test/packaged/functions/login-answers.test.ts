import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RequestFault } from '../../../simulator/faults.ts';
import { badAnswers, randomApiToken } from '../../../simulator/index.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { errorOf, resultOf } from '../../kit/lambda/outcome.ts';
import { eventsOf } from './logs.ts';

const { htmlAnswer, loginBody, malformedAuthToken, redirect, serverIsBusy, tooManyRequests, withoutAuthToken } =
  badAnswers;

let d: Deployment;
let faults = 0;

beforeAll(async () => {
  d = await deploy({ env: { FIRST_BYTE_TIMEOUT_MS: '1000', ANSWER_TIMEOUT_MS: '1500' } });
  d.addArray('fb1');
});

beforeEach(async () => {
  await d.simulator.faults.clear();
  for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
});

afterAll(async () => {
  expect(d.simulator.requests.map(({ path }) => path)).not.toContainEqual(expect.stringMatching(/\d/));
  expect(await d.leaks()).toEqual([]);
  await d.stop();
});

/** A login during the fault, with a unique lease id. */
async function loginMeeting(fault: RequestFault, array = 'fb1') {
  const leaseId = `lease-${++faults}`;
  const handle = d.simulator.faults.add({ path: '/api/login', ...fault });
  const error = errorOf(await d.login({ array, leaseId }));
  expect(handle.happened()).toBe(1);
  await handle.remove();
  return { leaseId, error };
}

async function expectNothingLeft(leaseId: string): Promise<void> {
  const items = await d.items();
  expect(items.filter((item) => item.leaseId === leaseId)).toEqual([]);
  expect(items.flatMap(({ live = {} }) => Object.keys(live))).not.toContain(leaseId);
  expect(d.simulator.sessions()).toEqual([]);
}

async function expectSameRequestToSucceed(leaseId: string, array = 'fb1'): Promise<void> {
  expect(resultOf(await d.login({ array, leaseId }))).toMatchObject({ leaseId, array, username: 'pureuser' });
}

const refusal = (status: number): RequestFault => ({
  kind: 'answer',
  act: false,
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error: [{ code: status, context: '/api/login', message: 'Access Denied' }] }),
});

describe('an array that refuses the API token', () => {
  test.each([400, 401, 403])(
    'with status %i receives one login, and another one only after the secret has a new version',
    async (status) => {
      const array = `refusing-${status}`;
      d.addArray(array);
      const { leaseId, error } = await loginMeeting(refusal(status), array);
      expect(error.errorType).toBe('LOGIN_REFUSED');
      expect(error.errorMessage).toContain(`returned ${status}`);
      await expectNothingLeft(leaseId);

      const requests = d.simulator.requests.length;
      expect(errorOf(await d.login({ array, leaseId })).errorType).toBe('LOGIN_REFUSED');
      expect(d.simulator.requests).toHaveLength(requests);

      d.addArray(array);
      await expectSameRequestToSucceed(leaseId, array);
    },
  );
});

test('an array that refuses the API token receives one login, even if the body of its refusal never ends', async () => {
  d.addArray('refusing-slowly', { apiToken: randomApiToken() });
  const { leaseId, error } = await loginMeeting({ kind: 'hang', at: 'in-body' }, 'refusing-slowly');
  expect(error.errorType).toBe('LOGIN_REFUSED');
  await expectNothingLeft(leaseId);
  const requests = d.simulator.requests.length;
  expect(errorOf(await d.login({ array: 'refusing-slowly', leaseId })).errorType).toBe('LOGIN_REFUSED');
  expect(d.simulator.requests).toHaveLength(requests);
});

describe('something in front of an array', () => {
  test.each([400, 401, 403])('that returns %i leaves nothing, and the same request succeeds later', async (status) => {
    const { leaseId, error } = await loginMeeting(htmlAnswer(status));
    expect(error.errorType).toBe('ARRAY_UNREACHABLE');
    expect(error.errorMessage).toContain(
      `something in front of it, such as a proxy or a load balancer, returned ${status}`,
    );
    await expectNothingLeft(leaseId);
    await expectSameRequestToSucceed(leaseId);
  });
});

describe('an array that is busy', () => {
  test.each<[string, RequestFault]>([
    ['429 with Retry-After', tooManyRequests('retry-after')],
    ['429 with rate limits', tooManyRequests('x-ratelimit')],
    ['429 without a hint', tooManyRequests('none')],
    ['503 with an HTML page', htmlAnswer(503)],
  ])('and returns %s leaves nothing in the ledger, and the same request succeeds later', async (_, fault) => {
    const { leaseId, error } = await loginMeeting(fault);
    expect(error.errorType).toBe('ARRAY_BUSY');
    await expectNothingLeft(leaseId);
    await expectSameRequestToSucceed(leaseId);
  });
});

describe('a login response that does not show whether a session was opened', () => {
  test.each<[string, RequestFault]>([
    ['500', serverIsBusy('/api/login')],
    ['a redirect', redirect(302, 'https://127.0.0.1/login')],
    ['404', htmlAnswer(404)],
    ['204', { kind: 'answer', act: false, status: 204, body: '' }],
    ['200 with an HTML page', htmlAnswer(200)],
    ['200 without the auth token', withoutAuthToken],
    ['200 with a malformed auth token', malformedAuthToken()],
    ['a reset after the session was opened', { kind: 'reset' }],
    ['no response', { kind: 'hang', at: 'before-headers' }],
    ['half of a response head', { kind: 'hang', at: 'in-headers' }],
    ['a truncated response', { kind: 'cut', afterBytes: 40 }],
    ['a response that is not HTTP', { kind: 'garbage' }],
    ['a protocol upgrade', { kind: 'upgrade' }],
  ])('(%s) leaves a SUSPECT for the possible session, and the same request succeeds later', async (_, fault) => {
    const { leaseId, error } = await loginMeeting(fault);
    expect(error.errorType).toBe('LOGIN_UNKNOWN');
    expect(await d.lease(leaseId)).toBeUndefined();
    const [suspect, ...others] = await d.suspects(leaseId);
    expect(others).toEqual([]);
    const attemptId = d.simulator.requests.at(-1)?.requestId;
    expect(suspect).toMatchObject({ attemptId, target: { name: 'fb1' }, dueAt: expect.any(Number) });
    for (const session of d.simulator.sessions()) expect(session.requestId).toBe(attemptId);
    expect(eventsOf(d.lambdaOf('login').output, 'SuspectRecorded').at(-1)).toMatchObject({ level: 'ERROR', leaseId });

    await expectSameRequestToSucceed(leaseId);
    expect(await d.suspects(leaseId)).toEqual([suspect]);
  });
});

describe('an invalid login response with an auth token', () => {
  test.each<[string, string, RequestFault]>([
    ['a body without a username', 'ANSWER_INVALID', loginBody('username missing')],
    ['a body that is not JSON', 'ANSWER_INVALID', loginBody('not JSON')],
    ["a FlashArray's body", 'ANSWER_INVALID', loginBody('of a FlashArray')],
    ['status 201', 'ANSWER_INVALID', { kind: 'answer', status: 201 }],
    ['an endless body', 'ARRAY_UNREACHABLE', { kind: 'hang', at: 'in-body' }],
  ])('(%s) is logged out at once and leaves nothing', async (_, code, fault) => {
    const { leaseId, error } = await loginMeeting(fault);
    expect(error.errorType).toBe(code);
    expect(d.simulator.history.at(-1)).toMatchObject({ ended: { by: 'logout' } });
    await expectNothingLeft(leaseId);
    await expectSameRequestToSucceed(leaseId);
  });

  test('leaves a SUSPECT if its logout also fails', async () => {
    d.simulator.faults.add({ path: '/api/logout', kind: 'answer', act: false, status: 500 });
    const { leaseId, error } = await loginMeeting(loginBody('username missing'));
    expect(error.errorType).toBe('LOGIN_UNKNOWN');
    const [session] = d.simulator.sessions();
    expect(await d.suspects(leaseId)).toMatchObject([{ attemptId: session?.requestId }]);
  });
});
