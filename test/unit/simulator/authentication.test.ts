import { describe, expect, it } from 'vitest';
import { as, authTokenOf, call, errorCode, login, logout, simulate } from '../../../simulator/support.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('login', () => {
  it('a login returns 200, an auth token in a header and the username in a flat object', async () => {
    const array = await simulate();
    const response = await login(array);
    expect(response).toMatchObject({ status: 200, body: '{"username":"pureuser"}' });
    expect(response.headers['content-type']).toBe('application/json');
    expect(response.headers['x-auth-token']).toMatch(UUID);
    expect(array.sessions()).toMatchObject([
      { username: 'pureuser', authToken: response.headers['x-auth-token'], method: 'API token' },
    ]);
  });

  it.each([
    { headers: {} },
    { headers: { 'Content-Length': '0' } },
    { headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'Content-Length': '0' } },
  ])('a login accepts the header API-TOKEN in any case, together with the headers $headers', async ({ headers }) => {
    const array = await simulate();
    const sent = { headers: { 'API-TOKEN': array.apiToken, ...headers } };
    expect(await call(array, 'POST', '/api/login', sent)).toMatchObject({ status: 200 });
  });

  it('each login with the same API token opens another session', async () => {
    const array = await simulate();
    const tokens = [await authTokenOf(array), await authTokenOf(array), await authTokenOf(array)];
    expect(new Set(tokens).size).toBe(3);
    expect(array.sessions().map(({ authToken }) => authToken)).toEqual(tokens);
  });

  it('a login with a wrong, expired or missing API token, or with one in the URL, is refused and opens no session', async () => {
    const expired = { username: 'old', apiToken: 'T-old', expiresAt: 1 };
    const array = await simulate({ users: [{ username: 'pureuser', apiToken: 'T-1' }, expired] });
    const body = '{"error":[{"code":401,"context":"/api/login","message":"Access Denied"}]}';
    for (const apiToken of ['T-2', 'T-old']) expect(await login(array, apiToken)).toMatchObject({ status: 401, body });
    expect(await call(array, 'POST', '/api/login')).toMatchObject({ status: 401, body });
    expect(await call(array, 'POST', '/api/login?api-token=T-1')).toMatchObject({ status: 401, body });
    expect(array.history).toEqual([]);
  });

  it('a login with the body null fails with 500', async () => {
    const array = await simulate();
    const sent = { headers: { 'api-token': array.apiToken }, body: 'null' };
    expect(await call(array, 'POST', '/api/login', sent)).toMatchObject({ status: 500 });
    expect(array.history).toEqual([]);
  });

  it('a login with username and password works from REST 2.26 on, and not before', async () => {
    const users = [{ username: 'pureuser', apiToken: '', password: 'pass' }];
    const body = JSON.stringify({ username: 'pureuser', password: 'pass' });
    const [old, young] = [await simulate({ users, versions: ['2.25'] }), await simulate({ users, versions: ['2.26'] })];
    expect(await call(old, 'POST', '/api/login', { body })).toMatchObject({ status: 401 });
    expect(await call(young, 'POST', '/api/login', { body })).toMatchObject({ status: 200 });
    expect(young.sessions()).toMatchObject([{ method: 'password' }]);
    expect(await call(young, 'POST', '/api/login', { body: body.replace('pass', 'fail') })).toMatchObject({
      status: 401,
    });
    expect(await call(young, 'POST', '/api/login', { headers: { 'api-token': '' } })).toMatchObject({ status: 401 });
  });

  it('a login echoes X-Request-ID from REST 2.14 on, and not before', async () => {
    const [old, young] = [await simulate({ versions: ['2.13'] }), await simulate({ versions: ['2.14'] })];
    const headersOf = async (array: typeof old) => {
      const headers = { 'api-token': array.apiToken, 'X-Request-ID': 'request-7' };
      return (await call(array, 'POST', '/api/login', { headers })).headers;
    };
    expect(await headersOf(young)).toHaveProperty('x-request-id', 'request-7');
    expect(await headersOf(old)).not.toHaveProperty('x-request-id');
    expect(young.sessions()).toMatchObject([{ requestId: 'request-7' }]);
  });
});

describe('logout', () => {
  it('a logout returns 200 with an empty body and ends only its own session', async () => {
    const array = await simulate();
    const [first, second] = [await authTokenOf(array), await authTokenOf(array)];
    const response = await logout(array, first);
    expect(response).toMatchObject({ status: 200, body: '' });
    expect(response.headers['content-length']).toBe('0');
    expect(array.sessions().map(({ authToken }) => authToken)).toEqual([second]);
    expect(array.history).toMatchObject([{ ended: { by: 'logout' } }, {}]);
  });

  it('a logout with an unknown, missing or logged-out auth token is refused with 403', async () => {
    const array = await simulate();
    const authToken = await authTokenOf(array);
    await logout(array, authToken);
    const refused = { status: 403, body: '{"error":[{"code":403,"context":"/api/logout","message":"Access Denied"}]}' };
    expect(await logout(array, authToken)).toMatchObject(refused);
    expect(await logout(array, 'unknown')).toMatchObject(refused);
    expect(await call(array, 'POST', '/api/logout')).toMatchObject(refused);
  });

  it('a logout on a versioned path returns 400 with an empty body and leaves the session open', async () => {
    const array = await simulate();
    const authToken = await authTokenOf(array);
    expect(await call(array, 'POST', '/api/2.15/logout', as(authToken))).toMatchObject({ status: 400, body: '' });
    expect(await call(array, 'POST', '/api/1.12/logout', as(authToken))).toMatchObject({ status: 400, body: '' });
    expect(array.sessions()).toHaveLength(1);
  });

  it('a login on a versioned path returns 400 and opens no session', async () => {
    const array = await simulate();
    const sent = { headers: { 'api-token': array.apiToken } };
    expect(await call(array, 'POST', '/api/2.15/login', sent)).toMatchObject({ status: 400, body: '' });
    expect(array.history).toEqual([]);
  });
});

describe('every response', () => {
  it('every response has the headers of a real array', async () => {
    const { headers } = await call(await simulate(), 'GET', '/api/api_version');
    expect(headers).toMatchObject({
      'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
      expires: '0',
      pragma: 'no-cache',
      server: 'nginx',
      'content-security-policy': "frame-ancestors 'none'",
    });
    expect(headers).toHaveProperty('strict-transport-security');
  });

  it('the status of a response identifies a wrong path or method', async () => {
    const array = await simulate({ versions: ['1.1', '2.2'] });
    const authToken = await authTokenOf(array);
    for (const path of [
      '/api/9.9/arrays',
      '/api/2.2/nothing',
      '/api/2.2/sessions',
      '/api/1.1/admins',
      '/api/2.2/toString',
    ]) {
      expect(await call(array, 'GET', path, as(authToken)), path).toMatchObject({ status: 400, body: '' });
    }
    expect(await call(array, 'GET', '/')).toMatchObject({ status: 404, body: expect.stringContaining('<html>') });
    expect(await call(array, 'GET', '/api/login')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await call(array, 'PUT', '/api/2.2/arrays', as(authToken))).toMatchObject({ status: 405 });
    expect(await call(array, 'POST', '/oauth2/1.0/token')).toMatchObject({
      status: 401,
      body: expect.stringContaining('"error":"invalid_client"'),
    });
  });

  it('a stopped array refuses connections, and a second stop does no harm', async () => {
    const array = await simulate();
    await login(array);
    await array.stop();
    expect(await errorCode(login(array))).toBe('ECONNREFUSED');
    await array.stop();
  });
});
