import { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { failureOf } from './failures.ts';
import { nextConnection } from './made.ts';
import { arrayAt, certificate, gathered, listen, reply, type Script, startServer, type TestServer } from './servers.ts';

const GET = { method: 'GET', path: '/api/api_version' };
const LOGIN = { method: 'POST', path: '/api/login' };
const get = (server: TestServer) => exchange(arrayAt(server), GET);

afterEach(() => {
  closeConnections();
  vi.restoreAllMocks();
});

/** Responds to every request and remembers its connection. */
function answering(): { readonly sockets: TLSSocket[]; readonly script: Script } {
  const sockets: TLSSocket[] = [];
  const script: Script = (socket) => {
    sockets.push(socket);
    socket.write(reply(200, `${sockets.length}`));
  };
  return { sockets, script };
}

describe('an idle connection', () => {
  test.for([
    ['an unrequested response', reply(200, 'unasked')],
    ['a single byte', '\n'],
  ])('is closed by %s, and the next request uses another', async ([_, text = '']) => {
    const { sockets, script } = answering();
    const server = await startServer(script);
    await get(server);
    sockets[0]?.write(text);
    await server.quiet();
    expect((await get(server)).body.toString()).toBe('2');
    expect(server.resumed).toHaveLength(2);
  });

  test('is closed when the array ends it', async () => {
    const { sockets, script } = answering();
    const server = await startServer(script);
    await get(server);
    sockets[0]?.end();
    await server.quiet();
    await get(server);
    expect(server.resumed).toHaveLength(2);
  });

  test.for([
    ['says that it is the last', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'],
    ['is of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ])('is never one on which a response %s', async ([_, text = '']) => {
    const server = await startServer(text);
    await get(server);
    await server.quiet();
    await get(server);
    expect(server.resumed).toHaveLength(2);
  });

  test('is never one on which the response came before the whole request was sent', async () => {
    let connections = 0;
    const server = createServer({ cert: certificate.certificate, key: certificate.key }, (socket) => {
      connections += 1;
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.pause();
        socket.write(reply(413));
      });
    });
    const array = arrayAt(await listen(server));
    const call = { method: 'POST', path: '/api/2.4/x', body: 'x'.repeat(32 * 1024 * 1024) };
    expect((await exchange(array, call)).status).toBe(413);
    expect((await exchange(array, GET, { firstByteTimeoutMs: 1000 })).status).toBe(413);
    expect(connections).toBe(2);
  });

  test('is never one that ends with its response without announcing it', async () => {
    const server = await startServer((socket) => socket.end(reply(200)));
    const array = arrayAt(await gathered(server));
    for (let n = 0; n < 4; n++) {
      expect((await exchange(array, GET)).status).toBe(200);
      expect((await exchange(array, LOGIN, {}, { fresh: true })).status).toBe(200);
    }
    expect(server.resumed).toHaveLength(8);
  });

  test('is never one on which a second response came with the first', async () => {
    const server = await startServer((socket, _, nth) => {
      socket.setNoDelay();
      socket.write(reply(200, `${nth}`));
      socket.write(reply(200, 'forged'));
    });
    const array = arrayAt(await gathered(server));
    for (let n = 0; n < 8; n++) expect((await exchange(array, GET)).body.toString()).toBe(`${n}`);
    expect(server.resumed).toHaveLength(8);
  });

  test('is used before others if it was used most recently', async () => {
    const { sockets, script } = answering();
    const waiting: TLSSocket[] = [];
    const server = await startServer((socket, request, nth) => {
      if (nth > 1) return script(socket, request, nth);
      waiting.push(socket);
      if (nth === 1) for (const each of waiting) each.write(reply(200));
    });
    const both = [get(server), get(server)];
    await Promise.all(both);
    await get(server);
    await get(server);
    expect(new Set(sockets).size).toBe(1);
    expect(server.resumed).toHaveLength(2);
  });

  test('is not shared: a concurrent request opens another', async () => {
    const held: TLSSocket[] = [];
    const server = await startServer((socket, _, nth) => {
      if (nth === 1) held.push(socket);
      else socket.write(reply(200));
    });
    await get(server);
    const first = get(server);
    await vi.waitFor(() => expect(held).toHaveLength(1));
    await get(server);
    expect(server.resumed).toHaveLength(2);
    held[0]?.write(reply(200));
    await first;
  });
});

describe('a new connection', () => {
  test('sends small requests immediately, without waiting for the acknowledgement of earlier bytes', async () => {
    const connect = vi.spyOn(Socket.prototype, 'connect');
    onTestFinished(() => connect.mockRestore());
    const server = await startServer();
    await get(server);
    const [options] = connect.mock.calls.flat(2).filter((each) => Object(each).port === server.port);
    expect(options).toMatchObject({ noDelay: true });
  });

  test('sends the request as soon as it is secure: if it is closed then, the request counts as sent', async () => {
    const server = await startServer();
    const made = nextConnection();
    const failed = failureOf(get(server));
    const socket = await made;
    let written = 0;
    socket.once('secureConnect', () => {
      written = socket.bytesWritten;
      closeConnections();
    });
    expect(await failed).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true } });
    expect(written).toBeGreaterThan(0);
  });
});
