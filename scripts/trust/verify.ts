/** Checks whether the functions would trust an array. Uses the functions' own code. */

import { FlashBladeError } from '../../lib/core/errors.ts';
import type { FlashBlade } from '../../lib/core/model.ts';
import { connectTls } from '../../lib/flashblade/tls.ts';

const TIMEOUT_MS = 10_000;

/** Connects as a login would, then disconnects without sending data. Throws ARRAY_UNTRUSTED, ARRAY_UNREACHABLE or SECRET_INVALID. */
export const verify = (array: FlashBlade): Promise<void> =>
  new Promise((resolve, reject) => {
    connectTls(array, TIMEOUT_MS, (made) => {
      if (made instanceof FlashBladeError) return reject(made);
      made.socket.end(() => made.socket.destroy());
      resolve();
    });
  });
