/** TLS servers that send exactly what a test gives them and count every byte that they receive. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { FlashBlade, Trust } from '../../../lib/core/model.ts';
import { createAuthority, type IssuedCertificate } from '../../../simulator/certificates.ts';

/** Expires after the certificates it issues, so that their end counts. */
export const authority = await createAuthority({ notAfter: new Date(Date.now() + 60 * 86_400_000) });
export const certificate = await authority.issue();
export const trust: Trust = { kind: 'ca', ca: authority.certificate };

/** What a server does with a request: `nth` counts from 0 over all its connections. */
export type Script = (socket: TLSSocket, request: string, nth: number) => void;

export type TestServer = Awaited<ReturnType<typeof startServer>>;

/** Starts a server on loopback that ends with the test. */
export async function startServer(
  script: Script | string = reply(200),
  { certificate: cert, key }: IssuedCertificate = certificate,
  options: TlsOptions = {},
) {
  const act: Script = typeof script === 'string' ? (socket) => socket.write(script) : script;
  const requests: string[] = [];
  const resumed: boolean[] = [];
  let bytes = 0;
  const server = createServer({ cert, key, ALPNProtocols: ['http/1.1'], ...options }, (socket) => {
    resumed.push(socket.isSessionReused());
    let unread = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      unread += chunk.toString('latin1');
      for (let end = endOfRequest(unread); end <= unread.length; end = endOfRequest(unread)) {
        const request = unread.slice(0, end);
        unread = unread.slice(end);
        act(socket, request, requests.push(request) - 1);
      }
    });
  });
  const { port, quiet } = await listen(server);
  return {
    port,
    quiet,
    /** Application bytes received. */
    received: () => bytes,
    /** Whole requests, head and body, as received. */
    requests: requests as readonly string[],
    /** Per TLS connection: whether it was resumed. */
    resumed: resumed as readonly boolean[],
    /** Presents another certificate from then on. */
    present: (next: IssuedCertificate, ticketKeys: Buffer) => {
      server.setSecureContext({ cert: next.certificate, key: next.key });
      server.setTicketKeys(ticketKeys);
    },
  };
}

/** Listens on a free loopback port until the test ends. `quiet` resolves when no connection is open. */
export async function listen(server: Server): Promise<{ port: number; quiet: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    if (server.listening) await once(server, 'close');
  });
  const quiet = async () => {
    await Promise.all([...sockets].map((socket) => once(socket, 'close')));
  };
  return { port: (server.address() as AddressInfo).port, quiet };
}

/** A relay in front of a server that forwards what the server sends in one piece, including its end, once nothing more arrives. */
export async function gathered(server: { port: number }): Promise<{ port: number }> {
  return await listen(
    createTcpServer((near) => {
      const far = connect(server.port, '127.0.0.1');
      const held: Buffer[] = [];
      const timer = setTimeout(() => {
        const piece = Buffer.concat(held.splice(0));
        if (far.readableEnded) near.end(piece);
        else near.write(piece);
      }, 10);
      far.on('error', () => {});
      far.on('data', (piece) => {
        held.push(piece);
        timer.refresh();
      });
      far.on('end', () => timer.refresh());
      near.on('close', () => far.destroy());
      near.pipe(far);
    }),
  );
}

// Longer than the text if the request is not complete.
function endOfRequest(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return text.length + 1;
  return head + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
}

/** A response as text. */
export const reply = (status: number, body = '', headers: Readonly<Record<string, string>> = {}): string =>
  [
    `HTTP/1.1 ${status} Whatever`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');

export const JSON_TYPE = { 'Content-Type': 'application/json' };

/** The array behind a port, reached by name unless the test says otherwise. */
export const arrayAt = ({ port }: { port: number }, changes: Partial<FlashBlade> = {}): FlashBlade => ({
  name: 'fb1',
  host: 'localhost',
  port,
  trust,
  ...changes,
});
