/** Calls to an array that are aborted before, while and after they are sent. */
import { getEventListeners, once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { apiVersions, connect, login, logout, request } from '../../../lib/array.ts';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { apiToken, authToken, type FlashBlade } from '../../../lib/core/model.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { failureOf } from './failures.ts';
import { arrayAt, JSON_TYPE, listen, reply, type Script, startServer, trust } from './servers.ts';
import { simulated } from './simulated.ts';

const TOKEN = apiToken('T-00000000-1111-2222-3333-444444444444');
/** An error of this library as the reason must be thrown as it is, and says nothing about this call. */
const REASON = new FlashBladeError('ARRAY_BUSY', 'another call failed', { sent: true, mayHaveOpened: true });
const VERSIONS = reply(200, '{"versions":["2.4"]}', JSON_TYPE);
const LOGGED_IN = reply(200, '{"username":"pureuser"}', { ...JSON_TYPE, 'x-auth-token': 'the-auth-token' });

afterEach(closeConnections);

type Call = (array: FlashBlade, signal?: AbortSignal) => Promise<unknown>;
const sessionOn = (array: FlashBlade) => ({ array, authToken: authToken('the-auth-token'), username: 'pureuser' });
const CALLS: Readonly<Record<string, Call>> = {
  'request GET': (array, signal) => request(sessionOn(array), { method: 'GET', path: '/api/2.4/arrays' }, { signal }),
  'request POST': (array, signal) => request(sessionOn(array), { method: 'POST', path: '/api/2.4/x' }, { signal }),
  logout: (array, signal) => logout(sessionOn(array), { signal }),
  apiVersions: (array, signal) => apiVersions(array, { signal }),
  login: (array, signal) => login(array, TOKEN, { signal }),
  connect: ({ name, host, port }, signal) => connect({ name, host, port, trust, apiToken: TOKEN, signal }),
};

const later = (act: () => void): void => void setTimeout(act, 15);

/** When a call that may be dropped is aborted: what the server has sent by then, and what it sends too late. */
const MOMENTS: Readonly<Record<string, readonly [sent: string, late: string]>> = {
  'after the request was sent': ['', reply(200, '{"versions":["6.6"]}', JSON_TYPE)],
  'in the head': ['HTTP/1.1 200 OK\r\nContent-Le', 'ngth: 2\r\nContent-Type: application/json\r\n\r\n{}'],
  'in the body': ['HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"versions":', '["6.6"]}'],
};

/** A relay in front of a server that holds back what clients send until `release`. */
async function holding(server: { port: number }) {
  const clients = createTcpServer((client) => {
    client.pause();
    released.then(() => {
      const far = connectTcp(server.port, '127.0.0.1');
      far.on('error', () => client.destroy());
      client.pipe(far).pipe(client);
    });
  });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { port } = await listen(clients);
  return { port, release, connected: () => once(clients, 'connection') };
}

describe.each(Object.entries(CALLS))('%s that is aborted', (name, call) => {
  it('before it starts throws the reason and sends nothing', async () => {
    const server = await startServer();
    await expect(call(arrayAt(server), AbortSignal.abort(REASON))).rejects.toBe(REASON);
    await wait(30);
    expect(server.resumed).toEqual([]);
  });

  it('while it connects throws the reason, sends nothing, and leaves a connection for the next call', async () => {
    const server = await startServer(name === 'logout' ? reply(200) : VERSIONS);
    const relay = await holding(server);
    const controller = new AbortController();
    const connected = relay.connected();
    const failure = expect(call(arrayAt(relay), controller.signal)).rejects.toBe(REASON);
    await connected;
    controller.abort(REASON);
    await failure;
    relay.release();
    await expect.poll(() => server.resumed.length).toBe(1);
    await wait(10);
    expect(server.received()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(await apiVersions(arrayAt(relay)).catch(() => {})).toEqual(name === 'logout' ? undefined : ['2.4']);
    expect(server.resumed).toHaveLength(1);
  });
});

describe.each(Object.entries(MOMENTS))('a call that is aborted %s', (_, [sent, late]) => {
  const cases = Object.entries(CALLS)
    .filter(([name]) => name !== 'login')
    .flatMap(([name, call]) => [REASON, new Error('enough')].map((reason) => [name, reason, call] as const));
  it.each(cases)(
    'throws the reason, and a late response never reaches another call: %s, %s',
    async (name, reason, call) => {
      const controller = new AbortController();
      const script: Script = (socket, text, nth) => {
        if (nth > 0) return void socket.write(text.includes('/logout') ? reply(200) : VERSIONS);
        socket.write(sent);
        later(() => controller.abort(reason));
        later(() => later(() => socket.write(late)));
      };
      const server = await startServer(script);
      const array = arrayAt(server);
      await expect(call(array, controller.signal)).rejects.toBe(reason);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      expect(server.requests).toHaveLength(1);
      const seen: unknown[] = [];
      for (let round = 0; round < 4; round++) {
        seen.push(await apiVersions(array));
        await wait(10);
      }
      expect(seen).toEqual(Array(4).fill(['2.4']));
      if (name !== 'login' && name !== 'connect') await call(array);
      expect(server.requests.length).toBeLessThan(7);
    },
  );
});

describe('a login that is aborted', () => {
  /** Aborts a login: the server sends these parts, and the signal is aborted after the first one. */
  async function abortedLogin(parts: readonly string[], logoutReply: string | null = reply(200)) {
    const controller = new AbortController();
    const server = await startServer((socket, text) => {
      if (text.includes('/logout')) return void (logoutReply === null ? socket.destroy() : socket.write(logoutReply));
      const [first = '', ...rest] = parts;
      socket.write(first);
      later(() => controller.abort(REASON));
      later(() => later(() => (rest.length > 0 ? socket.write(rest.join('')) : socket.destroy())));
    });
    const { signal } = controller;
    const outcome = await login(arrayAt(server), TOKEN, { signal }).catch((error: unknown) => error);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    return { outcome, paths: server.requests.map((text) => text.split(' ')[1]) };
  }
  const middle = LOGGED_IN.length - 10;

  it.each<[string, readonly string[]]>([
    ['before the response', ['', LOGGED_IN]],
    ['in the head', [LOGGED_IN.slice(0, 20), LOGGED_IN.slice(20)]],
    ['in the body', [LOGGED_IN.slice(0, middle), LOGGED_IN.slice(middle)]],
    ['in a body that never ends', [LOGGED_IN.slice(0, middle)]],
  ])('%s waits, logs out again, and throws the reason', async (_, parts) => {
    const { outcome, paths } = await abortedLogin(parts);
    expect(outcome).toBe(REASON);
    expect(paths).toEqual(['/api/login', '/api/logout']);
  });

  it.each([401, 503])(
    'before a response with status %i throws the reason, because no session was opened',
    async (status) => {
      const { outcome, paths } = await abortedLogin(['', reply(status)]);
      expect(outcome).toBe(REASON);
      expect(paths).toEqual(['/api/login']);
    },
  );

  it('says that a session may remain if the response is lost', async () => {
    const { outcome } = await abortedLogin(['']);
    expect(outcome).toMatchObject({
      code: 'ARRAY_UNREACHABLE',
      facts: { sent: true, mayHaveOpened: true, array: 'fb1' },
    });
  });

  it.each([
    ['gets no response', null],
    ['is refused by a proxy', reply(403, '<html>', { 'Content-Type': 'text/html' })],
    ['is not possible now', reply(503)],
  ])('says that a session may remain if the logout %s', async (_, logoutReply) => {
    const { outcome } = await abortedLogin(['', LOGGED_IN], logoutReply);
    expect(outcome).toMatchObject({
      code: 'ARRAY_UNREACHABLE',
      message: expect.stringMatching(/^array fb1 .*the login was aborted, and the session .* could not be closed$/),
      facts: { sent: true, mayHaveOpened: true },
    });
  });

  it('leaves no session on the array at any moment', async () => {
    for (let delayMs = 0; delayMs < 12; delayMs++) {
      const { simulator, array, token } = await simulated();
      const controller = new AbortController();
      setTimeout(() => controller.abort(REASON), delayMs);
      const session = await login(array, token, { signal: controller.signal }).catch((error) => {
        expect(error).toBe(REASON);
      });
      if (session) await logout(session);
      expect(simulator.sessions()).toEqual([]);
    }
  });
});

describe('connect that is aborted', () => {
  it.each(['/api/api_version', '/api/login'])('at %s leaves no session and throws the reason', async (path) => {
    const controller = new AbortController();
    const { simulator, array, token } = await simulated({
      onRequest: (phase, seen) => {
        if (phase === 'done' && seen.path === path) controller.abort(REASON);
      },
    });
    const options = {
      host: array.host,
      port: array.port,
      trust: array.trust,
      apiToken: token,
      signal: controller.signal,
    };
    await expect(connect(options)).rejects.toBe(REASON);
    expect(simulator.sessions()).toEqual([]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('after it has returned changes nothing, because the signal is for the connection attempt', async () => {
    const controller = new AbortController();
    const { simulator, array, token } = await simulated();
    const options = {
      host: array.host,
      port: array.port,
      trust: array.trust,
      apiToken: token,
      signal: controller.signal,
    };
    const fb = await connect(options);
    controller.abort(REASON);
    expect(await fb.get('/arrays')).toBeTruthy();
    await fb.close();
    expect(simulator.sessions()).toEqual([]);
  });
});

it('a signal that was used for a thousand calls has no listeners left', async () => {
  const { array, token } = await simulated();
  const { signal } = new AbortController();
  const session = await login(array, token, { signal });
  for (let nth = 0; nth < 330; nth++) {
    await request(session, { method: 'GET', path: '/api/2.4/arrays' }, { signal });
    await apiVersions(array, { signal });
    await failureOf(request(session, { method: 'GET', path: '/api/login' }, { signal }));
  }
  const dead = { ...array, port: 9 };
  for (let nth = 0; nth < 10; nth++) await failureOf(apiVersions(dead, { signal }));
  await logout(session, { signal });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
