/** Each row of the table for those who come from `purity_fb` is true. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseCallRequest, parseLoginRequest, parseLogoutRequest } from '../../lib/ground/requests.ts';
import * as library from '../../lib/index.ts';
import { selfSigned } from '../certificates.ts';
import { failureOf } from '../client/failures.ts';
import { reply, startServer } from '../client/servers.ts';
import { simulated } from '../client/simulated.ts';
import { examples, page, tableRows } from '../readme.ts';

const {
  apiToken,
  apiVersions,
  closeConnections,
  compareVersions,
  login,
  loginWithHttpInfo,
  logout,
  logoutWithHttpInfo,
  request,
} = library;

const PAGE = page('coming-from-purity_fb.md');
const rows = tableRows('`purity_fb`', PAGE);

async function opened() {
  const { simulator, array, token } = await simulated();
  return { simulator, array, session: await login(array, token) };
}

const BACKED: Readonly<Record<string, () => Promise<void>>> = {
  '`login(api_token)`': async () => {
    const { simulator, array, token } = await simulated();
    const session = await login(array, token);
    expect(session.authToken.reveal()).toBe(simulator.sessions()[0]?.authToken);
    simulator.faults.add({ kind: 'reset', path: '/api/login' });
    const { facts } = await failureOf(login(array, token));
    expect(facts.mayHaveOpened).toBe(true);
    expect(simulator.requests.map(({ path }) => path)).toEqual(['/api/login', '/api/login']);
  },
  '`login_with_http_info(api_token)`': async () => {
    const { array, token } = await simulated();
    const result = await loginWithHttpInfo(array, token);
    expect(result).toMatchObject({ data: { username: 'pureuser' }, status: 200, requestId: expect.any(String) });
    expect(result.headers).toMatchObject({ server: 'nginx' });
    expect(JSON.stringify(result.headers)).not.toContain(result.data.authToken.reveal());
    expect(Object.keys(result.headers)).not.toContain('x-auth-token');
  },
  '`logout()`': async () => {
    const { simulator, session } = await opened();
    await logout(session);
    expect(simulator.sessions()).toEqual([]);
    await logout(session);
    simulator.faults.add({ kind: 'answer', act: false, status: 500 });
    await expect(logout(session)).rejects.toThrow('still open');
  },
  '`logout_with_http_info()`': async () => {
    const { session } = await opened();
    const result = await logoutWithHttpInfo(session);
    expect(result).toMatchObject({ status: 200, headers: { server: 'nginx' }, requestId: expect.any(String) });
    expect((await logoutWithHttpInfo(session)).status).toBe(403);
  },
  '`LoginResponse`': async () => {
    const { array, session } = await opened();
    expect(session).toEqual({ username: 'pureuser', array, authToken: expect.anything() });
  },
  'the header `x-auth-token`': async () => {
    const { simulator, session } = await opened();
    const text = session.authToken.reveal();
    await request(session, { method: 'GET', path: '/api/2.4/arrays' });
    await logout(session);
    expect(simulator.requests.slice(1)).toMatchObject([{ hasAuthToken: true }, { hasAuthToken: true }]);
    expect(`${session.authToken}`).toBe('[auth token]');
    for (const printed of [inspect(session), JSON.stringify(session)]) {
      expect(printed).toContain('[auth token]');
      expect(printed).not.toContain(text);
    }
  },
  '`ApiException`': async () => {
    const { simulator, array } = await simulated();
    const refused = await failureOf(login(array, apiToken('T-wrong')));
    expect(refused).toMatchObject({ code: 'LOGIN_REFUSED', retryable: false, facts: { status: 401 } });
    expect(Object.keys(refused)).not.toContain('cause');
    expect(inspect(refused)).not.toMatch(/T-wrong|Access Denied|nginx/);
    closeConnections();
    await simulator.stop();
    expect(await failureOf(apiVersions(array))).toMatchObject({ code: 'ARRAY_UNREACHABLE', retryable: true });
  },
  "`PurityFb(host, version='1.8')`, `list_versions()`": async () => {
    const { simulator, array, session } = await opened();
    expect(simulator.requests.map(({ path }) => path)).toEqual(['/api/login']);
    const versions = await apiVersions(array);
    expect([...versions].sort(compareVersions).at(-1)).toBe('2.26');
    expect((await request(session, { method: 'GET', path: '/api/2.4/arrays' })).status).toBe(200);
    simulator.faults.add({ kind: 'answer', act: false, status: 500 });
    expect(await failureOf(apiVersions(array))).toMatchObject({ code: 'ANSWER_INVALID' });
  },
  '`disable_verify_ssl()`': async () => {
    const self = await selfSigned();
    const server = await startServer(reply(200), self);
    const array = { name: 'fb1', host: '127.0.0.1', port: server.port } as const;
    const unverified = { ...array, trust: { kind: 'public' } } as const;
    expect(await failureOf(login(unverified, apiToken('T-1')))).toMatchObject({ code: 'ARRAY_UNTRUSTED' });
    expect(server.received()).toBe(0);
    const { fingerprint } = self;
    const pinned = { ...array, trust: { kind: 'fingerprints', fingerprints: [fingerprint] } } as const;
    expect(await failureOf(login(pinned, apiToken('T-1')))).toMatchObject({ code: 'ANSWER_INVALID' });
    expect(server.received()).toBeGreaterThan(0);
  },
  "`PurityFb(host, ca_certs_file_path='ca.pem')`": async () => {
    const { array } = await opened();
    expect(array.trust).toMatchObject({ kind: 'ca', ca: expect.stringMatching(/^-----BEGIN CERTIFICATE-----/) });
    const withPath = { ...array, trust: { kind: 'ca', ca: 'ca.pem' } } as const;
    expect(await failureOf(login(withPath, apiToken('T-1')))).toMatchObject({ code: 'SECRET_INVALID' });
  },
  '`request_timeout`': async () => {
    const { simulator, array, token } = await simulated();
    simulator.faults.add({ kind: 'hang', at: 'before-headers', path: '/api/login' });
    const startedAt = performance.now();
    const options = { connectMs: 400, firstByteMs: 100, totalMs: 500, deadline: Date.now() + 60_000 };
    expect(await failureOf(login(array, token, options))).toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    expect(performance.now() - startedAt).toBeLessThan(5000);
  },
  '`file_systems.list_file_systems()` and all other APIs': async () => {
    const { session } = await opened();
    const found = await request(session, { method: 'GET', path: '/api/2.4/file-systems' });
    expect(found).toMatchObject({ status: 200, headers: expect.anything(), body: { items: expect.any(Array) } });
    const absent = await request(session, { method: 'GET', path: '/api/2.4/no-such-thing' });
    expect(absent.status).toBeGreaterThanOrEqual(400);
  },
};

describe('the table for those who come from purity_fb', () => {
  test('has a test for each of its rows', () => {
    expect(rows.map(([theirs]) => theirs)).toEqual(Object.keys(BACKED));
  });

  test.each(rows.map(([theirs = '', ours = '']) => [theirs, ours]))('is right about %s: %s', async (theirs) => {
    await BACKED[theirs]?.();
  });

  test('names functions and types that the library has', () => {
    const named = rows.flatMap(([, ours = '']) => [...ours.matchAll(/`(\w+)(?=[(`])/g)].map(([, name = '']) => name));
    const functions = named.filter((name) => /^[a-z]/.test(name) && name in library);
    expect(new Set(functions)).toEqual(
      new Set([
        'apiVersions',
        'compareVersions',
        'login',
        'loginWithHttpInfo',
        'logout',
        'logoutWithHttpInfo',
        'request',
      ]),
    );
  });

  test.each([
    ['login-request', (input: unknown) => parseLoginRequest(input, 'invocation')],
    ['call-request', parseCallRequest],
    ['logout-request', parseLogoutRequest],
  ] as const)('is followed by an example of a %s that the function takes', (kind, parse) => {
    for (const example of examples(`json ${kind}`, PAGE)) {
      expect(parse(JSON.parse(example))).toMatchObject({ leaseId: 'nightly-2026-11-24' });
    }
  });
});
