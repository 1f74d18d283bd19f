/** Runs a TLS server in its own process. The server listens on many ports and responds like an array, with as little work as possible. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expose } from './process.ts';

/** A dead array `refuses` connections, `hangs` before TLS, or sends `garbage`. */
export type Health = 'healthy' | 'refuses' | 'hangs' | 'garbage';

// The headers that arrays send.
const HEAD = [
  'HTTP/1.1 200 OK',
  'Server: nginx',
  'Cache-Control: no-cache, no-store, max-age=0, must-revalidate',
  'Pragma: no-cache',
  'Expires: 0',
  'Strict-Transport-Security: max-age=31536000; includeSubDomains',
  "Content-Security-Policy: frame-ancestors 'none'",
].join('\r\n');
const LOGIN = `${HEAD}\r\nContent-Type: application/json\r\nx-auth-token: 11111111-2222-3333-4444-555555555555\r\nContent-Length: 23\r\n\r\n{"username":"pureuser"}`;
const LOGOUT = `${HEAD}\r\nContent-Length: 0\r\n\r\n`;

let counts = { connections: 0, resumed: 0 };
const tls = createTlsServer();

tls.on('tlsClientError', () => {});
tls.on('secureConnection', (socket: TLSSocket) => {
  counts.connections += 1;
  if (socket.isSessionReused()) counts.resumed += 1;
  let unread = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    unread += chunk.toString('latin1');
    if (!unread.endsWith('\r\n\r\n')) return;
    socket.write(unread.startsWith('POST /api/login ') ? LOGIN : LOGOUT);
    unread = '';
  });
});

const ACCEPT: Readonly<Record<Health, (socket: Socket) => unknown>> = {
  healthy: (socket) => tls.emit('connection', socket),
  refuses: (socket) => socket.destroy(),
  hangs: (socket) => socket.resume(),
  garbage: (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
};

async function listen(health: Health): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    ACCEPT[health](socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (health === 'refuses') server.close();
  return port;
}

const handlers = {
  present: (certificate: { readonly cert: string; readonly key: string }): void => tls.setSecureContext(certificate),
  /** Adds arrays. Returns their ports. */
  listen: ({ count, health }: { count: number; health: Health }): Promise<number[]> =>
    Promise.all(Array.from({ length: count }, () => listen(health))),
  /** Returns the number of TLS connections since the last call, and how many of them resumed a session. */
  counts: (): typeof counts => {
    const latest = counts;
    counts = { connections: 0, resumed: 0 };
    return latest;
  },
};
export type ArrayCalls = typeof handlers;

expose(handlers);
