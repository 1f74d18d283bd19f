/** A stand-in for AWS KMS: symmetric keys, aliases, encryption contexts, and real cryptography. */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { decrypt, encrypt, keyIdOf } from './kms-ciphertext.ts';
import { operationsRefusing, serviceOf } from './operations.ts';

/** `createdAt` is in seconds since the epoch. `material` is 32 bytes long. */
type Key = {
  readonly keyId: string;
  readonly arn: string;
  readonly material: Buffer;
  readonly createdAt: number;
  enabled: boolean;
};

const operation = operationsRefusing('ValidationException');
const KeyId = z.string().min(1).max(2048);
const EncryptionContext = z.record(z.string(), z.string()).default({});
const EncryptionAlgorithm = z.literal('SYMMETRIC_DEFAULT').optional();
const bytes = (max: number) =>
  z
    .base64()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine(({ length }) => length >= 1 && length <= max);

export type Kms = ReturnType<typeof kmsStandIn>;

/** Supports GenerateDataKey, Encrypt, Decrypt and DescribeKey. `now` is in seconds since the epoch. */
export function kmsStandIn({ region, accountId, now }: { region: string; accountId: string; now: () => number }) {
  const arnPrefix = `arn:aws:kms:${region}:${accountId}:`;
  const keys = new Map<string, Key>();
  const aliases = new Map<string, string>();

  const nameIn = (identifier: string): string => identifier.replace(arnPrefix, '').replace(/^key\//, '');

  /** Finds a key by key id, key ARN, alias name or alias ARN. */
  function lookUp(identifier: string): Key | undefined {
    const name = nameIn(identifier);
    return keys.get(aliases.get(name) ?? name);
  }

  function find(identifier: string): Key {
    const key = lookUp(identifier);
    if (key) return key;
    const name = nameIn(identifier);
    const what = name.startsWith('alias/') ? `Alias ${arnPrefix}${name} is not found.` : `Key '${name}' does not exist`;
    throw new AwsError('NotFoundException', what);
  }

  const operations = {
    GenerateDataKey: operation(
      z.strictObject({
        KeyId,
        KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
        NumberOfBytes: z.int().min(1).max(1024).optional(),
        EncryptionContext,
      }),
      (input) => {
        if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined))
          throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.');
        const { keyId, arn, material } = usable(find(input.KeyId));
        const plaintext = randomBytes(input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32));
        const blob = encrypt(keyId, material, plaintext, input.EncryptionContext);
        return { KeyId: arn, Plaintext: plaintext.toString('base64'), CiphertextBlob: blob.toString('base64') };
      },
    ),

    Encrypt: operation(
      z.strictObject({ KeyId, Plaintext: bytes(4096), EncryptionContext, EncryptionAlgorithm }),
      (input) => {
        const { keyId, arn, material } = usable(find(input.KeyId));
        const blob = encrypt(keyId, material, input.Plaintext, input.EncryptionContext);
        return { KeyId: arn, CiphertextBlob: blob.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
      },
    ),

    Decrypt: operation(
      z.strictObject({ CiphertextBlob: bytes(6144), KeyId: KeyId.optional(), EncryptionContext, EncryptionAlgorithm }),
      (input) => {
        const wanted = input.KeyId === undefined ? undefined : find(input.KeyId);
        const key = lookUp(keyIdOf(input.CiphertextBlob) ?? '');
        if (!key) throw invalidCiphertext();
        if (wanted && wanted !== key)
          throw new AwsError('IncorrectKeyException', 'The key in the request did not encrypt this ciphertext.');
        const plaintext = decrypt(usable(key).material, input.CiphertextBlob, input.EncryptionContext);
        if (!plaintext) throw invalidCiphertext();
        return { KeyId: key.arn, Plaintext: plaintext.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
      },
    ),

    DescribeKey: operation(z.strictObject({ KeyId }), (input) => {
      const { keyId, arn, createdAt, enabled } = find(input.KeyId);
      return {
        KeyMetadata: {
          ...{ AWSAccountId: accountId, KeyId: keyId, Arn: arn, CreationDate: createdAt, Enabled: enabled },
          ...{ KeyState: enabled ? 'Enabled' : 'Disabled', KeyUsage: 'ENCRYPT_DECRYPT', KeyManager: 'CUSTOMER' },
          ...{ KeySpec: 'SYMMETRIC_DEFAULT', EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] },
          ...{ Origin: 'AWS_KMS', MultiRegion: false },
        },
      };
    }),
  };

  return {
    definition: serviceOf({ service: 'kms', target: 'TrentService' }, operations),
    /** Creates an enabled key. `alias` must begin with `alias/`. If another key has the alias, the alias moves to the new key. */
    createKey(alias?: string): { readonly keyId: string; readonly arn: string } {
      const keyId = randomUUID();
      const arn = `${arnPrefix}key/${keyId}`;
      keys.set(keyId, { keyId, arn, material: randomBytes(32), createdAt: now(), enabled: true });
      if (alias !== undefined) aliases.set(alias, keyId);
      return { keyId, arn };
    },
    /** `identifier`: a key id, key ARN, alias name or alias ARN. */
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

const invalidCiphertext = (): AwsError =>
  new AwsError('InvalidCiphertextException', 'Not a ciphertext of this key with this encryption context.');
