import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { Agent } from 'node:https';
import { createConnection } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createAuthority, selfSigned } from '../../../simulator/certificates.ts';
import type { Simulator } from '../../../simulator/index.ts';
import { call, errorCode, login, simulate } from '../../../simulator/support.ts';

/** One HTTP/2 request; rejects if the stream fails. */
async function http2Call(to: Simulator, method: string, path: string, headers: Record<string, string> = {}) {
  const session = connectHttp2(to.url, { ca: to.certificate });
  session.on('error', () => {});
  try {
    const stream = session.request({ ':method': method, ':path': path, ...headers });
    const statuses: (number | undefined)[] = [];
    stream.on('headers', (early) => statuses.push(early[':status']));
    const closed = once(stream, 'close').then(() => [undefined]);
    const response = Promise.race([once(stream, 'response'), closed]);
    stream.end();
    const [answered] = await response;
    if (answered === undefined) throw Object.assign(new Error('no response'), { code: 'NO_RESPONSE' });
    statuses.push(answered[':status']);
    let body = '';
    for await (const chunk of stream) body += chunk;
    return { statuses, body, headers: answered };
  } finally {
    session.destroy();
  }
}

/** Opens a TLS 1.3 connection and waits for its session ticket. */
async function connectFor(to: Simulator, session?: Buffer): Promise<{ socket: TLSSocket; ticket: Buffer }> {
  const options = { host: to.host, port: to.port, ca: to.certificate, servername: 'localhost' };
  const socket = connect({ ...options, ...(session && { session }) });
  const [ticket] = await once(socket, 'session');
  return { socket, ticket };
}

describe('connections', () => {
  it('a client that offers HTTP/2 gets it, and any other client gets HTTP/1.1', async () => {
    const array = await simulate();
    const response = await http2Call(array, 'POST', '/api/login', { 'api-token': array.apiToken });
    expect(response).toMatchObject({ statuses: [200], body: '{"username":"pureuser"}' });
    expect(response.headers).toHaveProperty('x-auth-token', array.sessions()[0]?.authToken);
    await login(array);
    expect(array.requests.map(({ protocol }) => protocol)).toEqual(['HTTP/2', 'HTTP/1.1']);
  });

  it('connections are kept alive, and each recorded request names its connection', async () => {
    const array = await simulate();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let requests = 0; requests < 3; requests++) await call(array, 'GET', '/api/api_version', { agent });
    agent.destroy();
    await login(array);
    expect(array.requests.map(({ connectionId }) => connectionId)).toEqual([1, 1, 1, 2]);
    expect(array.counters).toMatchObject({ connections: 2, fullHandshakes: 2, resumedHandshakes: 0 });
  });

  it('full and resumed handshakes are counted separately, and another array resumes a session only with equal ticket keys', async () => {
    const ticketKeys = Buffer.alloc(48, 7);
    const [first, twin, stranger] = [await simulate({ ticketKeys }), await simulate({ ticketKeys }), await simulate()];
    const { socket, ticket } = await connectFor(first);
    socket.destroy();
    const again = connect({
      host: twin.host,
      port: twin.port,
      ca: first.certificate,
      servername: 'localhost',
      session: ticket,
    });
    again.write('GET /api/api_version HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(again, 'data');
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
    const other = await connectFor(stranger, ticket);
    expect(other.socket.isSessionReused()).toBe(false);
    other.socket.destroy();
    await http2Call(twin, 'GET', '/api/api_version');
    expect(twin.counters).toMatchObject({ fullHandshakes: 1, resumedHandshakes: 1 });
    expect(stranger.counters).toMatchObject({ fullHandshakes: 1, resumedHandshakes: 0 });
  });

  it('only bytes after the TLS handshake are counted, so a client that does not trust the array adds none', async () => {
    const array = await simulate();
    const stranger = await createAuthority();
    const distrusting = connect({ host: array.host, port: array.port, ca: stranger.certificate });
    await errorCode(once(distrusting, 'secureConnect'));
    expect(array.counters.applicationBytes).toBe(0);
    const socket = connect({ host: array.host, port: array.port, ca: array.certificate, servername: 'localhost' });
    const request = 'GET /api/api_version HTTP/1.1\r\nhost: localhost\r\n\r\n';
    socket.write(request);
    await once(socket, 'data');
    expect(array.counters.applicationBytes).toBe(request.length);
    await array.stop();
    expect(array.counters.applicationBytes).toBe(request.length);
  });

  it('an array presents a certificate of its own authority, a self-signed one, or the given one', async () => {
    const own = await selfSigned();
    const arrays = [
      await simulate(),
      await simulate({ certificate: 'self-signed' }),
      await simulate({ certificate: own }),
    ];
    for (const array of arrays) {
      const socket = connect({ host: array.host, port: array.port, ca: array.certificate });
      await once(socket, 'secureConnect');
      const shown = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
      expect(array.fingerprint).toBe(shown);
      socket.destroy();
    }
    expect(arrays[2]?.fingerprint).toBe(own.fingerprint);
  });

  it('after a swap, new connections see the new certificate and older connections stay open', async () => {
    const array = await simulate();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await call(array, 'GET', '/api/api_version', { agent });
    const next = await selfSigned();
    array.swapCertificate(next);
    expect(array.fingerprint).toBe(next.fingerprint);
    expect(await errorCode(login(array))).toMatch(/SELF_SIGNED/);
    expect(await call(array, 'GET', '/api/api_version', { agent })).toMatchObject({ status: 200 });
    agent.destroy();
  });

  it('an array can limit its TLS versions and present a small key, as old arrays do', async () => {
    const issued = await selfSigned({ keyKind: 'rsa1024' });
    const array = await simulate({ certificate: issued, maxTlsVersion: 'TLSv1.2' });
    const socket = connect({
      host: array.host,
      port: array.port,
      ca: issued.certificate,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await once(socket, 'secureConnect');
    expect(socket.getProtocol()).toBe('TLSv1.2');
    socket.destroy();
  });
});

describe('a connection fault', () => {
  it('the fault refuse closes the port until it is removed', async () => {
    const array = await simulate();
    const fault = array.faults.add({ kind: 'refuse' });
    expect(await errorCode(login(array))).toBe('ECONNREFUSED');
    await fault.remove();
    expect(await login(array)).toMatchObject({ status: 200 });
  });

  it('the fault reset-at-accept resets as many connections as requested', async () => {
    const array = await simulate();
    const fault = array.faults.add({ kind: 'reset-at-accept', times: 2 });
    expect(await errorCode(login(array))).toBe('ECONNRESET');
    expect(await errorCode(login(array))).toBe('ECONNRESET');
    expect(await login(array)).toMatchObject({ status: 200 });
    expect(fault.happened()).toBe(2);
  });

  it('the faults hang-at-accept and hang-in-handshake accept TCP but do not complete the TLS handshake', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'hang-at-accept', times: 1 });
    array.faults.add({ kind: 'hang-in-handshake', times: 1 });
    const silent = createConnection(array.port, array.host);
    await once(silent, 'connect');
    silent.write('hello');
    const stopping = createConnection(array.port, array.host);
    stopping.write('hello');
    const [half] = await once(stopping, 'data');
    expect(half.toString('hex')).toMatch(/^160303/);
    await login(array);
    expect(silent.bytesRead).toBe(0);
    silent.destroy();
    stopping.destroy();
    expect(array.counters).toMatchObject({ connections: 3, fullHandshakes: 1 });
  });

  it('the fault plain-text responds without TLS', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'plain-text' });
    expect(await errorCode(login(array))).toBe('EPROTO');
  });
});

describe('a delivery fault on HTTP/2', () => {
  it('a fault that changes the bytes of HTTP/1.1 resets the connection', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'cut', afterBytes: 10 });
    expect(await errorCode(http2Call(array, 'GET', '/api/api_version'))).toMatch(/ECONNRESET|ERR_HTTP2|NO_RESPONSE/);
  });

  it('the fault informational sends its statuses before the response', async () => {
    const array = await simulate();
    array.faults.add({ kind: 'informational', statuses: [103] });
    expect(await http2Call(array, 'GET', '/api/api_version')).toMatchObject({ statuses: [103, 200] });
  });

  it('the fault hang never responds', async () => {
    const done = Promise.withResolvers<void>();
    const array = await simulate({ onRequest: (phase) => (phase === 'done' ? done.resolve() : undefined) });
    array.faults.add({ kind: 'hang', at: 'in-headers', times: 1 });
    const hanging = errorCode(http2Call(array, 'POST', '/api/login', { 'api-token': array.apiToken }));
    let settled = false;
    void hanging.then(() => {
      settled = true;
    });
    await done.promise;
    await login(array);
    expect(array.sessions()).toHaveLength(2);
    expect(settled).toBe(false);
    await array.stop();
    expect(await hanging).toMatch(/ECONNRESET|ERR_HTTP2|NO_RESPONSE/);
  });
});
