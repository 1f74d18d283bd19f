import { DecryptCommand, GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';

const EncryptionContext = { leaseId: 'lease-1', array: 'fb1' };

/** A data key under a new KMS key. */
async function withDataKey() {
  const { aws, kms } = await awsWithClients();
  const key = aws.kms.createKey();
  const command = new GenerateDataKeyCommand({ KeyId: key.arn, KeySpec: 'AES_256', EncryptionContext });
  const { Plaintext, CiphertextBlob = new Uint8Array(), KeyId } = await kms.send(command);
  const decrypt = (input: Partial<DecryptCommand['input']> = {}) =>
    kms.send(new DecryptCommand({ KeyId: key.arn, CiphertextBlob, EncryptionContext, ...input }));
  return { aws, kms, key, Plaintext, CiphertextBlob, KeyId, decrypt };
}

describe('data keys', () => {
  test('a data key is 32 bytes, names its KMS key, and decrypts to the same bytes', async () => {
    const { key, Plaintext, CiphertextBlob, KeyId, decrypt } = await withDataKey();
    expect(Plaintext).toHaveLength(32);
    expect(KeyId).toBe(key.arn);
    expect(Buffer.from(CiphertextBlob).includes(Buffer.from(Plaintext ?? []))).toBe(false);
    expect(await decrypt()).toMatchObject({ Plaintext, KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
  });

  test('two data keys differ', async () => {
    const { kms, key, Plaintext, CiphertextBlob } = await withDataKey();
    const again = await kms.send(new GenerateDataKeyCommand({ KeyId: key.arn, KeySpec: 'AES_256' }));
    expect(again.Plaintext).not.toEqual(Plaintext);
    expect(again.CiphertextBlob).not.toEqual(CiphertextBlob);
  });

  test.each([{}, { KeySpec: 'AES_128' as const }, { KeySpec: 'AES_256' as const, NumberOfBytes: 32 }])(
    'the size %j is refused',
    async (size) => {
      const { kms, key } = await withDataKey();
      const command = new GenerateDataKeyCommand({ KeyId: key.arn, ...size });
      await expect(kms.send(command)).rejects.toMatchObject({ name: 'ValidationException' });
    },
  );
});

describe('decryption', () => {
  test.each([
    ['missing', undefined],
    ['changed in a value', { ...EncryptionContext, array: 'fb2' }],
    ['changed in case', { ...EncryptionContext, array: 'FB1' }],
    ['longer', { ...EncryptionContext, host: 'fb1.example.com' }],
    ['shorter', { leaseId: 'lease-1' }],
    ['one pair that reads like two', { array: 'fb1"],["leaseId","lease-1' }],
  ])('an encryption context that is %s does not decrypt', async (_how, context) => {
    const { decrypt } = await withDataKey();
    await expect(decrypt({ EncryptionContext: context })).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  });

  test('the order of the encryption context does not matter', async () => {
    const { Plaintext, decrypt } = await withDataKey();
    const reversed = { array: 'fb1', leaseId: 'lease-1' };
    await expect(decrypt({ EncryptionContext: reversed })).resolves.toMatchObject({ Plaintext });
  });

  test('a ciphertext with a flipped bit in any byte, or cut short, does not decrypt', async () => {
    const { CiphertextBlob, decrypt } = await withDataKey();
    for (let index = 0; index < CiphertextBlob.length; index += 1) {
      const flipped = CiphertextBlob.map((byte, at) => (at === index ? byte ^ 1 : byte));
      await expect(decrypt({ CiphertextBlob: flipped })).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
    }
    for (const length of [1, 40, CiphertextBlob.length - 1])
      await expect(decrypt({ CiphertextBlob: CiphertextBlob.slice(0, length) })).rejects.toMatchObject({
        name: 'InvalidCiphertextException',
      });
  });

  test('another key is refused', async () => {
    const { aws, decrypt } = await withDataKey();
    const { arn: KeyId } = aws.kms.createKey();
    await expect(decrypt({ KeyId })).rejects.toMatchObject({ name: 'IncorrectKeyException' });
  });
});

test.each(['alias/leases', '00000000-0000-4000-8000-000000000000'])('the unknown key %s is refused', async (KeyId) => {
  const { kms, decrypt } = await withDataKey();
  const error = { name: 'NotFoundException' };
  await expect(kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))).rejects.toMatchObject(error);
  await expect(decrypt({ KeyId })).rejects.toMatchObject(error);
});

describe('a key that is not enabled', () => {
  test.each([
    ['PendingDeletion', 'KMSInvalidStateException', 'pending deletion'],
    ['Disabled', 'DisabledException', 'disabled'],
  ] as const)('is refused in the state %s, for new and for existing data keys', async (state, name, why) => {
    const { aws, kms, key, Plaintext, decrypt } = await withDataKey();
    aws.kms.setState(key.arn, state);
    const error = { name, message: `${key.arn} is ${why}.`, $metadata: { httpStatusCode: 400 } };
    const command = new GenerateDataKeyCommand({ KeyId: key.arn, KeySpec: 'AES_256', EncryptionContext });
    await expect(kms.send(command)).rejects.toMatchObject(error);
    await expect(decrypt()).rejects.toMatchObject(error);
    aws.kms.setState(key.arn, 'Enabled');
    expect(await decrypt()).toMatchObject({ Plaintext });
  });
});
