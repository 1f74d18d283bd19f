import { setImmediate } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { openSockets } from '../../../lib/flashblade/tls.ts';

/** Returns the next connection that the client opens, before any TLS arrives on it. */
export async function nextConnection(): Promise<TLSSocket> {
  const before = new Set(openSockets);
  for (;;) {
    for (const socket of openSockets) if (!before.has(socket) && socket instanceof TLSSocket) return socket;
    await setImmediate();
  }
}
