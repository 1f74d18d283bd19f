import { setImmediate } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { openSockets } from '../../lib/edges/flashblade/tls.ts';

/** The first connection that the client makes from now on, before anything comes on it. */
export async function nextConnection(): Promise<TLSSocket> {
  const before = new Set(openSockets);
  for (;;) {
    for (const socket of openSockets) if (!before.has(socket)) return socket;
    await setImmediate();
  }
}
