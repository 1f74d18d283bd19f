import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { authToken, type Session } from '../../../lib/core/model.ts';
import {
  type ArrayRequest,
  apiVersions,
  apiVersionsWithHttpInfo,
  compareVersions,
  login,
  request,
} from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { badAnswers, DEFAULT_VERSIONS, type Fault } from '../../../simulator/index.ts';
import { failureOf } from './failures.ts';
import { arrayAt, JSON_TYPE, reply, startServer } from './servers.ts';
import { simulated } from './simulated.ts';

describe('REST versions', () => {
  test("are read without a session and returned in the array's order", async () => {
    const { simulator, array } = await simulated();
    expect(await apiVersions(array)).toEqual(DEFAULT_VERSIONS);
    expect(simulator.requests[0]).toMatchObject({ method: 'GET', path: '/api/api_version', hasApiToken: false });
    expect((await apiVersionsWithHttpInfo(array)).status).toBe(200);
  });

  test('are compared number by number', () => {
    const sorted = ['1.0', '1.8', '1.8.1', '1.9', '1.10', '2.0', '2.4', '2.10'];
    expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
    expect(compareVersions('1.8', '1.8.0')).toBe(0);
  });

  test('of a FlashArray are refused, and the error names the mistake', async () => {
    const { simulator, array } = await simulated();
    simulator.faults.add({ kind: 'answer', body: '{"version":["1.0","2.4"]}' });
    const error = await failureOf(apiVersions(array));
    expect(error).toMatchObject({ code: 'ARRAY_UNSUPPORTED', facts: { status: 200 } });
    expect(error.message).toContain('FlashArray');
  });

  test.for([
    '{"versions":[]}',
    '{"versions":"2.0"}',
    '{"versions":[2.4]}',
    '{"versions":["2.x"]}',
    '{"versions":["1"]}',
    '{"versions":["1.2.3.4"]}',
    '[]',
    'null',
    '',
    '{',
  ])('are not read from the body %j', async (body) => {
    const { simulator, array } = await simulated();
    simulator.faults.add({ kind: 'answer', body });
    expect(await failureOf(apiVersions(array))).toMatchObject({ code: 'ANSWER_INVALID', facts: { status: 200 } });
  });

  test.for([
    [429, 'ARRAY_BUSY'],
    [503, 'ARRAY_BUSY'],
    [201, 'ANSWER_INVALID'],
    [302, 'ANSWER_INVALID'],
    [403, 'ANSWER_INVALID'],
    [404, 'ANSWER_INVALID'],
    [500, 'ANSWER_INVALID'],
  ] satisfies [number, string][])('with status %i fail as %s', async ([status, code]) => {
    const { simulator, array } = await simulated();
    simulator.faults.add({ kind: 'answer', status });
    expect(await failureOf(apiVersions(array))).toMatchObject({ code, facts: { status } });
  });
});

test.for([400, 401, 403])(
  'status %i from something in front of the array means that its versions cannot be reached',
  async (status) => {
    const { simulator, array } = await simulated();
    simulator.faults.add(badAnswers.htmlAnswer(status));
    const error = await failureOf(apiVersions(array));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { status, sent: true } });
    expect(error.message).toContain(`returned ${status} for GET /api/api_version. Let requests to the array through.`);
  },
);

describe('a call in a session', () => {
  async function opened() {
    const { simulator, array, token } = await simulated();
    return { simulator, session: await login(array, token) };
  }

  test('sends the auth token and returns the response of the array', async () => {
    const { simulator, session } = await opened();
    const response = await request(session, { method: 'GET', path: '/api/2.15/arrays' });
    expect(response).toMatchObject({ status: 200, body: { items: expect.anything() } });
    expect(simulator.requests[1]).toMatchObject({ hasAuthToken: true, hasApiToken: false, bodyBytes: 0 });
  });

  test.for([
    [99, 'array'],
    [100_000, undefined],
  ] satisfies [number, string | undefined][])('may return lists nested %i deep: %s', async ([depth, kind]) => {
    const body = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const server = await startServer(reply(200, body, JSON_TYPE));
    const session: Session = { array: arrayAt(server), authToken: authToken('uuid'), username: 'pureuser' };
    const call = request(session, { method: 'GET', path: '/api/2.15/arrays' });
    if (kind === 'array') expect(JSON.stringify((await call).body)).toBe(body);
    else expect((await failureOf(call)).message).toContain('or is nested too deeply');
    closeConnections();
  });

  test('encodes its query and its JSON body', async () => {
    const server = await startServer(reply(200, '{"ok":true}', JSON_TYPE));
    const session: Session = { array: arrayAt(server), authToken: authToken('uuid'), username: 'pureuser' };
    const query = { filter: "name='a&b' and x=1", limit: 5, destroyed: false };
    const call: ArrayRequest = { method: 'PATCH', path: '/api/2.15/file-systems', query, body: { name: 'é' } };
    expect((await request(session, call)).body).toEqual({ ok: true });
    closeConnections();
    const [head = '', body] = (server.requests[0] ?? '').split('\r\n\r\n');
    expect(head).toMatch(
      /^PATCH \/api\/2\.15\/file-systems\?filter=name%3D'a%26b'%20and%20x%3D1&limit=5&destroyed=false HTTP\/1\.1\r\n/,
    );
    expect(head).toContain('\r\nContent-Type: application/json\r\n');
    expect(head).toContain('\r\nContent-Length: 13\r\n');
    expect(JSON.parse(Buffer.from(body ?? '', 'latin1').toString())).toEqual({ name: 'é' });
  });

  test('resolves with a refusal, a redirect and an empty response, too', async () => {
    const { simulator, session } = await opened();
    const call = { method: 'GET', path: '/api/2.15/arrays' } as const;
    for (const status of [204, 302, 401, 403, 500]) {
      simulator.faults.add({ kind: 'answer', status, body: '', times: 1 });
      expect(await request(session, call)).toMatchObject({ status, body: '' });
    }
  });

  test('says if a refusal comes from something in front of the array, but not for any other status', async () => {
    const { simulator, session } = await opened();
    const call = { method: 'GET', path: '/api/2.15/arrays' } as const;
    for (const status of [400, 401, 403]) {
      simulator.faults.add({ ...badAnswers.htmlAnswer(status), times: 1 });
      expect(await request(session, call)).toMatchObject({ status, isInFront: true });
      simulator.faults.add({ kind: 'answer', status, times: 1 });
      expect(await request(session, call)).not.toHaveProperty('isInFront');
    }
    for (const status of [200, 404, 429, 502]) {
      simulator.faults.add({ ...badAnswers.htmlAnswer(status), times: 1 });
      expect(await request(session, call)).not.toHaveProperty('isInFront');
    }
  });

  test.for([401, 403, 429, 500, 503])(
    'with status %i and a body that is only declared as JSON returns an empty body',
    async (status) => {
      const server = await startServer(reply(status, '{"message":"no uuid-1', JSON_TYPE));
      const session: Session = { array: arrayAt(server), authToken: authToken('uuid-1'), username: 'pureuser' };
      const response = await request(session, { method: 'GET', path: '/api/2.15/arrays' });
      expect(response).toMatchObject({ status, body: '' });
    },
  );

  test('returns a body that is not declared as JSON as text', async () => {
    const { simulator, session } = await opened();
    simulator.faults.add(badAnswers.htmlAnswer(502));
    const { body } = await request(session, { method: 'GET', path: '/api/2.15/arrays' });
    expect(body).toContain('<h1>502 Proxy Error</h1>');
  });

  test('returns a body without a content type as text, even if it looks like JSON', async () => {
    const server = await startServer(reply(200, '{"ok":true}'));
    const session: Session = { array: arrayAt(server), authToken: authToken('uuid'), username: 'pureuser' };
    expect((await request(session, { method: 'GET', path: '/api/2.15/arrays' })).body).toBe('{"ok":true}');
    closeConnections();
  });

  test('fails if a body declared as JSON is not JSON, and does not quote it', async () => {
    const { simulator, session } = await opened();
    simulator.faults.add({ kind: 'answer', body: '{"secret":"T-secret' });
    const error = await failureOf(request(session, { method: 'GET', path: '/api/2.15/arrays' }));
    expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { status: 200 } });
    expect(error.message).not.toContain('secret');
  });

  test.for([
    ['GET', 2],
    ['POST', 1],
    ['PATCH', 1],
    ['DELETE', 1],
  ] satisfies [ArrayRequest['method'], number][])(
    'with %s is sent at most %i times when connections break',
    async ([method, times]) => {
      const { simulator, session } = await opened();
      const fault: Fault = { kind: 'reset', path: '/api/2.15/admins/api-tokens' };
      simulator.faults.add(fault);
      await failureOf(request(session, { method, path: '/api/2.15/admins/api-tokens' }));
      expect(simulator.requests.slice(1)).toHaveLength(times);
    },
  );

  test.for([
    ['GET', 1],
    ['POST', 2],
    ['DELETE', 2],
  ] satisfies [ArrayRequest['method'], number][])(
    'with %s, one second after the last call, uses %i connections in total',
    async ([method, connections]) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      onTestFinished(() => void vi.useRealTimers());
      const { simulator, session } = await opened();
      vi.setSystemTime(Date.now() + 1000);
      await request(session, { method, path: '/api/2.15/arrays' });
      expect(simulator.counters.connections).toBe(connections);
    },
  );

  test.for([
    '/api/login',
    '/api/logout',
    '/api/LOGIN',
    '/api/2.15/login',
    '/api/2.15/logout',
    '/api/login/x',
    '/api/login/',
    '/api/',
    '/api',
    'api/2.15/arrays',
    '/other/api/2.15/arrays',
    '/api/../login',
    '/api/2.15/./arrays',
    '/api/2.15//arrays',
    '/api/%6cogin',
    '/api/2.15/%2e%2e/login',
    '/api/2.15%2flogin',
    '/api/2.15/arrays?names=x',
    '/api/2.15/arrays#x',
    '/api/login;x',
    '/api\\login',
    '/api/2.15/arrays\r\nx-auth-token: y',
    '/api/2.15/arrays\n',
    '//elsewhere.example.com/api/2.15/arrays',
    'https://elsewhere.example.com/api/2.15/arrays',
  ])('is never sent to the path %j', async (path) => {
    const { simulator, session } = await opened();
    const error = await failureOf(request(session, { method: 'GET', path }));
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', facts: { sent: false } });
    expect(error.message).toMatch(/^path must /);
    expect(error.message).not.toContain('example.com');
    expect(simulator.requests).toHaveLength(1);
  });

  test.for([
    ['method', { method: 'TRACE' }],
    ['method', { method: 'GET /x' }],
    ['method', { method: 'get' }],
    ['query.a', { query: { a: {} } }],
    ['query.names', { query: { names: ['a', 'b'] } }],
    ['query.a', { query: { a: undefined } }],
    ['query.a', { query: { a: Number.NaN } }],
    ['query', { query: 'limit=1' }],
    ['query', { query: [['limit', 1]] }],
    ['query', { query: new URLSearchParams('limit=1') }],
    ['query', { query: new Map([['limit', 1]]) }],
    ['query', { query: { a: '\ud800' } }],
    ['body', { body: () => {} }],
    ['body', { body: 1n }],
  ] satisfies [string, object][])(
    'with an invalid %s fails with an error that names it (%#)',
    async ([field, wrong]) => {
      const session: Session = { array: arrayAt({ port: 9 }), authToken: authToken('uuid'), username: 'pureuser' };
      const call: ArrayRequest = { method: 'GET', path: '/api/2.15/arrays' };
      const error = await failureOf(request(session, Object.assign(call, wrong)));
      expect(error).toMatchObject({ code: 'REQUEST_INVALID', facts: { sent: false } });
      expect(error.message).toMatch(new RegExp(`^${field} must `));
    },
  );
});
