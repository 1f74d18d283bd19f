/** An in-memory version of the KMS features that sealing uses: data keys that decrypt only under their original context. */
import { randomBytes } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';

export function memoryKms(): KMSClient {
  const keys = new Map<string, { key: Buffer; context: string }>();

  async function send(command: unknown): Promise<unknown> {
    if (command instanceof GenerateDataKeyCommand) {
      const key = randomBytes(32);
      const encrypted = randomBytes(16);
      keys.set(encrypted.toString('hex'), { key, context: JSON.stringify(command.input.EncryptionContext) });
      return { Plaintext: Buffer.from(key), CiphertextBlob: encrypted };
    }
    if (command instanceof DecryptCommand) {
      const stored = keys.get(Buffer.from(command.input.CiphertextBlob ?? []).toString('hex'));
      if (stored?.context === JSON.stringify(command.input.EncryptionContext))
        return { Plaintext: Buffer.from(stored.key) };
      throw Object.assign(new Error(), { name: 'InvalidCiphertextException' });
    }
    throw new Error('unexpected KMS command: sealing sends only GenerateDataKey and Decrypt');
  }

  return { send } as unknown as KMSClient;
}
