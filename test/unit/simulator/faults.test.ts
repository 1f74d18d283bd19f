import { describe, expect, it } from 'vitest';
import { badAnswers, type Fault } from '../../../simulator/index.ts';
import { as, authTokenOf, call, errorCode, login, logout, openRaw, simulate } from '../../../simulator/support.ts';

const PATH = '/api/login';

describe('an answer fault', () => {
  it.each<{ name: string; fault: Fault; status: number; sessions: number }>([
    { name: 'an HTML page of a proxy', fault: badAnswers.htmlAnswer(502), status: 502, sessions: 0 },
    { name: 'a busy server', fault: badAnswers.serverIsBusy(PATH), status: 500, sessions: 0 },
    { name: 'too many requests', fault: badAnswers.tooManyRequests('none'), status: 429, sessions: 0 },
    { name: 'a custom status after the array acted', fault: { kind: 'answer', status: 503 }, status: 503, sessions: 1 },
    {
      name: 'a custom status without an action',
      fault: { kind: 'answer', status: 504, act: false },
      status: 504,
      sessions: 0,
    },
    { name: 'a missing auth token', fault: badAnswers.withoutAuthToken, status: 200, sessions: 1 },
    { name: 'an oversized body', fault: badAnswers.oversized(), status: 200, sessions: 1 },
  ])('$name: the response has status $status and $sessions sessions are open', async ({ fault, status, sessions }) => {
    const array = await simulate();
    array.faults.add(fault);
    expect(await login(array)).toMatchObject({ status });
    expect(array.sessions()).toHaveLength(sessions);
    expect(array.requests).toMatchObject([{ fault: 'answer', status }]);
  });

  it('the fault removes the auth token or replaces it with a malformed one', async () => {
    const array = await simulate();
    array.faults.add({ ...badAnswers.withoutAuthToken, times: 1 });
    array.faults.add(badAnswers.malformedAuthToken());
    expect((await login(array)).headers).not.toHaveProperty('x-auth-token');
    expect((await login(array)).headers).toHaveProperty('x-auth-token', 'two words');
  });

  it.each([
    { wrong: 'username missing', body: '{}' },
    { wrong: 'username of the wrong type', body: '{"username":42}' },
    { wrong: 'username empty', body: '{"username":""}' },
    { wrong: 'not JSON', body: '{"username":"pureu' },
    { wrong: 'not an object', body: '"pureuser"' },
    { wrong: 'of a FlashArray', body: '{"items":[{"username":"pureuser"}]}' },
  ] as const)(
    'the fault makes the body of a login wrong ($wrong) and keeps a valid auth token',
    async ({ wrong, body }) => {
      const array = await simulate();
      array.faults.add(badAnswers.loginBody(wrong));
      const response = await login(array);
      expect(response).toMatchObject({ status: 200, body });
      expect(array.sessions()[0]?.authToken).toBe(response.headers['x-auth-token']);
    },
  );

  it('the fault gives a logout response a body or the status 204', async () => {
    const array = await simulate();
    const [first, second] = [await authTokenOf(array), await authTokenOf(array)];
    array.faults.add({ ...badAnswers.logoutWithBody, times: 1 });
    array.faults.add(badAnswers.logoutNoContent);
    expect(await logout(array, first)).toMatchObject({ status: 200, body: '{"items":[]}' });
    const response = await logout(array, second);
    expect(response).toMatchObject({ status: 204, body: '' });
    expect(response.headers).not.toHaveProperty('content-length');
    expect(array.sessions()).toEqual([]);
  });

  it('a 429 has the requested kind of retry hint, or none', async () => {
    const array = await simulate();
    for (const hint of ['retry-after', 'x-ratelimit', 'none'] as const) {
      array.faults.add({ ...badAnswers.tooManyRequests(hint, 7), times: 1 });
    }
    expect((await login(array)).headers).toHaveProperty('retry-after', '7');
    expect((await login(array)).headers).toHaveProperty('x-ratelimit-remaining-second', '0');
    expect(JSON.stringify((await login(array)).headers)).not.toMatch(/retry-after|ratelimit/);
  });

  it.each([301, 302, 303, 307, 308] as const)(
    'the fault redirects with status %i, and no session is open',
    async (status) => {
      const array = await simulate();
      array.faults.add(badAnswers.redirect(status, 'https://elsewhere.example/'));
      expect(await login(array)).toMatchObject({ status, headers: { location: 'https://elsewhere.example/' } });
      expect(array.sessions()).toEqual([]);
    },
  );

  it('the fault adds headers, even the same one twice', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'answer', headers: { 'x-extra': 'yes', 'x-auth-token': ['one', 'two'] } });
    const { rawHeaders } = await login(array);
    expect(rawHeaders.filter((_, at) => rawHeaders[at - 1] === 'x-auth-token')).toEqual(['one', 'two']);
    expect(rawHeaders).toContain('x-extra');
  });
});

describe('a delivery fault', () => {
  const HEAD = /^HTTP\/1\.1 200 OK\r\n/;

  it.each([
    { at: 'in-headers', arrives: /^HTTP\/1\.1 200 OK\r\ncache-control/, wholeHead: false },
    { at: 'in-body', arrives: /\r\n\r\n\{"username/, wholeHead: true },
  ] as const)(
    'the fault hang stops the response $at, after the session was opened',
    async ({ at, arrives, wholeHead }) => {
      const array = await simulate();
      array.faults.add({ kind: 'hang', at });
      const raw = await openRaw(array);
      raw.post(PATH, { 'api-token': array.apiToken });
      const text = await raw.until(arrives);
      expect(text.includes('\r\n\r\n')).toBe(wholeHead);
      expect(text).not.toContain('"pureuser"}');
      expect(array.sessions()).toHaveLength(1);
      raw.socket.destroy();
    },
  );

  it.each([
    { act: true, sessions: 1 },
    { act: false, sessions: 0 },
  ])('the fault hang before the headers with act: $act leaves $sessions sessions open', async ({ act, sessions }) => {
    const done = Promise.withResolvers<void>();
    const array = await simulate({ onRequest: (phase) => (phase === 'done' ? done.resolve() : undefined) });
    array.faults.add({ kind: 'hang', at: 'before-headers', act, times: 1 });
    const raw = await openRaw(array);
    raw.post(PATH, { 'api-token': array.apiToken });
    await done.promise;
    await call(array, 'GET', '/api/api_version');
    expect(raw.received()).toBe('');
    expect(array.sessions()).toHaveLength(sessions);
    raw.socket.destroy();
  });

  it.each([
    { act: true, sessions: 1 },
    { act: false, sessions: 0 },
  ])(
    'the fault reset with act: $act resets the connection and leaves $sessions sessions open',
    async ({ act, sessions }) => {
      const array = await simulate();
      array.faults.add({ kind: 'reset', act });
      expect(await errorCode(login(array))).toBe('ECONNRESET');
      expect(array.sessions()).toHaveLength(sessions);
    },
  );

  it('the fault cut ends the response after the given number of bytes', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'cut', afterBytes: 20 });
    const raw = await openRaw(array);
    raw.post(PATH, { 'api-token': array.apiToken });
    expect(await raw.ended).toBe('end');
    expect(raw.received()).toBe('HTTP/1.1 200 OK\r\ncac');
  });

  it('the fault trickle sends the complete response byte by byte', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'trickle', intervalMs: 1 });
    const raw = await openRaw(array);
    let chunks = 0;
    raw.socket.on('data', () => {
      chunks += 1;
    });
    raw.post(PATH, { 'api-token': array.apiToken });
    await raw.ended;
    expect(raw.received()).toMatch(HEAD);
    expect(raw.received()).toMatch(/\r\n\r\n\{"username":"pureuser"\}$/);
    expect(chunks).toBeGreaterThan(20);
  });

  it('the fault garbage sends bytes that are not HTTP', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'garbage' });
    expect(await errorCode(login(array))).toMatch(/^HPE_/);
    expect(array.sessions()).toHaveLength(1);
  });

  it('the fault informational sends other responses before the real one', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'informational', statuses: [100, 103] });
    const raw = await openRaw(array);
    raw.post(PATH, { 'api-token': array.apiToken });
    const text = await raw.until(/pureuser/);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 103', 'HTTP/1.1 200']);
    raw.socket.destroy();
  });

  it('the fault upgrade switches protocols without a request', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'upgrade' });
    const raw = await openRaw(array);
    raw.post(PATH, { 'api-token': array.apiToken });
    expect(await raw.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 101 /);
    raw.socket.destroy();
  });
});

describe('faults', () => {
  it('a fault affects only its method and path, as often as requested', async () => {
    const array = await simulate();
    const fault = array.faults.add({
      method: 'POST',
      path: /log(in|out)$/g,
      kind: 'answer',
      status: 503,
      act: false,
      times: 2,
    });
    expect(await call(array, 'GET', '/api/api_version')).toMatchObject({ status: 200 });
    expect(await call(array, 'GET', PATH)).toMatchObject({ status: 405 });
    expect(await login(array)).toMatchObject({ status: 503 });
    expect(await logout(array, 'unknown')).toMatchObject({ status: 503 });
    expect(await login(array)).toMatchObject({ status: 200 });
    expect(fault.happened()).toBe(2);
  });

  it('faults apply in the order in which they were added, until they are removed', async () => {
    const array = await simulate();
    const first = array.faults.add({ path: PATH, kind: 'answer', status: 501 });
    array.faults.add({ path: PATH, kind: 'answer', status: 502 });
    expect(await login(array)).toMatchObject({ status: 501 });
    await first.remove();
    expect(await login(array)).toMatchObject({ status: 502 });
    await array.faults.clear();
    expect(await login(array)).toMatchObject({ status: 200 });
  });

  it('a session stays usable after a fault broke the response to its login', async () => {
    const array = await simulate();
    array.faults.add({ path: PATH, kind: 'reset' });
    await errorCode(login(array));
    const [session] = array.sessions();
    expect(await call(array, 'GET', '/api/2.4/arrays', as(session?.authToken ?? ''))).toMatchObject({ status: 200 });
  });
});
