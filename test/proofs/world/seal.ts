/** A real seal without KMS: the data keys are kept in memory. Fast enough for hundreds of thousands of sessions. */
import { createDecipheriv } from 'node:crypto';
import { sealToken } from '../../../lib/aws/seal.ts';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { authToken } from '../../../lib/core/model.ts';
import type { Seal } from '../../../lib/leases/ports.ts';

const TAG_BYTES = 16;

export function memorySeal(): Seal {
  const keys: Uint8Array[] = [];

  return {
    async dataKey() {
      const plaintext = new Uint8Array(32).fill(keys.length % 251);
      const encrypted = Buffer.from(String(keys.push(plaintext.slice()) - 1));
      return { plaintext, encrypted };
    },
    seal: sealToken,
    async unseal(sealed, { leaseId, array, host, trust }) {
      const [number, nonce, box] = sealed
        .split('.')
        .slice(1)
        .map((part) => Buffer.from(part, 'base64url')) as [Buffer, Buffer, Buffer];
      try {
        const decipher = createDecipheriv('aes-256-gcm', keys[Number(number)] as Uint8Array, nonce)
          .setAAD(Buffer.from(JSON.stringify([leaseId, array, host, trust])))
          .setAuthTag(box.subarray(-TAG_BYTES));
        return authToken(decipher.update(box.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8'));
      } catch {
        throw new FlashBladeError('LEASE_ALTERED', 'does not unseal');
      }
    },
  };
}
