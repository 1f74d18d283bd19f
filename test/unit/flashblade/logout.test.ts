import { expect, test } from 'vitest';
import { authToken } from '../../../lib/core/model.ts';
import { login, logout, logoutWithHttpInfo } from '../../../lib/flashblade/client.ts';
import { badAnswers, type Fault } from '../../../simulator/index.ts';
import { failureOf } from './failures.ts';
import { simulated } from './simulated.ts';

const atLogout = { path: '/api/logout', times: 1 };

async function withSession() {
  const { simulator, array, token } = await simulated();
  return { simulator, array, session: await login(array, token) };
}

test('a logout is one POST with the auth token in its header and no body', async () => {
  const { simulator, session } = await withSession();
  const { status, data } = await logoutWithHttpInfo(session, { requestId: 'end-1' });
  expect([status, data, simulator.sessions().length]).toEqual([200, undefined, 0]);
  expect(simulator.requests[1]).toMatchObject({ method: 'POST', path: '/api/logout', query: '', bodyBytes: 0 });
  expect(simulator.requests[1]).toMatchObject({ hasApiToken: false, hasAuthToken: true, requestId: 'end-1' });
});

test.for([401, 403] as const)('status %i means that the session was already closed', async (status) => {
  const { array } = await simulated({ deadSessionStatus: status });
  const gone = { array, authToken: authToken('gone'), username: 'pureuser' };
  expect((await logoutWithHttpInfo(gone)).status).toBe(status);
});

test.for([401, 403])('status %i from something in front of the array does not confirm a logout', async (status) => {
  const { simulator, session } = await withSession();
  simulator.faults.add({ ...badAnswers.htmlAnswer(status), ...atLogout });
  const error = await failureOf(logout(session));
  expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', retryable: true, facts: { status, sent: true } });
  expect(error.message).toContain(`returned ${status} for the logout. Let requests to the array through.`);
  expect(simulator.sessions()).toHaveLength(1);
});

test.for([201, 204, 302, 307, 400, 404, 405])(
  'status %i is not a logout and fails as ANSWER_INVALID',
  async (status) => {
    const { simulator, session } = await withSession();
    simulator.faults.add({ kind: 'answer', act: false, status, body: '', ...atLogout });
    const error = await failureOf(logout(session));
    expect(error).toMatchObject({ code: 'ANSWER_INVALID', retryable: false, facts: { status, sent: true } });
    expect(error.message).toContain('the session may still be open');
    expect(simulator.sessions()).toHaveLength(1);
  },
);

test('status 200 with a body is not a logout', async () => {
  const { simulator, session } = await withSession();
  simulator.faults.add({ ...badAnswers.logoutWithBody, ...atLogout });
  expect(await failureOf(logout(session))).toMatchObject({ code: 'ANSWER_INVALID', facts: { status: 200 } });
});

test.for([429, 500, 502, 503, 504])(
  'status %i means that the session is still open and the logout can be retried',
  async (status) => {
    const { simulator, session } = await withSession();
    const headers = { 'retry-after': '3' };
    simulator.faults.add({ kind: 'answer', act: false, status, headers, ...atLogout });
    const error = await failureOf(logout(session));
    expect(error).toMatchObject({ code: 'ARRAY_BUSY', retryable: true, facts: { status, retryAfterSeconds: 3 } });
    await logout(session);
    expect(simulator.sessions()).toEqual([]);
  },
);

test('a logout on a connection that broke since the login is sent once more and succeeds', async () => {
  const { simulator, session } = await withSession();
  simulator.faults.add({ kind: 'reset', act: false, ...atLogout });
  await logout(session);
  expect(simulator.requests.filter(({ path }) => path === '/api/logout')).toHaveLength(2);
  expect(simulator.sessions()).toEqual([]);
});

test('a logout whose response was lost is confirmed by a second request', async () => {
  const { simulator, session } = await withSession();
  simulator.faults.add({ kind: 'reset', act: true, ...atLogout });
  expect((await logoutWithHttpInfo(session)).status).toBe(403);
});

test.for([
  ['no response', { kind: 'hang', at: 'before-headers' }, 'the response did not begin in time'],
  ['garbage', { kind: 'garbage' }, 'sent a response that cannot be used: it is not HTTP/1.1'],
  ['half a response', { kind: 'cut', afterBytes: 40 }, 'the connection was closed before the response was complete'],
] satisfies [string, Fault, string][])(
  'a logout without a valid response does not count as closed and can be retried: %s',
  async ([_, fault, reason]) => {
    const { simulator, session } = await withSession();
    simulator.faults.add({ ...fault, path: '/api/logout', times: 2 });
    const error = await failureOf(logout(session, { firstByteTimeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', retryable: true, facts: { sent: true } });
    expect(error.message).toContain(reason);
  },
);

test.for(['', 'two words', 'line\n'])(
  'an auth token that is not a valid header value is not sent: %j',
  async (value) => {
    const { simulator, array } = await simulated();
    const error = await failureOf(logout({ array, authToken: authToken(value), username: 'pureuser' }));
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', facts: { sent: false } });
    expect(simulator.requests).toEqual([]);
  },
);
