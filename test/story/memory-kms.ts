/** KMS in memory, as far as sealing uses it: data keys that open only under the context they were made for. */
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
      const held = keys.get(Buffer.from(command.input.CiphertextBlob ?? []).toString('hex'));
      if (held?.context === JSON.stringify(command.input.EncryptionContext))
        return { Plaintext: Buffer.from(held.key) };
      throw Object.assign(new Error(), { name: 'InvalidCiphertextException' });
    }
    throw new Error('the story asks KMS for nothing else');
  }

  return { send } as unknown as KMSClient;
}
