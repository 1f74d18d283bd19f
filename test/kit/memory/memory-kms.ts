/** An in-memory version of the KMS features that sealing uses: data keys that decrypt only under their original context. */
import { randomBytes } from 'node:crypto';
import type { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';

export function memoryKms(): KMSClient {
  const keys = new Map<string, Buffer>();
  const nameOf = (encrypted: Uint8Array, context: unknown): string =>
    Buffer.from(encrypted).toString('hex') + JSON.stringify(context);

  async function send({ input }: GenerateDataKeyCommand | DecryptCommand): Promise<unknown> {
    if (!('CiphertextBlob' in input)) {
      const [key, encrypted] = [randomBytes(32), randomBytes(16)];
      keys.set(nameOf(encrypted, input.EncryptionContext), key);
      return { Plaintext: Buffer.from(key), CiphertextBlob: encrypted };
    }
    const key = keys.get(nameOf(input.CiphertextBlob ?? Buffer.of(), input.EncryptionContext));
    if (key) return { Plaintext: Buffer.from(key) };
    throw Object.assign(new Error(), { name: 'InvalidCiphertextException' });
  }

  return { send } as unknown as KMSClient;
}
