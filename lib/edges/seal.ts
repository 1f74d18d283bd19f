/** Seals auth tokens: a data key of AWS KMS per lease and AES-256-GCM, bound to lease, array, host and trust. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { awsErrorName, callAws } from '../ground/aws.ts';
import { FlashBladeError, isFlashBladeError } from '../ground/errors.ts';
import { type AuthToken, authToken, type FlashBlade } from '../ground/model.ts';
import { addressOf, trustDigest } from '../ground/trust.ts';

const ALTERED = ['InvalidCiphertextException', 'IncorrectKeyException'];
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Whose token it is. KMS records it in CloudTrail: nothing of it is secret. */
export type SealContext = {
  readonly leaseId: string;
  readonly array: string;
  readonly host: string;
  readonly trust: string;
};
/** Good for one token. `plaintext` is overwritten when it has been used. */
export type DataKey = { readonly plaintext: Uint8Array; readonly encrypted: Uint8Array };

export type Seal = {
  /** Asks KMS for a data key. Throws AWS_UNAVAILABLE, OUT_OF_TIME. */
  dataKey(context: SealContext, by: number): Promise<DataKey>;
  /** Opens what `sealToken` made. Throws LEASE_ALTERED if it, or what it is bound to, was changed; AWS_UNAVAILABLE, OUT_OF_TIME. */
  unseal(sealed: string, context: SealContext, by: number): Promise<AuthToken>;
};

export const sealContext = (leaseId: string, target: FlashBlade): SealContext => ({
  leaseId,
  array: target.name,
  host: addressOf(target),
  trust: trustDigest(target.trust),
});

export function sealOf(client: KMSClient, keyId: string): Seal {
  async function dataKey(context: SealContext, by: number): Promise<DataKey> {
    const command = new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: context });
    const answer = await callAws((options) => client.send(command, options), { what: 'get a data key from KMS', by });
    if (answer.Plaintext?.length !== 32 || !answer.CiphertextBlob) {
      throw new FlashBladeError('AWS_UNAVAILABLE', 'KMS answered without a data key');
    }
    return { plaintext: answer.Plaintext, encrypted: answer.CiphertextBlob };
  }

  async function unseal(sealed: string, context: SealContext, by: number): Promise<AuthToken> {
    const { key, nonce, box } = takeApart(sealed, context);
    const command = new DecryptCommand({ KeyId: keyId, CiphertextBlob: key, EncryptionContext: context });
    const about = { what: 'unseal an auth token with KMS', by, passed: ALTERED };
    const answer = await callAws((options) => client.send(command, options), about).catch((error) => {
      throw ALTERED.includes(awsErrorName(error)) && !isFlashBladeError(error) ? altered(context) : error;
    });
    if (answer.Plaintext?.length !== 32) throw altered(context);
    return openBox(answer.Plaintext, nonce, box, context);
  }

  return { dataKey, unseal };
}

/** Seals a token; the result is text: `1.<encrypted key>.<nonce>.<ciphertext and tag>`, each base64url. */
export function sealToken(key: DataKey, token: AuthToken, context: SealContext): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.plaintext, nonce).setAAD(associated(context));
  const box = Buffer.concat([cipher.update(token.reveal(), 'utf8'), cipher.final(), cipher.getAuthTag()]);
  key.plaintext.fill(0);
  return ['1', ...[key.encrypted, nonce, box].map((part) => Buffer.from(part).toString('base64url'))].join('.');
}

function openBox(key: Uint8Array, nonce: Buffer, box: Buffer, context: SealContext): AuthToken {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(associated(context))
      .setAuthTag(box.subarray(-TAG_BYTES));
    return authToken(Buffer.concat([decipher.update(box.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8'));
  } catch {
    throw altered(context);
  } finally {
    key.fill(0);
  }
}

function takeApart(sealed: string, context: SealContext): { key: Buffer; nonce: Buffer; box: Buffer } {
  // An item that somebody wrote may hold anything.
  const [format, ...parts] = String(sealed).split('.');
  const [key, nonce, box] = parts.map((part) => Buffer.from(part, 'base64url'));
  const complete =
    format === '1' &&
    parts.length === 3 &&
    key?.length &&
    nonce?.length === NONCE_BYTES &&
    box &&
    box.length > TAG_BYTES;
  if (!complete) throw altered(context);
  return { key, nonce, box };
}

const associated = ({ leaseId, array, host, trust }: SealContext): Buffer =>
  Buffer.from(JSON.stringify([leaseId, array, host, trust]));

const altered = ({ leaseId, array }: SealContext): FlashBladeError =>
  new FlashBladeError(
    'LEASE_ALTERED',
    `the sealed token of lease ${leaseId} on array ${array} does not unseal: find out who changed or copied its item in the lease table, or whether the KMS key is another`,
  );
