/**
 * A stand-in for AWS KMS: data keys that decrypt only with the key and the encryption context that they were generated with, and only while
 * the key is enabled. An encrypted data key is a random name for the data key, which the stand-in keeps.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { operationsRefusing, serviceOf } from './operations.ts';
import { AwsError } from './server.ts';

/** A key that is scheduled for deletion cannot be used, and after that is canceled, it stays disabled until it is enabled. */
export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

type DataKey = { readonly keyArn: string; readonly plaintext: string; readonly context: string };

const operation = operationsRefusing('ValidationException');
/** As text that does not depend on the order of the pairs. */
const EncryptionContext = z
  .record(z.string(), z.string())
  .default({})
  .transform((context) => JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));

/** Supports GenerateDataKey and Decrypt. `arnPrefix`: `arn:aws:kms:<region>:<account>:key/`. */
export function kmsStandIn(arnPrefix: string) {
  const states = new Map<string, KeyState>();
  const dataKeys = new Map<string, DataKey>();

  const KeyId = z.string().transform((arn) => {
    const state = states.get(arn);
    if (state === 'Enabled') return arn;
    if (state === 'Disabled') throw new AwsError('DisabledException', `${arn} is disabled.`);
    if (state === 'PendingDeletion') throw new AwsError('KMSInvalidStateException', `${arn} is pending deletion.`);
    throw new AwsError('NotFoundException', `Key '${arn}' does not exist`);
  });

  const operations = {
    GenerateDataKey: operation(z.strictObject({ KeyId, KeySpec: z.literal('AES_256'), EncryptionContext }), (input) => {
      const [plaintext, encrypted] = [randomBytes(32).toString('base64'), randomBytes(128).toString('base64')];
      dataKeys.set(encrypted, { keyArn: input.KeyId, plaintext, context: input.EncryptionContext });
      return { KeyId: input.KeyId, Plaintext: plaintext, CiphertextBlob: encrypted };
    }),

    Decrypt: operation(z.strictObject({ CiphertextBlob: z.base64(), KeyId, EncryptionContext }), (input) => {
      const dataKey = dataKeys.get(input.CiphertextBlob);
      if (dataKey && dataKey.keyArn !== input.KeyId)
        throw new AwsError('IncorrectKeyException', 'The key in the request did not encrypt this ciphertext.');
      if (dataKey?.context !== input.EncryptionContext)
        throw new AwsError('InvalidCiphertextException', 'Not a ciphertext of this key with this encryption context.');
      return { KeyId: input.KeyId, Plaintext: dataKey.plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    }),
  };

  return {
    definition: serviceOf({ service: 'kms', target: 'TrentService' }, operations),
    createKey(): { readonly arn: string } {
      const arn = arnPrefix + randomUUID();
      states.set(arn, 'Enabled');
      return { arn };
    },
    setState: (arn: string, state: KeyState): void => void states.set(arn, state),
  };
}
