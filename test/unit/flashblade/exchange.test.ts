import { readFileSync } from 'node:fs';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { FlashBlade } from '../../../lib/core/model.ts';
import { type Budget, exchange } from '../../../lib/flashblade/exchange.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { openSockets } from '../../../lib/flashblade/tls.ts';
import { failureOf } from './failures.ts';
import { arrayAt, certificate, listen, reply, type Script, startServer } from './servers.ts';

const GET = { method: 'GET', path: '/api/api_version' };
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';
const POST = { method: 'POST', path: '/api/login' };
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
const get = (array: FlashBlade, budget?: Budget) => exchange(array, GET, budget);

/** An array with its own trust, so that it shares no connections with another `n`. */
const ownTrustAt = (server: { port: number }, n: number): FlashBlade => {
  const fingerprints = [certificate.fingerprint, `${n}`.padStart(64, '0')];
  return arrayAt(server, { trust: { kind: 'fingerprints', fingerprints } });
};

afterEach(() => {
  closeConnections();
  vi.useRealTimers();
});

/** Responds to the first request, breaks the connection at the second, then responds again. */
const breakAtSecond: Script = (socket, _, nth) => {
  if (nth === 1) socket.destroy();
  else socket.write(reply(200));
};

describe('a request', () => {
  test('states its user agent, its id and a body length of 0', async () => {
    const server = await startServer();
    await exchange(arrayAt(server), { ...POST, requestId: 'attempt-1' });
    const [head = ''] = server.requests;
    expect(head.split('\r\n').filter(Boolean).sort()).toEqual([
      'Accept-Encoding: identity',
      'Connection: keep-alive',
      'Content-Length: 0',
      `Host: localhost:${server.port}`,
      'POST /api/login HTTP/1.1',
      `User-Agent: flashblade-sessions/${version} (node/${process.versions.node.split('.')[0]})`,
      'X-Request-ID: attempt-1',
    ]);
  });

  test('with GET has no Content-Length', async () => {
    const server = await startServer();
    await get(arrayAt(server));
    expect(server.requests[0]).not.toMatch(/content-length/i);
  });

  test('has a random id if the caller sets none, and the response returns it', async () => {
    const server = await startServer();
    const { requestId } = await get(arrayAt(server));
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(server.requests[0]).toContain(`X-Request-ID: ${requestId}\r\n`);
  });

  test.for(['', 'two words', 'x\r\nInjected: 1', 'x'.repeat(1025)])('is not sent with the id %j', async (requestId) => {
    const server = await startServer();
    const error = await failureOf(exchange(arrayAt(server), { ...GET, requestId }));
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', facts: { sent: false } });
    expect(server.requests).toEqual([]);
  });

  test.for([
    { ...GET, path: '/a b' },
    { ...GET, headers: { 'x-secret': 'T-secret\n' } },
    { ...GET, headers: { 'T-secret\n': 'x' } },
  ])('with characters that HTTP does not allow is refused without being quoted (%#)', async (request) => {
    const error = await failureOf(exchange(arrayAt(await startServer()), request));
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', facts: { sent: false } });
    expect(error.message).toMatch(/: the host or the request contains characters that HTTP does not allow$/);
    expect(error.message).not.toMatch(/secret|a b/);
  });

  test('is not started without time', async () => {
    const server = await startServer();
    const error = await failureOf(get(arrayAt(server), { deadline: Date.now() }));
    expect(error).toMatchObject({ code: 'OUT_OF_TIME', facts: { sent: false } });
    expect(server.resumed).toEqual([]);
  });
});

describe('a response', () => {
  test.for([301, 302, 303, 307, 308])('with status %i is never followed', async (status) => {
    const elsewhere = await startServer();
    const Location = `https://localhost:${elsewhere.port}/api/login`;
    const server = await startServer(reply(status, '', { Location }));
    const answer = await exchange(arrayAt(server), { ...POST, headers: { 'api-token': 'T-secret' } });
    expect(answer).toMatchObject({ status, headers: { location: Location } });
    expect(server.requests).toHaveLength(1);
    expect([elsewhere.received(), elsewhere.resumed.length]).toEqual([0, 0]);
  });

  test('may follow interim responses', async () => {
    const server = await startServer(`HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${reply(200, 'x')}`);
    expect((await get(arrayAt(server))).body.toString()).toBe('x');
  });

  test('may be as long as 1 MiB', async () => {
    const server = await startServer(reply(200, 'x'.repeat(1024 * 1024)));
    expect((await get(arrayAt(server))).body).toHaveLength(1024 * 1024);
  });

  test('keeps each value of a repeated header', async () => {
    const server = await startServer('HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n');
    expect((await get(arrayAt(server))).headers['set-cookie']).toBe('a, b');
  });

  test.for([
    ['is longer than 1 MiB', reply(200, 'x'.repeat(1024 * 1024 + 1)), 'its body is longer than 1048576 bytes'],
    ['is not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'it is not HTTP/1.1'],
    ['has an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`, 'its head is longer than 16384 bytes'],
    [
      'has two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
      'Content-Length is not a single number',
    ],
    ['has a broken chunk', `${CHUNKED}\r\nzz\r\n`, 'a chunk has no valid size'],
    ['switches protocols', 'HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n', 'it switches protocols'],
    ['switches to an unnamed protocol', 'HTTP/1.1 101 Go\r\n\r\n', 'it switches protocols'],
  ] satisfies [string, string, string][])(
    'that %s is refused, and the connection is closed',
    async ([_, text, reason]) => {
      const server = await startServer(text);
      const error = await failureOf(get(arrayAt(server)));
      expect(error).toMatchObject({ code: 'ANSWER_INVALID', facts: { sent: true } });
      expect(error.message).toContain(reason);
      await server.quiet();
    },
  );

  test.for([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxxx'],
    ['in chunks', `${CHUNKED}\r\n5\r\nxx`],
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['before it began', ''],
  ] satisfies [string, string][])('that breaks off fails the request: %s', async ([_, text]) => {
    const server = await startServer((socket) => socket.end(text));
    const error = await failureOf(get(arrayAt(server)));
    expect(error).toMatchObject({
      code: expect.stringMatching(/ARRAY_UNREACHABLE|ANSWER_INVALID/),
      facts: { sent: true },
    });
  });

  test('whose head decides is returned with its body if the body can be read, and its connection is used again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const server = await startServer(reply(403, 'x'));
    for (const _ of [1, 2]) {
      const { status, body, unread } = await exchange(arrayAt(server), GET, {}, { decides: (one) => one === 403 });
      expect([status, `${body}`, unread]).toEqual([403, 'x', undefined]);
    }
    expect([server.resumed.length, vi.getTimerCount()]).toEqual([1, 0]);
  });

  test('whose head decides comes with the first bytes after it if the body cannot be read, in however many pieces they arrive', async () => {
    const pieces = [
      'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n',
      '1f\r\n',
      '<ht',
      `ml>${'x'.repeat(99)}`,
      'y',
    ];
    const server = await startServer(async (socket) => {
      for (const piece of pieces) await new Promise((resolve) => socket.write(piece, () => setTimeout(resolve, 20)));
      socket.end();
    });
    const { body, unread } = await exchange(arrayAt(server), GET, {}, { decides: (status) => status === 403 });
    expect([`${body}`, `${unread}`]).toEqual(['', pieces.slice(1, 4).join('')]);
  });

  test('whose head decides is not asked for again if a reused connection breaks behind the head', async () => {
    const server = await startServer((socket, _, nth) => {
      if (nth === 0) socket.write(reply(200));
      else socket.end('HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n');
    });
    const options = { repeatable: true, decides: (status: number) => status === 503 };
    expect((await exchange(arrayAt(server), GET, {}, options)).status).toBe(200);
    expect((await exchange(arrayAt(server), GET, {}, options)).status).toBe(503);
    expect(server.requests).toHaveLength(2);
    await server.quiet();
  });

  test('whose head handler throws fails with an error that says the request was sent', async () => {
    const server = await startServer();
    const onHead = () => {
      throw new RangeError('a bug');
    };
    const error = await failureOf(exchange(arrayAt(server), GET, {}, { onHead }));
    expect(error).toMatchObject({ code: 'INTERNAL', facts: { sent: true, mayHaveOpened: true } });
    await server.quiet();
  });

  test('that is reset halfway fails immediately, with the reason and the elapsed time', async () => {
    const server = await startServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxxx', () => socket.destroy());
    });
    const startedAt = performance.now();
    const { code, message } = await failureOf(get(arrayAt(server)));
    const [, reason, ms = ''] =
      /: (no .*|the .*) \(after (\d+) ms\)\. The array may have executed the request\. Check the array and the network\.$/.exec(
        message,
      ) ?? [];
    expect([code, reason]).toEqual([
      'ARRAY_UNREACHABLE',
      expect.stringMatching(
        /^(the connection was closed before the response was complete|the connection broke \(ECONNRESET\))$/,
      ),
    ]);
    expect(Number(ms)).toBeLessThanOrEqual(Math.ceil(performance.now() - startedAt));
  });
});

describe('an array that cannot be reached', () => {
  test.for([
    ['without a host', { host: '' }],
    ['with port 0', { port: 0 }],
    ['with port 65536', { port: 65_536 }],
    ['with a fractional port', { port: 443.5 }],
    ['with a port that is not a number', { port: Number.NaN }],
  ])('is one %s, and nothing is sent', async ([_, changes]) => {
    const error = await failureOf(get(arrayAt({ port: 9 }, changes as Partial<FlashBlade>)));
    expect(error).toMatchObject({ code: 'REQUEST_INVALID', facts: { sent: false } });
    expect(error.message).toBe('the array must have a host and a port from 1 to 65535');
  });

  test('is one that refuses the connection', async () => {
    const server = createTcpServer();
    const { port } = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const startedAt = performance.now();
    const error = await failureOf(get(arrayAt({ port }, { host: '127.0.0.1' })));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: false } });
    expect(error.message).toContain(`array fb1 (127.0.0.1:${port}) cannot be reached: it refuses connections`);
    const [, ms] = /\(after (\d+) ms\)/.exec(error.message) ?? [];
    expect(Number(ms)).toBeLessThanOrEqual(Math.ceil(performance.now() - startedAt));
  });

  test('is one whose name is unknown', async () => {
    const error = await failureOf(get(arrayAt({ port: 443 }, { host: 'fb1.invalid' })));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: false } });
  });

  test('is one that cuts the connection before TLS is established', async () => {
    const place = await listen(createTcpServer((socket) => socket.destroy()));
    const error = await failureOf(get(arrayAt(place)));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: false } });
  });
});

describe('time runs out', () => {
  const stalls: Script = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxxx');
  const NOW = 1_800_000_000_000;
  const inOneSecond = { deadline: NOW + 1000 };

  /** Advances the clock to one millisecond before the limit, then by the last one; reports which of the two ended the call. */
  function passing(limitMs: number) {
    let overdue = false;
    const pass = () => {
      vi.advanceTimersByTime(limitMs - 1);
      setImmediate(() => {
        overdue = true;
        vi.advanceTimersByTime(1);
      });
    };
    return { pass, wasOverdue: () => overdue };
  }

  const withClock = () => vi.useFakeTimers({ now: NOW, toFake: ['Date', 'setTimeout', 'clearTimeout'] });

  test.for([
    ['after 2 s', {}, 2000],
    ['at its own limit', { connectTimeoutMs: 50 }, 50],
    ['at the total limit', { timeoutMs: 70 }, 70],
    ['at the deadline', inOneSecond, 1000],
  ] satisfies [string, Budget, number][])('during the handshake %s', async ([_, budget, limitMs]) => {
    withClock();
    const { pass, wasOverdue } = passing(limitMs);
    const place = await listen(
      createTcpServer((socket) => {
        socket.resume();
        pass();
      }),
    );
    const error = await failureOf(get(arrayAt(place, { host: '127.0.0.1' }), budget));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: false } });
    expect(error.message).toContain('the connection was not established in time');
    expect(wasOverdue()).toBe(true);
    await place.quiet();
  });

  test.for([
    ['after 5 s', {}, 5000],
    ['at its own limit', { firstByteTimeoutMs: 50 }, 50],
    ['at the total limit', { timeoutMs: 70 }, 70],
    ['at the deadline', inOneSecond, 1000],
  ] satisfies [string, Budget, number][])('before the response %s', async ([_, budget, limitMs]) => {
    withClock();
    const { pass, wasOverdue } = passing(limitMs);
    const server = await startServer(pass);
    const error = await failureOf(get(arrayAt(server), budget));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true } });
    expect(error.message).toContain('the response did not begin in time');
    expect(wasOverdue()).toBe(true);
    await server.quiet();
  });

  test.for([
    ['after 10 s', {}, 10_000],
    ['at the total limit', { timeoutMs: 70 }, 70],
    ['at the deadline', inOneSecond, 1000],
  ] satisfies [string, Budget, number][])('during the response %s', async ([_, budget, limitMs]) => {
    withClock();
    const { pass, wasOverdue } = passing(limitMs);
    const server = await startServer(stalls);
    const error = await failureOf(exchange(arrayAt(server), GET, budget, { onHead: () => setImmediate(pass) }));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true } });
    expect(error.message).toContain('the response was not complete in time');
    expect(wasOverdue()).toBe(true);
    await server.quiet();
  });

  test.for([
    ['after one second', {}, 1000],
    ['at the total limit', { timeoutMs: 70 }, 70],
    ['at the deadline', { deadline: NOW + 500 }, 500],
  ] satisfies [string, Budget, number][])(
    'during a response whose head decides %s, and the head is the response',
    async ([_, budget, limitMs]) => {
      withClock();
      const { pass, wasOverdue } = passing(limitMs);
      const server = await startServer(stalls);
      const options = { decides: (status: number) => status === 200, onHead: () => setImmediate(pass) };
      const { status, body } = await exchange(arrayAt(server), GET, budget, options);
      expect([status, body.length, wasOverdue()]).toEqual([200, 0, true]);
      await server.quiet();
    },
  );

  test('during a response that trickles, no matter how often a byte arrives', async () => {
    withClock();
    const server = await startServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
      const trickle = () => {
        if (socket.destroyed) return;
        socket.write('x', () => setImmediate(trickle));
        vi.advanceTimersByTime(5);
      };
      setImmediate(trickle);
    });
    const error = await failureOf(get(arrayAt(server), { firstByteTimeoutMs: 30, timeoutMs: 70 }));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true } });
    expect(error.message).toContain('the response was not complete in time');
    expect(Date.now() - NOW).toBeLessThan(500);
    await server.quiet();
  });

  const pause = (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until; );
  };

  test('for no response that arrived while the process was paused', async () => {
    const server = await startServer((socket) => {
      socket.write(reply(200, 'in time'));
      pause(60);
    });
    expect((await get(arrayAt(server), { firstByteTimeoutMs: 50 })).body.toString()).toBe('in time');
    expect((await get(arrayAt(server), { timeoutMs: 50 })).body.toString()).toBe('in time');
  });

  test('for no handshake that finished while the process was paused', async () => {
    const ALPNCallback = () => {
      pause(60);
      return 'http/1.1';
    };
    const server = await startServer(reply(200), certificate, { ALPNProtocols: undefined, ALPNCallback });
    expect((await get(arrayAt(server), { connectTimeoutMs: 50 })).status).toBe(200);
  });

  test('never if the limits are longer than a timer can be', async () => {
    const server = await startServer();
    const forever = Number.POSITIVE_INFINITY;
    const budget = { connectTimeoutMs: forever, firstByteTimeoutMs: forever, timeoutMs: forever };
    expect((await get(arrayAt(server), budget)).status).toBe(200);
  });
});

describe('a connection', () => {
  test('is used again', async () => {
    const server = await startServer();
    await get(arrayAt(server));
    await get(arrayAt(server));
    expect([server.resumed.length, server.requests.length]).toEqual([1, 2]);
  });

  test('that broke while idle costs a repeatable request one retry', async () => {
    const server = await startServer(breakAtSecond);
    await get(arrayAt(server));
    const answer = await exchange(arrayAt(server), GET, {}, { repeatable: true });
    expect([answer.status, server.requests.length, server.resumed.length]).toEqual([200, 3, 2]);
    expect(server.requests[1]).toBe(server.requests[2]);
  });

  test('that broke after a request leaves the effect of that request unknown, even if the retry cannot connect', async () => {
    const server = createServer({ cert: certificate.certificate, key: certificate.key }, (socket) => {
      socket.once('data', () => {
        socket.write(reply(200));
        socket.once('data', () => {
          server.close();
          socket.destroy();
        });
      });
    });
    const array = arrayAt(await listen(server), { host: '127.0.0.1' });
    await get(array);
    const error = await failureOf(exchange(array, POST, {}, { repeatable: true }));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true } });
    expect(error.message).toContain('The array may have executed the request.');
  });

  test('that broke is closed together with the other idle ones, and the retry uses a new one', async () => {
    const first: TLSSocket[] = [];
    const server = await startServer((socket, _, nth) => {
      if (nth < 2) first.push(socket);
      else if (first.includes(socket)) socket.destroy();
      else socket.write(reply(200));
      if (nth === 1) for (const each of first) each.write(reply(200));
    });
    await Promise.all([get(arrayAt(server)), get(arrayAt(server))]);
    const answer = await exchange(arrayAt(server), GET, {}, { repeatable: true });
    expect([answer.status, server.requests.length, server.resumed.length]).toEqual([200, 4, 3]);
  });

  test('that broke makes a request fail that is not repeatable', async () => {
    const server = await startServer(breakAtSecond);
    await get(arrayAt(server));
    const error = await failureOf(exchange(arrayAt(server), POST, {}, { fresh: true }));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true } });
    expect(server.requests).toHaveLength(2);
  });

  test('that is new and breaks causes no retry, because the request may have arrived', async () => {
    const server = await startServer((socket) => socket.destroy());
    await failureOf(exchange(arrayAt(server), GET, {}, { repeatable: true }));
    expect(server.requests).toHaveLength(1);
  });

  test('that could not be made is retried once for a repeatable request, and not for others', async () => {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const array = arrayAt(await listen(server), { host: '127.0.0.1' });
    await failureOf(exchange(array, GET, {}, { repeatable: true }));
    expect(connections).toBe(2);
    await failureOf(exchange(array, POST, {}, { fresh: true }));
    expect(connections).toBe(3);
  });

  test.for([
    [999, 1],
    [1000, 2],
  ] satisfies [number, number][])(
    'that was used %i ms ago and a request that needs a fresh one make %i connections',
    async ([age, connections]) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const server = await startServer();
      await get(arrayAt(server));
      vi.setSystemTime(Date.now() + age);
      await exchange(arrayAt(server), POST, {}, { fresh: true });
      expect(server.resumed).toHaveLength(connections);
    },
  );

  test.for([
    [-1, 1],
    [0, 2],
  ] satisfies [number, number][])(
    'that is idle until %i ms after its certificate expires and the next request make %i connections',
    async ([laterMs, connections]) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const server = await startServer();
      const { certificateEndsAt = Number.NaN } = await get(arrayAt(server));
      vi.setSystemTime(1000 * certificateEndsAt + laterMs);
      await get(arrayAt(server));
      expect(server.resumed).toEqual(Array(connections).fill(false));
    },
  );

  test('is one of at most 128 idle ones: beyond that, the one idle the longest is closed', async () => {
    const server = await startServer();
    const arrays = Array.from({ length: 129 }, (_, n) => ownTrustAt(server, n));
    for (const array of arrays) await get(array);
    const connectionsOf = async (n: number): Promise<number> => {
      const before = server.resumed.length;
      await get(arrays[n] as FlashBlade);
      return server.resumed.length - before;
    };
    expect([await connectionsOf(1), await connectionsOf(0), await connectionsOf(2)]).toEqual([0, 1, 1]);
    expect(await connectionsOf(1)).toBe(0);
  });

  test('is one of at most 128 idle ones, even if many more become idle at once', async () => {
    const waiting: TLSSocket[] = [];
    const server = await startServer((socket) => {
      if (waiting.push(socket) === 192) for (const each of waiting) each.write(reply(200));
    });
    await Promise.all(
      Array.from({ length: 192 }, (_, n) =>
        get(ownTrustAt(server, n), { firstByteTimeoutMs: 60_000, timeoutMs: 60_000, connectTimeoutMs: 60_000 }),
      ),
    );
    await vi.waitFor(() => expect(openSockets.size).toBe(128));
  });

  test('that the array closed does not count as idle', async () => {
    const array = arrayAt(await startServer());
    const sockets: TLSSocket[] = [];
    const closing = await startServer((socket) => {
      sockets.push(socket);
      socket.write(reply(200));
    });
    await get(array);
    const waiting = [...openSockets] as Socket[];
    for (let n = 0; n < 127; n++) await get(ownTrustAt(closing, n));
    for (const socket of sockets) socket.end();
    await vi.waitFor(() => expect(openSockets.size).toBe(1));
    await get(ownTrustAt(closing, 127));
    expect(waiting.map((socket) => socket.destroyed)).toEqual([false]);
  });

  test('negotiates HTTP/1.1', async () => {
    const spoken: unknown[] = [];
    const server = await startServer((socket) => {
      spoken.push(socket.alpnProtocol);
      socket.write(reply(200));
    });
    await get(arrayAt(server));
    expect(spoken).toEqual(['http/1.1']);
  });

  test('that was closed by closeConnections is not used again, not even immediately', async () => {
    const server = await startServer();
    await get(arrayAt(server));
    closeConnections();
    await get(arrayAt(server));
    expect(server.resumed).toHaveLength(2);
  });

  test('with a request in progress ends when connections are closed', async () => {
    const server = await startServer(() => closeConnections());
    const error = await failureOf(get(arrayAt(server)));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true } });
    await server.quiet();
  });

  test('in its handshake ends when connections are closed', async () => {
    const place = await listen(createTcpServer(() => closeConnections()));
    const error = await failureOf(get(arrayAt(place)));
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: false } });
    expect(error.message).toContain('the connection was closed');
    await place.quiet();
  });

  test('that ends because all are closed is not replaced, even for a repeatable request', async () => {
    const server = await startServer((socket, _, nth) => {
      if (nth === 0) socket.write(reply(200));
      else closeConnections();
    });
    await get(arrayAt(server));
    await failureOf(exchange(arrayAt(server), GET, {}, { repeatable: true }));
    let connections = 0;
    const place = await listen(
      createTcpServer(() => {
        connections += 1;
        closeConnections();
      }),
    );
    await failureOf(exchange(arrayAt(place), GET, {}, { repeatable: true }));
    expect([server.requests.length, server.resumed.length, connections]).toEqual([2, 1, 1]);
    expect(openSockets.size).toBe(0);
  });
});
