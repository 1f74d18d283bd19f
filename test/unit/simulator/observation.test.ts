import { describe, expect, it } from 'vitest';
import type { OnRequest } from '../../../simulator/index.ts';
import { as, authTokenOf, call, errorCode, login, simulate } from '../../../simulator/support.ts';

describe('what a simulator records', () => {
  it('every request is recorded with its details but without tokens', async () => {
    const array = await simulate();
    const headers = { 'api-token': array.apiToken, 'User-Agent': 'tester/1', 'X-Request-ID': 'r-1' };
    await call(array, 'POST', `/api/login?api-token=${array.apiToken}&page=2`, { headers, body: '{"a":1}' });
    const authToken = array.sessions()[0]?.authToken ?? '';
    await call(array, 'GET', `/api/2.4/${authToken}`, as(authToken));
    const common = { protocol: 'HTTP/1.1', at: expect.any(Number) };
    expect(array.requests).toMatchObject([
      {
        ...common,
        ...{ method: 'POST', path: '/api/login', query: 'api-token=****&page=2', status: 200, bodyBytes: 7 },
        ...{ requestId: 'r-1', userAgent: 'tester/1', hasApiToken: true, hasAuthToken: false },
      },
      { ...common, method: 'GET', path: '/api/2.4/****', status: 400, hasApiToken: false, hasAuthToken: true },
    ]);
    const recorded = JSON.stringify(array.requests);
    expect(recorded).not.toContain(array.apiToken);
    expect(recorded).not.toContain(authToken);
    expect(array.requests[0]?.headerNames).toContain('api-token');
  });

  it('a request is recorded with its TLS server name, which is undefined for an IP address', async () => {
    const array = await simulate();
    await login(array);
    await login({ ...array, url: `https://localhost:${array.port}` });
    expect(array.requests.map(({ serverName }) => serverName)).toEqual([undefined, 'localhost']);
  });

  it('onRequest runs before the array acts, and again before it responds', async () => {
    const seen: unknown[] = [];
    const onRequest: OnRequest = (phase, { path, status }) => {
      seen.push([phase, path, status, array.sessions().length]);
    };
    const array = await simulate({ onRequest });
    await login(array);
    expect(seen).toEqual([
      ['received', '/api/login', undefined, 0],
      ['done', '/api/login', 200, 1],
    ]);
  });

  it('a client that disconnects during onRequest still leaves a session', async () => {
    const received = Promise.withResolvers<void>();
    const acted = Promise.withResolvers<void>();
    const mayAct = Promise.withResolvers<void>();
    const array = await simulate({
      onRequest: async (phase) => {
        if (phase === 'done') return acted.resolve();
        received.resolve();
        await mayAct.promise;
      },
    });
    const abort = new AbortController();
    const { request } = await import('node:https');
    const headers = { 'api-token': array.apiToken };
    const target = new URL('/api/login', array.url);
    const sent = request(target, { method: 'POST', headers, ca: array.certificate, signal: abort.signal });
    const failed = errorCode(new Promise((_, reject) => sent.on('error', reject)));
    sent.end();
    await received.promise;
    abort.abort();
    expect(await failed).toBe('ABORT_ERR');
    expect(array.sessions()).toEqual([]);
    mayAct.resolve();
    await acted.promise;
    expect(array.sessions()).toHaveLength(1);
  });
});

describe('what a test can change in a simulator', () => {
  it('a test can end a session, and its auth token is then refused', async () => {
    const array = await simulate();
    const authToken = await authTokenOf(array);
    expect(array.endSession(authToken)).toBe(true);
    expect(array.endSession(authToken)).toBe(false);
    expect(array.history).toMatchObject([{ ended: { by: 'array' } }]);
    expect(await call(array, 'GET', '/api/2.4/arrays', as(authToken))).toMatchObject({ status: 403 });
  });

  it('a test can replace users, and the sessions of removed users end', async () => {
    const array = await simulate({ users: [{ username: 'one', apiToken: 'T-1' }] });
    array.addUser({ username: 'two', apiToken: 'T-2' });
    await login(array, 'T-1');
    await login(array, 'T-2');
    array.setUsers([{ username: 'two', apiToken: 'T-3' }]);
    expect(array.sessions()).toMatchObject([{ username: 'two' }]);
    expect(await login(array, 'T-2')).toMatchObject({ status: 401 });
    expect(await login(array, 'T-3')).toMatchObject({ status: 200 });
    array.removeUser('two');
    expect(array.sessions()).toEqual([]);
    expect(array.history.map(({ ended }) => ended?.by)).toEqual(Array(3).fill('user removed'));
    expect(array.users).toEqual([]);
  });
});
