/** A stand-in for AWS KMS: symmetric keys, aliases, encryption contexts, and real cryptography. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { decrypt, encrypt, keyIdOf } from './kms-ciphertext.ts';
import { type Key, type KeyStore, keyStore, usable } from './kms-keys.ts';
import { type Operation, operationsRefusing, serviceOf } from './operations.ts';

const operation = operationsRefusing('ValidationException');
const keyIdentifier = z.string().min(1).max(2048);
const context = z.record(z.string(), z.string()).default({});
const algorithm = z.literal('SYMMETRIC_DEFAULT').optional();
const bytes = (max: number) =>
  z
    .base64()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine(({ length }) => length >= 1 && length <= max);

export type Kms = ReturnType<typeof kmsStandIn>;

/** Supports GenerateDataKey, Encrypt, Decrypt and DescribeKey. `now` is in seconds since the epoch. */
export function kmsStandIn(account: { region: string; accountId: string; now: () => number }) {
  const keys = keyStore(`arn:aws:kms:${account.region}:${account.accountId}:`, account.now);

  /** Creates an enabled key. `alias` begins with `alias/`. */
  function createKey(alias?: string): { readonly keyId: string; readonly arn: string } {
    const { keyId, arn } = keys.create(alias);
    return { keyId, arn };
  }

  return {
    definition: serviceOf(
      { service: 'kms', target: 'TrentService' },
      {
        GenerateDataKey: generateDataKey(keys),
        Encrypt: encryptBytes(keys),
        Decrypt: decryptBytes(keys),
        DescribeKey: describeKey(keys, account.accountId),
      },
    ),
    createKey,
    /** Identify a key by key id, key ARN, alias name or alias ARN. */
    setEnabled: (identifier: string, enabled: boolean): void => {
      keys.find(identifier).enabled = enabled;
    },
    /** The key exists and is enabled. */
    isUsable: (identifier: string): boolean => keys.lookUp(identifier)?.enabled ?? false,
  };
}

const generateDataKey = (keys: KeyStore): Operation =>
  operation(
    z.strictObject({
      KeyId: keyIdentifier,
      KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
      NumberOfBytes: z.int().min(1).max(1024).optional(),
      EncryptionContext: context,
    }),
    ({ KeyId, KeySpec, NumberOfBytes, EncryptionContext }) => {
      if ((KeySpec === undefined) === (NumberOfBytes === undefined))
        throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.');
      const { keyId, arn, material } = usable(keys.find(KeyId));
      const plaintext = randomBytes(NumberOfBytes ?? (KeySpec === 'AES_128' ? 16 : 32));
      const blob = encrypt(keyId, material, plaintext, EncryptionContext);
      return { KeyId: arn, Plaintext: plaintext.toString('base64'), CiphertextBlob: blob.toString('base64') };
    },
  );

const encryptBytes = (keys: KeyStore): Operation =>
  operation(
    z.strictObject({
      KeyId: keyIdentifier,
      Plaintext: bytes(4096),
      EncryptionContext: context,
      EncryptionAlgorithm: algorithm,
    }),
    ({ KeyId, Plaintext, EncryptionContext }) => {
      const { keyId, arn, material } = usable(keys.find(KeyId));
      const blob = encrypt(keyId, material, Plaintext, EncryptionContext);
      return { KeyId: arn, CiphertextBlob: blob.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    },
  );

const decryptBytes = (keys: KeyStore): Operation =>
  operation(
    z.strictObject({
      CiphertextBlob: bytes(6144),
      KeyId: keyIdentifier.optional(),
      EncryptionContext: context,
      EncryptionAlgorithm: algorithm,
    }),
    ({ CiphertextBlob, KeyId, EncryptionContext }) => {
      const wanted = KeyId === undefined ? undefined : keys.find(KeyId);
      const key = keyThatMade(CiphertextBlob, keys);
      if (wanted && wanted !== key)
        throw new AwsError('IncorrectKeyException', 'The key in the request did not encrypt this ciphertext.');
      const plaintext = decrypt(usable(key).material, CiphertextBlob, EncryptionContext);
      if (!plaintext) throw invalidCiphertext();
      return { KeyId: key.arn, Plaintext: plaintext.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    },
  );

const describeKey = (keys: KeyStore, accountId: string): Operation =>
  operation(z.strictObject({ KeyId: keyIdentifier }), ({ KeyId }) => {
    const { keyId, arn, createdAt, enabled } = keys.find(KeyId);
    return {
      KeyMetadata: {
        AWSAccountId: accountId,
        KeyId: keyId,
        Arn: arn,
        CreationDate: createdAt,
        Enabled: enabled,
        KeyState: enabled ? 'Enabled' : 'Disabled',
        KeyUsage: 'ENCRYPT_DECRYPT',
        KeyManager: 'CUSTOMER',
        KeySpec: 'SYMMETRIC_DEFAULT',
        EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
        Origin: 'AWS_KMS',
        MultiRegion: false,
      },
    };
  });

function keyThatMade(blob: Buffer, keys: KeyStore): Key {
  const key = keys.lookUp(keyIdOf(blob) ?? '');
  if (!key) throw invalidCiphertext();
  return key;
}

const invalidCiphertext = (): AwsError =>
  new AwsError('InvalidCiphertextException', 'Not a ciphertext of this key with this encryption context.');
