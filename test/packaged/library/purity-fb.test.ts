/** Checks every row of the migration table for users of `purity_fb`. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  apiToken,
  apiVersions,
  type CallOptions,
  closeConnections,
  compareVersions,
  connect,
  login,
  loginWithHttpInfo,
  logout,
  logoutWithHttpInfo,
  request,
} from '../../../lib/array.ts';
import { parseCallRequest, parseLoginRequest, parseLogoutRequest } from '../../../lib/leases/requests.ts';
import { selfSigned } from '../../../simulator/certificates.ts';
import type { Fault } from '../../../simulator/index.ts';
import { examples, page, tableRows } from '../../kit/pages.ts';
import { failureOf } from '../../unit/flashblade/failures.ts';
import { arrayAt, reply, startServer } from '../../unit/flashblade/servers.ts';
import { simulated } from '../../unit/flashblade/simulated.ts';
import { publicApi, readLibrary } from '../../unit/library/doc-examples.ts';

const PAGE = page('coming-from-purity_fb.md');
const rows = tableRows('`purity_fb`', PAGE);

async function opened() {
  const { simulator, array, token } = await simulated();
  return { simulator, array, session: await login(array, token) };
}

/** The names in the second column of the row about `theirs`. */
const namesIn = (theirs: string): string[] =>
  rows.filter(([first]) => first?.includes(theirs)).flatMap(([, ours = '']) => ours.replaceAll('`', '').split(', '));

const BACKED: Readonly<Record<string, () => Promise<void>>> = {
  '`AuthenticationApi.login(api_token)`': async () => {
    const { simulator, array, token } = await simulated();
    const session = await login(array, token);
    expect(session.authToken.reveal()).toBe(simulator.sessions()[0]?.authToken);
    simulator.faults.add({ kind: 'reset', path: '/api/login' });
    const { facts } = await failureOf(login(array, token));
    expect(facts.mayHaveOpened).toBe(true);
    expect(simulator.requests.map(({ path }) => path)).toEqual(['/api/login', '/api/login']);
  },
  '`AuthenticationApi.login_with_http_info(api_token)`': async () => {
    const { array, token } = await simulated();
    const result = await loginWithHttpInfo(array, token);
    expect(result).toMatchObject({ data: { username: 'pureuser' }, status: 200, requestId: expect.any(String) });
    expect(result.headers).toMatchObject({ server: 'nginx' });
    expect(Object.keys(result.headers)).not.toContain('x-auth-token');
    const headers = { 'x-auth-token': 'auth-token-1', 'x-copy': 'auth-token-1', 'content-type': 'application/json' };
    const server = await startServer(reply(200, '{"username":"pureuser"}', headers));
    const repeated = await loginWithHttpInfo(arrayAt(server), token);
    expect(repeated.headers['x-copy']).toBe('[auth token]');
  },
  '`AuthenticationApi.logout()`': async () => {
    const { simulator, session } = await opened();
    await logout(session);
    expect(simulator.sessions()).toEqual([]);
    await logout(session);
    simulator.faults.add({ kind: 'answer', act: false, status: 500 });
    await expect(logout(session)).rejects.toThrow('may still be open');
  },
  '`AuthenticationApi.logout_with_http_info()`': async () => {
    const { session } = await opened();
    const result = await logoutWithHttpInfo(session);
    expect(result).toMatchObject({ status: 200, headers: { server: 'nginx' }, requestId: expect.any(String) });
    expect((await logoutWithHttpInfo(session)).status).toBe(403);
  },
  '`PurityFb.login(api_token)`, `PurityFb.logout()`': async () => {
    const { simulator, array, token } = await simulated();
    const [first, second] = [await login(array, token), await login(array, token)];
    expect(simulator.requests.map(({ path, hasAuthToken }) => [path, hasAuthToken])).toEqual([
      ['/api/login', false],
      ['/api/login', false],
    ]);
    await logout(first);
    expect((await request(second, { method: 'GET', path: '/api/2.4/arrays' })).status).toBe(200);
  },
  '`LoginResponse`': async () => {
    const { array, session } = await opened();
    const tokens = { authToken: expect.anything(), apiToken: expect.anything() };
    expect(session).toEqual({ username: 'pureuser', array, ...tokens });
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
  "`PurityFb(host, version='1.8')`, `PurityFb.list_versions()`": async () => {
    const { simulator, array, session } = await opened();
    expect(simulator.requests.map(({ path }) => path)).toEqual(['/api/login']);
    const versions = await apiVersions(array);
    expect([...versions].sort(compareVersions).at(-1)).toBe('2.26');
    expect((await request(session, { method: 'GET', path: '/api/2.4/arrays' })).status).toBe(200);
    simulator.faults.add({ kind: 'answer', act: false, status: 500 });
    expect(await failureOf(apiVersions(array))).toMatchObject({ code: 'ANSWER_INVALID' });
  },
  '`PurityFb.disable_verify_ssl()`': async () => {
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
  '`_request_timeout=...`, `PurityFb.request_timeout`': async () => {
    const stalls = [
      [{ kind: 'hang-in-handshake' }, { connectTimeoutMs: 100 }],
      [{ kind: 'hang', at: 'before-headers' }, { firstByteTimeoutMs: 100 }],
      [{ kind: 'hang', at: 'in-body' }, { timeoutMs: 100 }],
    ] satisfies [Fault, CallOptions][];
    expect(stalls.flatMap(([, options]) => Object.keys(options))).toEqual(namesIn('request_timeout'));
    for (const [fault, options] of stalls) {
      const { simulator, array } = await simulated();
      simulator.faults.add(fault);
      const startedAt = performance.now();
      await failureOf(
        apiVersions(array, { connectTimeoutMs: 9000, firstByteTimeoutMs: 9000, timeoutMs: 9000, ...options }),
      );
      expect(performance.now() - startedAt).toBeLessThan(4000);
    }
  },
  '`FileSystemsApi.list_file_systems()` and all other APIs': async () => {
    const { simulator, array, session } = await opened();
    const found = await request(session, { method: 'GET', path: '/api/2.4/file-systems' });
    expect(found).toMatchObject({ status: 200, headers: expect.anything(), body: { items: expect.any(Array) } });
    const absent = await request(session, { method: 'GET', path: '/api/2.4/no-such-thing' });
    expect(absent.status).toBeGreaterThanOrEqual(400);
    const fb = await connect({ ...array, apiToken: simulator.apiToken });
    expect(await fb.get('/file-systems')).toMatchObject({ items: expect.any(Array) });
    await expect(fb.get('/no-such-thing')).rejects.toMatchObject({ code: 'CALL_REFUSED' });
    const names: unknown[] = [];
    for await (const one of fb.list('/file-systems', { query: { limit: 1 } })) names.push(one);
    expect(names).toHaveLength(4);
    await fb.close();
  },
};

describe('the migration table for purity_fb', () => {
  test('has a test for every row', () => {
    expect(rows.map(([theirs]) => theirs)).toEqual(Object.keys(BACKED));
  });

  test.each(rows.map(([theirs = '', ours = '']) => [theirs, ours]))('is correct about %s: %s', async (theirs) => {
    await BACKED[theirs]?.();
  });

  test('names only exports of the library', () => {
    const named = rows.flatMap(([, ours = '']) =>
      [...ours.matchAll(/`([A-Za-z]+)(?=[(`])/g)].map(([, name = '']) => name),
    );
    const exported = publicApi('lib/array.ts', readLibrary).map(({ name }) => name);
    const fields = ['trust', ...namesIn('request_timeout')];
    expect(named.filter((name) => !exported.includes(name) && !fields.includes(name))).toEqual([]);
    expect(named).toEqual(
      expect.arrayContaining(['loginWithHttpInfo', 'logoutWithHttpInfo', 'FlashBladeError', 'Session']),
    );
  });

  test.each([
    ['login-request', (input: unknown) => parseLoginRequest(input, 'invocation')],
    ['call-request', parseCallRequest],
    ['logout-request', parseLogoutRequest],
  ] as const)('is followed by an example of a %s that the function accepts', (kind, parse) => {
    const [example = ''] = examples(`json ${kind}`, PAGE);
    expect(parse(JSON.parse(example))).toMatchObject(JSON.parse(example));
  });
});
