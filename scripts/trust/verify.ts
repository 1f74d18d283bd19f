/** Checks whether the functions would trust an array. Uses the functions' own code. */

import { FlashBladeError } from '../../lib/core/errors.ts';
import type { FlashBlade } from '../../lib/core/model.ts';
import { connectTls } from '../../lib/flashblade/tls.ts';
import { codeOf, lateRefusal } from '../../lib/flashblade/tls-errors.ts';

const TIMEOUT_MS = 10_000;
/** How long to wait for a server to reject the client after a TLS 1.3 handshake. A session ticket from the server ends the wait early. */
const REFUSAL_MS = 500;

/** Connects as a login would, then disconnects without sending data. Throws ARRAY_UNTRUSTED, ARRAY_UNREACHABLE or SECRET_INVALID. */
export const verify = (array: FlashBlade): Promise<void> =>
  new Promise((resolve, reject) => {
    connectTls(array, TIMEOUT_MS, (made) => {
      if (made instanceof FlashBladeError) return reject(made);
      const { socket } = made;
      const end = () => {
        clearTimeout(timer);
        socket.end(() => socket.destroy());
        resolve();
      };
      const timer = setTimeout(end, socket.getProtocol() === 'TLSv1.3' ? REFUSAL_MS : 0);
      socket.once('session', end);
      socket.once('close', end);
      socket.on('error', (error) => {
        const refusal = lateRefusal(array, codeOf(error));
        if (refusal !== undefined) reject(refusal);
      });
      socket.resume();
    });
  });
