/** TLS listeners on loopback that count what reaches them, and host names that resolve to what a test chooses. */
import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { IssuedCertificate } from '../../../simulator/certificates.ts';

export type Listener = Awaited<ReturnType<typeof startListener>>;

/** Sends what `answer` returns at that moment as the response to a request, and ends the connection. */
export async function startListener(
  { address, port = 0 }: { readonly address: string; readonly port?: number },
  { certificate: cert, key }: IssuedCertificate,
  answer: (request: string) => string,
) {
  const sockets = new Set<Socket>();
  /** Ports of the other ends. */
  const accepted = new Set<number | undefined>();
  let connections = 0;
  let text = '';
  const server = createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (socket) => {
    let unread = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      unread += chunk.toString('latin1');
      if (unread.includes('\r\n\r\n')) socket.end(Buffer.from(answer(unread)));
    });
  });
  server.on('connection', (socket: Socket) => {
    connections += 1;
    accepted.add(socket.remotePort);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address() as AddressInfo;

  /** Resolves when everything sent to it has been counted and its connections have ended. */
  async function settled(): Promise<void> {
    // Connections are accepted in the order in which they were made: once this one is accepted, so are all earlier ones.
    const last = connect(bound.port, address);
    await once(last, 'connect');
    while (!accepted.has(last.localPort)) await once(server, 'connection');
    connections -= 1;
    accepted.clear();
    last.destroy();
    await Promise.all([...sockets].map((socket) => once(socket, 'close')));
  }

  async function stop(): Promise<void> {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  }
  /** What has reached it since the last call: TCP connections, and application bytes as text. */
  const drain = () => {
    const reached = { connections, text };
    connections = 0;
    text = '';
    return reached;
  };
  return { port: bound.port, drain, settled, stop };
}

/** Whether a test can listen there. Linux accepts all of 127.0.0.0/8, macOS only configured addresses; CI configures them. */
export async function hasAddress(address: string): Promise<boolean> {
  if (process.platform === 'linux' || process.env['CI'] !== undefined) return true;
  const server = createTcpServer().listen(0, address);
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

type Callback = (error: Error | null, address: string | dns.LookupAddress[], family?: number) => void;

/** Makes every host name in this process resolve to the addresses that `addressesOf` returns. Returns a function that undoes this. */
export function resolveNames(addressesOf: (name: string) => readonly string[]): () => void {
  const { lookup } = dns;
  const fake = (name: string, options: dns.LookupOptions, done: Callback): void => {
    const addresses = addressesOf(name).map((address) => ({ address, family: 4 }));
    process.nextTick(() => {
      if (options.all) done(null, addresses);
      else done(null, addresses[0]?.address ?? '', 4);
    });
  };
  dns.lookup = fake as typeof dns.lookup;
  return () => {
    dns.lookup = lookup;
  };
}
