/**
 * A stand-in for AWS KMS: data keys that decrypt only with the key and the encryption context that they were generated with. An encrypted
 * data key is a random name for the data key, which the stand-in keeps.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { operationsRefusing, serviceOf } from './operations.ts';
import { AwsError } from './server.ts';

type Key = { readonly keyId: string; readonly arn: string; enabled: boolean };
type DataKey = { readonly key: Key; readonly plaintext: string; readonly context: string };

const operation = operationsRefusing('ValidationException');
const KeyId = z.string().min(1).max(2048);
/** As text that does not depend on the order of the pairs. */
const EncryptionContext = z
  .record(z.string(), z.string())
  .default({})
  .transform((context) => JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));

export type Kms = ReturnType<typeof kmsStandIn>;

/** Supports GenerateDataKey and Decrypt. `arnPrefix`: `arn:aws:kms:<region>:<account>:key/`. */
export function kmsStandIn(arnPrefix: string) {
  const keys = new Map<string, Key>();
  const dataKeys = new Map<string, DataKey>();

  /** Finds a key by key id or ARN. */
  const lookUp = (identifier: string): Key | undefined => keys.get(identifier.replace(arnPrefix, ''));

  function find(identifier: string): Key {
    const key = lookUp(identifier);
    if (key) return key;
    throw new AwsError('NotFoundException', `Key '${identifier}' does not exist`);
  }

  const operations = {
    GenerateDataKey: operation(z.strictObject({ KeyId, KeySpec: z.literal('AES_256'), EncryptionContext }), (input) => {
      const key = usable(find(input.KeyId));
      const [plaintext, encrypted] = [randomBytes(32).toString('base64'), randomBytes(128).toString('base64')];
      dataKeys.set(encrypted, { key, plaintext, context: input.EncryptionContext });
      return { KeyId: key.arn, Plaintext: plaintext, CiphertextBlob: encrypted };
    }),

    Decrypt: operation(z.strictObject({ CiphertextBlob: z.base64(), KeyId, EncryptionContext }), (input) => {
      const key = find(input.KeyId);
      const dataKey = dataKeys.get(input.CiphertextBlob);
      if (dataKey && dataKey.key !== key)
        throw new AwsError('IncorrectKeyException', 'The key in the request did not encrypt this ciphertext.');
      if (!dataKey || dataKey.context !== input.EncryptionContext)
        throw new AwsError('InvalidCiphertextException', 'Not a ciphertext of this key with this encryption context.');
      return { KeyId: usable(key).arn, Plaintext: dataKey.plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    }),
  };

  return {
    definition: serviceOf({ service: 'kms', target: 'TrentService' }, operations),
    /** Creates an enabled key. */
    createKey(): { readonly keyId: string; readonly arn: string } {
      const keyId = randomUUID();
      const arn = arnPrefix + keyId;
      keys.set(keyId, { keyId, arn, enabled: true });
      return { keyId, arn };
    },
    /** `identifier`: a key id or ARN. */
    setEnabled: (identifier: string, enabled: boolean): void => {
      find(identifier).enabled = enabled;
    },
    /** Whether the key exists and is enabled. */
    isUsable: (identifier: string): boolean => lookUp(identifier)?.enabled ?? false,
  };
}

/** Returns the key. Throws if the key is disabled. */
function usable(key: Key): Key {
  if (!key.enabled) throw new AwsError('DisabledException', `${key.arn} is disabled.`);
  return key;
}
