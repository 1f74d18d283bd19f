/** A TLS proxy that forwards bytes unchanged. Pact's mock server supports only plain HTTP, and the client supports only HTTPS. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { createServer } from 'node:tls';
import type { FlashBlade } from '../../lib/core/model.ts';
import { createAuthority } from '../../simulator/certificates.ts';

const authority = await createAuthority();
const { certificate: cert, key } = await authority.issue();

/** Listens on loopback until you call `stop`. The client connects to `array`. */
export async function startTlsFront(mockPort: number): Promise<{ array: FlashBlade; stop: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (secure) => {
    const plain = connect(mockPort, '127.0.0.1');
    for (const socket of [secure, plain]) sockets.add(socket);
    // If either connection breaks, both are closed.
    pipeline(secure, plain, secure, () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    array: { name: 'fb1', host: 'localhost', port, trust: { kind: 'ca', ca: authority.certificate } },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
