import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type ApiToken, apiToken } from '../../../lib/core/model.ts';
import { apiVersions, login, loginWithHttpInfo, logout } from '../../../lib/flashblade/client.ts';
import { badAnswers, type Fault, type OnRequest } from '../../../simulator/index.ts';
import { failureOf } from './failures.ts';
import { nextConnection } from './made.ts';
import { arrayAt, reply, startServer } from './servers.ts';
import { type Simulated, simulated } from './simulated.ts';

const {
  htmlAnswer,
  loginBody,
  malformedAuthToken,
  oversized,
  redirect,
  serverIsBusy,
  tooManyRequests,
  withoutAuthToken,
} = badAnswers;
afterEach(() => {
  vi.useRealTimers();
});

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const atLogin = { path: '/api/login', times: 1 };

/** Injects a fault into a login; returns its error and how many sessions it left on the array. */
async function faulty(fault: Fault, prepared?: Simulated) {
  const { simulator, array, token } = prepared ?? (await simulated());
  simulator.faults.add({ ...fault, ...atLogin });
  const error = await failureOf(login(array, token));
  expect(simulator.requests.filter(({ path }) => path === '/api/login')).toHaveLength(1);
  return { error, simulator, open: simulator.sessions().length };
}

test('a login is one POST that has the API token in its header and nowhere else', async () => {
  const { simulator, array, token } = await simulated();
  const session = await login(array, token, { requestId: 'attempt-1' });
  expect(session).toEqual({ array, authToken: expect.anything(), apiToken: token, username: 'pureuser' });
  expect(session.authToken.reveal()).toBe(simulator.sessions()[0]?.authToken);
  const [request] = simulator.requests;
  expect(request).toMatchObject({
    method: 'POST',
    path: '/api/login',
    query: '',
    bodyBytes: 0,
    requestId: 'attempt-1',
  });
  expect(request).toMatchObject({ hasApiToken: true, hasAuthToken: false });
  expect([...(request?.headerNames ?? [])].sort()).toEqual([
    'accept-encoding',
    'api-token',
    'connection',
    'content-length',
    'host',
    'user-agent',
    'x-request-id',
  ]);
});

test('login and logout share one connection and leave no session behind', async () => {
  const { simulator, array, token } = await simulated();
  await logout(await login(array, token));
  expect(simulator.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /api/login',
    'POST /api/logout',
  ]);
  expect(new Set(simulator.requests.map(({ connectionId }) => connectionId)).size).toBe(1);
  expect(simulator.sessions()).toEqual([]);
});

test('a login never uses a connection that has been idle for one second', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { simulator, array, token } = await simulated();
  await apiVersions(array);
  vi.setSystemTime(Date.now() + 1000);
  await login(array, token);
  expect(simulator.counters.connections).toBe(2);
});

test('loginWithHttpInfo returns status and headers, but not the auth token', async () => {
  const { array, token } = await simulated();
  const { data, status, headers, requestId } = await loginWithHttpInfo(array, token);
  expect([status, data.username]).toEqual([200, 'pureuser']);
  expect(headers).toMatchObject({ server: 'nginx', 'cache-control': expect.stringContaining('no-store') });
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(Object.keys(headers)).not.toContain('x-auth-token');
  expect(JSON.stringify(headers)).not.toContain(data.authToken.reveal());
});

test.for([400, 401, 403] as const)(
  'status %i means that the API token is not accepted and no session was opened',
  async (status) => {
    const { array } = await simulated({ refusedLoginStatus: status });
    const error = await failureOf(login(array, apiToken('T-another')));
    expect(error).toMatchObject({ code: 'LOGIN_REFUSED', facts: { status, sent: true, mayHaveOpened: false } });
    expect(error.message).toContain(`returned ${status} for the login`);
  },
);

test.for([400, 401, 403] as const)(
  'status %i from something in front of the array says nothing about the API token, and no session was opened',
  async (status) => {
    const prepared = await simulated();
    const { host, port } = prepared.array;
    const { error, simulator } = await faulty(htmlAnswer(status), prepared);
    const { requestId } = simulator.requests.at(-1) ?? {};
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', retryable: true });
    expect(error.facts).toEqual({ status, sent: true, mayHaveOpened: false, array: 'fb1', requestId });
    expect(error.message).toBe(
      `array fb1 (${host}:${port}) cannot be reached: something in front of it, such as a proxy or a load balancer, returned ${status} for the login. Let requests to the array through.`,
    );
  },
);

test('a refusal that contains an auth token is logged out again', async () => {
  const server = await startServer((socket, request) => {
    if (request.includes('/logout')) socket.write(reply(200));
    else socket.end('HTTP/1.1 403 Forbidden\r\nx-auth-token: opened\r\nContent-Length: 9\r\n\r\n{');
  });
  const error = await failureOf(login(arrayAt(server), apiToken('T')));
  expect(error).toMatchObject({ code: 'LOGIN_REFUSED', facts: { mayHaveOpened: false } });
  expect(server.requests.map((text) => text.split(' ')[1])).toEqual(['/api/login', '/api/logout']);
});

test.for(['', 'two words', 'line\n', 'ümlaut', 'x'.repeat(1025)])(
  'an API token that is not a valid header value is not sent: %j',
  async (value) => {
    const { simulator, array } = await simulated();
    const error = await failureOf(login(array, apiToken(value)));
    expect(error).toMatchObject({ code: 'SECRET_INVALID', facts: { sent: false, mayHaveOpened: false } });
    if (value !== '') expect(error.message).not.toContain(value.trim());
    expect(simulator.requests).toEqual([]);
  },
);

describe('a busy array opens no session, and the error says how long to wait', () => {
  test.for([
    ['seconds', tooManyRequests('retry-after', 7), 7],
    ['its rates', tooManyRequests('x-ratelimit'), 60],
    [
      'a date that has passed',
      { kind: 'answer', act: false, status: 503, headers: { 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT' } },
      0,
    ],
    ['nothing', tooManyRequests('none'), undefined],
  ] satisfies [string, Fault, number | undefined][])('according to %s', async ([_, fault, retryAfterSeconds]) => {
    const { error, open } = await faulty(fault);
    expect(error).toMatchObject({ code: 'ARRAY_BUSY', facts: { mayHaveOpened: false } });
    expect([error.facts.retryAfterSeconds, open]).toEqual([retryAfterSeconds, 0]);
  });
});

describe('the error of a login says what failed and what to do next', () => {
  const proxy = 'Check that "host" is a FlashBlade and that no proxy is in front of it.';
  test.for([
    [
      { kind: 'answer', status: 403 },
      "403 for the login: it does not accept this API token. Store a valid token in the array's secret before you try again.",
    ],
    [tooManyRequests('none'), '429 for the login: it is busy. Try again later.'],
    [
      { kind: 'answer', act: false, status: 204, body: '' },
      `204 for the login: a login never returns this status. ${proxy}`,
    ],
    [withoutAuthToken, `200 for the login: the auth token is missing or malformed. ${proxy}`],
    [loginBody('not JSON'), `200 for the login: the body is not {"username": …}. ${proxy}`],
  ] satisfies [Fault, string][])('%#', async ([fault, message]) => {
    const prepared = await simulated();
    const { host, port } = prepared.array;
    const { error } = await faulty(fault, prepared);
    expect(error.message).toBe(`array fb1 (${host}:${port}) returned ${message}`);
  });
});

describe('an unexpected response may have opened a session', () => {
  test.for([201, 202, 204, 206, 404, 405, 418, 500, 502, 504])('status %i', async (status) => {
    const { error } = await faulty({ kind: 'answer', act: false, status, body: '' });
    expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { status, mayHaveOpened: true } });
  });

  test('a redirect, which is not followed', async () => {
    const { simulator: elsewhere } = await simulated();
    const { error } = await faulty(redirect(307, `${elsewhere.url}/api/login`));
    expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { status: 307, mayHaveOpened: true } });
    expect([elsewhere.requests.length, elsewhere.counters.connections]).toEqual([0, 0]);
  });

  test('status 500 with the text "Server is busy"', async () => {
    const { error } = await faulty(serverIsBusy('/api/login'));
    expect(error.message).toContain('returned 500 for the login');
  });

  test.for([
    ['no auth token', withoutAuthToken],
    ['a malformed auth token', malformedAuthToken()],
    ['two auth tokens', { kind: 'answer', headers: { 'x-auth-token': ['one', 'two'] } }],
  ] satisfies [string, Fault][])('status 200 with %s', async ([_, fault]) => {
    const { error, open } = await faulty(fault);
    expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { status: 200, mayHaveOpened: true } });
    expect(open).toBe(1);
  });
});

describe('a session whose auth token came with an invalid response is closed immediately', () => {
  const answer = (fault: object): Fault => ({ kind: 'answer', ...fault });
  test.for([
    ['username missing', loginBody('username missing')],
    ['username of the wrong type', loginBody('username of the wrong type')],
    ['username empty', loginBody('username empty')],
    ['not JSON', loginBody('not JSON')],
    ['not an object', loginBody('not an object')],
    ['of a FlashArray', loginBody('of a FlashArray')],
    ['empty', answer({ body: '' })],
    ['null', answer({ body: 'null' })],
    ['a username with control characters', answer({ body: '{"username":"a\\nb"}' })],
    ['a username of 257 characters', answer({ body: JSON.stringify({ username: 'x'.repeat(257) }) })],
    ['a body that is too long', oversized()],
    ['a valid body with status 201', answer({ status: 201 })],
  ] satisfies [string, Fault][])('%s', async ([_, fault]) => {
    const { error, simulator, open } = await faulty(fault);
    expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { mayHaveOpened: false } });
    expect([simulator.history.length, open]).toEqual([1, 0]);
  });

  test('even if the body never ends', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    const connection = nextConnection();
    const failed = faulty({ kind: 'hang', at: 'in-body' });
    await once(await connection, 'data');
    vi.advanceTimersByTime(10_000);
    const { error, open } = await failed;
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true, mayHaveOpened: false } });
    expect(open).toBe(0);
  });

  test('and if closing fails, too, the error says that the session may be open', async () => {
    const prepared = await simulated();
    prepared.simulator.faults.add({ kind: 'reset', path: '/api/logout', act: false });
    const { error, open } = await faulty(loginBody('not JSON'), prepared);
    expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { mayHaveOpened: true } });
    expect(open).toBe(1);
  });
});

describe('a login without a response', () => {
  test.for([
    ['reset', { kind: 'reset' }],
    ['silence', { kind: 'hang', at: 'before-headers' }],
    ['half a head', { kind: 'hang', at: 'in-headers' }],
    ['garbage', { kind: 'garbage' }],
    ['an upgrade', { kind: 'upgrade' }],
    ['cut off', { kind: 'cut', afterBytes: 20 }],
  ] satisfies [string, Fault][])('may have opened a session and is not retried: %s', async ([_, fault]) => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    const onRequest: OnRequest = (phase) => {
      if (phase === 'done' && fault.kind === 'hang') vi.advanceTimersByTime(5000);
    };
    const { error, open } = await faulty(fault, await simulated({ onRequest }));
    expect(error.facts).toMatchObject({ sent: true, mayHaveOpened: true });
    expect(['ARRAY_UNREACHABLE', 'ANSWER_INVALID']).toContain(error.code);
    expect(open).toBe(1);
  });

  test('is not retried either if it broke a reused connection', async () => {
    const prepared = await simulated();
    await apiVersions(prepared.array);
    const { error, simulator } = await faulty({ kind: 'reset', act: false }, prepared);
    expect(error.facts).toMatchObject({ sent: true, mayHaveOpened: true });
    expect(simulator.counters.connections).toBe(1);
  });

  test.for(['refuse', 'reset-at-accept', 'hang-at-accept', 'hang-in-handshake', 'plain-text'] as const)(
    'that never reached the array opened no session: %s',
    async (kind) => {
      const { simulator, array, token } = await simulated();
      simulator.faults.add({ kind });
      const error = await failureOf(login(array, token, { connectTimeoutMs: 100 }));
      const requestId = expect.stringMatching(UUID);
      expect(error.facts).toEqual({ sent: false, mayHaveOpened: false, array: 'fb1', requestId });
      expect(simulator.history).toEqual([]);
    },
  );

  test('that had no time left opened no session', async () => {
    const { array, token } = await simulated();
    const error = await failureOf(login(array, token, { deadline: Date.now() - 1 }));
    expect(error).toMatchObject({ code: 'OUT_OF_TIME', facts: { sent: false, mayHaveOpened: false } });
  });
});

test('an unexpected error during a login shows where in the code it happened and says that a session may exist', async () => {
  const { array } = await simulated();
  const reveal = () => {
    throw new RangeError('T-secret');
  };
  const error = await failureOf(login(array, { kind: 'API token', reveal } as unknown as ApiToken));
  expect(error).toMatchObject({ code: 'INTERNAL', facts: { mayHaveOpened: true } });
  expect(error.stack).toMatch(/^INTERNAL: .*\n {4}at .*reveal .*login\.test\.ts/);
  expect(error.stack).not.toContain('T-secret');
});

test.for([
  ['announces no length', '200 OK', ''],
  ['announces its length twice', '200 OK', 'Content-Length: 20\r\nTransfer-Encoding: chunked\r\n'],
  ['has an unknown transfer coding', '200 OK', 'Transfer-Encoding: gzip\r\n'],
  ['announces a body that its status cannot have', '204 No Content', 'Content-Length: 20\r\n'],
])('a session is closed if the response to its login %s', async ([_, status, framing]) => {
  const server = await startServer((socket, request) => {
    if (request.includes('/logout')) socket.write(reply(200));
    else socket.end(`HTTP/1.1 ${status}\r\nx-auth-token: opened\r\n${framing}\r\n{"username":"u"}`);
  });
  const error = await failureOf(login(arrayAt(server), apiToken('T')));
  expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { sent: true, mayHaveOpened: false } });
  expect(server.requests.map((text) => text.split(' ')[1])).toEqual(['/api/login', '/api/logout']);
});
