/**
 * A seal without encryption, because tokens of in-memory arrays need none. It has the rules of the real one: a key seals once, and a seal
 * opens only for its own lease and array.
 */
import { FlashBladeError } from '../core/errors.ts';
import { authToken } from '../core/model.ts';
import type { Seal } from '../leases/ports.ts';

export const plainSeal: Seal = {
  dataKey: async () => ({ plaintext: new Uint8Array([1]), encrypted: new Uint8Array() }),
  seal: ({ plaintext }, token, context) => {
    const sealed = JSON.stringify([plaintext[0], context, token.reveal()]);
    plaintext.fill(0);
    return sealed;
  },
  unseal: async (sealed, context) => {
    const start = `[1,${JSON.stringify(context)},`;
    if (!sealed.startsWith(start)) throw new FlashBladeError('LEASE_ALTERED', 'could not unseal a token');
    return authToken(JSON.parse(sealed.slice(start.length, -1)));
  },
};
