/** Started as a process: many ports of one TLS server that answers as an array does, with as little work as can be. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { answer } from './process.ts';

/** `refuses` connections, `hangs` before TLS, talks `garbage`. */
export type Health = 'healthy' | 'refuses' | 'hangs' | 'garbage';

export type Counts = { readonly connections: number; readonly resumed: number; readonly requests: number };

// Heads as arrays send them.
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

const counted = { connections: 0, resumed: 0, requests: 0 };
const tls = createTlsServer();

tls.on('tlsClientError', () => {});
tls.on('secureConnection', (socket: TLSSocket) => {
  counted.connections += 1;
  if (socket.isSessionReused()) counted.resumed += 1;
  let unread = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    unread += chunk.toString('latin1');
    if (!unread.endsWith('\r\n\r\n')) return;
    counted.requests += 1;
    socket.write(unread.startsWith('POST /api/login ') ? LOGIN : LOGOUT);
    unread = '';
  });
});

const MEET: Readonly<Record<Exclude<Health, 'refuses'>, (socket: Socket) => unknown>> = {
  healthy: (socket) => tls.emit('connection', socket),
  hangs: (socket) => socket.resume(),
  garbage: (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
};

async function listen(health: Health): Promise<number> {
  const server: Server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    MEET[health === 'refuses' ? 'hangs' : health](socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (health === 'refuses') server.close();
  return port;
}

const handlers = {
  present: (certificate: { readonly cert: string; readonly key: string }): void => tls.setSecureContext(certificate),
  listen: ({ count, health }: { count: number; health: Health }): Promise<number[]> =>
    Promise.all(Array.from({ length: count }, () => listen(health))),
  /** Since the last time: what arrived, and the milliseconds of CPU that it took. */
  counts: (): Counts & { readonly cpuMs: number } => {
    const { user, system } = process.cpuUsage(before);
    const counts = { ...counted, cpuMs: (user + system) / 1000 };
    Object.assign(counted, { connections: 0, resumed: 0, requests: 0 });
    before = process.cpuUsage();
    return counts;
  },
};
export type ServerCalls = typeof handlers;

let before = process.cpuUsage();
answer(handlers);
