/** Nothing is written after the deadline, even if the process was paused before. */
import { spawn } from 'node:child_process';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { apiToken } from '../../../lib/core/model.ts';
import { login } from '../../../lib/flashblade/client.ts';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { failureOf } from './failures.ts';
import {
  arrayAt,
  certificate,
  JSON_TYPE,
  listen,
  reply,
  type Script,
  startServer,
  type TestServer,
} from './servers.ts';

const GET = { method: 'GET', path: '/api/api_version' };
const NOTHING_SENT = { code: 'OUT_OF_TIME', facts: { sent: false } };
/** Enough to stop a process in time, even on a busy machine. */
const LIMIT_MS = 1500;
const LOGGED_IN = reply(200, '{"username":"pureuser"}', { ...JSON_TYPE, 'x-auth-token': 'uuid' });

afterEach(() => {
  closeConnections();
  vi.useRealTimers();
});

/** A relay in front of a server that holds back what clients send until `release`. */
async function holding(server: { port: number }) {
  const clients: Socket[] = [];
  const { port } = await listen(createTcpServer((client) => clients.push(client.pause())));
  const release = () => {
    for (const client of clients) {
      const far = connect(server.port, '127.0.0.1');
      far.on('error', () => client.destroy());
      client.pipe(far).pipe(client);
    }
  };
  const connected = () => vi.waitFor(() => expect(clients).toHaveLength(1), { timeout: 20_000 });
  return { port, connected, release };
}

test('a process that is stopped during the handshake does not send its login when it resumes after the deadline', async () => {
  const server = await startServer(LOGGED_IN);
  const relay = await holding(server);
  const program = new URL('./child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, JSON.stringify(arrayAt(relay)), `${LIMIT_MS}`]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await relay.connected();
  child.kill('SIGSTOP');
  relay.release();
  // Twice the limit, so that even a slow server has sent its part of the handshake.
  await wait(2 * LIMIT_MS);
  const printed = text(child.stdout);
  child.kill('SIGCONT');
  const { code, facts } = JSON.parse(await printed);
  expect({ code, facts }).toMatchObject({ code: 'OUT_OF_TIME', facts: { sent: false, mayHaveOpened: false } });
  await server.quiet();
  expect(server.received()).toBe(0);
});

describe('if the process is paused beyond the deadline', () => {
  /** A clock that only the test advances, and a deadline in one second. */
  const inOneSecond = () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    return { deadline: Date.now() + 1000 };
  };
  const standStill = () => vi.setSystemTime(Date.now() + 60_000);

  /** A server during whose nth handshake, counted from 0, the process is paused. */
  function pausing(nth: number, script: Script | string = reply(200)): Promise<TestServer> {
    let handshakes = 0;
    const ALPNCallback = () => {
      if (handshakes++ === nth) standStill();
      return 'http/1.1';
    };
    return startServer(script, certificate, { ALPNProtocols: undefined, ALPNCallback });
  }

  test('during the handshake, nothing is written, and the error says so', async () => {
    const budget = inOneSecond();
    const server = await pausing(0);
    const error = await failureOf(login(arrayAt(server), apiToken('T-secret'), budget));
    expect(error).toMatchObject({ ...NOTHING_SENT, facts: { sent: false, mayHaveOpened: false } });
    expect(error.message).toMatch(/: no time was left to send the request\. Give the call more time\.$/);
    await server.quiet();
    expect(server.received()).toBe(0);
  });

  test('before an idle connection is used, nothing is written on it', async () => {
    const budget = inOneSecond();
    const server = await startServer();
    await exchange(arrayAt(server), GET);
    const late = {
      path: GET.path,
      get method() {
        standStill();
        return 'GET';
      },
    };
    expect(await failureOf(exchange(arrayAt(server), late, budget))).toMatchObject(NOTHING_SENT);
    await server.quiet();
    expect([server.resumed.length, server.requests.length]).toEqual([1, 1]);
  });

  test('during the handshake for a retry, the request is not sent again', async () => {
    const budget = inOneSecond();
    const server = await pausing(1, (socket, _, nth) => (nth === 0 ? socket.write(reply(200)) : socket.destroy()));
    await exchange(arrayAt(server), GET);
    const error = await failureOf(exchange(arrayAt(server), GET, budget, { repeatable: true }));
    // The first request was sent, and its unknown effect matters more.
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true } });
    expect([server.resumed.length, server.requests.length]).toEqual([1, 2]);
  });

  test('during the handshake for a second try, nothing is written, and the error says so', async () => {
    const budget = inOneSecond();
    const server = await pausing(0);
    let connections = 0;
    const relay = await listen(
      createTcpServer((client) => {
        if (connections++ === 0) client.destroy();
        else client.pipe(connect(server.port, '127.0.0.1')).pipe(client);
      }),
    );
    const array = arrayAt(relay, { host: '127.0.0.1' });
    expect(await failureOf(exchange(array, GET, budget, { repeatable: true }))).toMatchObject(NOTHING_SENT);
    await server.quiet();
    expect([connections, server.received()]).toEqual([2, 0]);
  });

  test('during the handshake for the logout of a session that cannot be returned, the error says that the session may be open', async () => {
    const budget = inOneSecond();
    const headers = { ...JSON_TYPE, 'x-auth-token': 'uuid', Connection: 'close' };
    const server = await pausing(1, reply(200, 'not JSON', headers));
    const error = await failureOf(login(arrayAt(server), apiToken('T-secret'), budget));
    expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { sent: true, mayHaveOpened: true } });
    await server.quiet();
    expect(server.requests).toHaveLength(1);
  });
});
