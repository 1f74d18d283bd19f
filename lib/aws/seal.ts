/**
 * Seals each auth token with AES-256-GCM and a separate KMS data key. A sealed token is bound to its lease and to the array's name, host
 * and trust settings.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { FlashBladeError } from '../core/errors.ts';
import { type AuthToken, authToken } from '../core/model.ts';
import type { SealContext } from '../leases/items.ts';
import type { DataKey, Seal } from '../leases/ports.ts';
import { awsErrorName } from './aws-error.ts';
import { callAws } from './client.ts';

/** The variable that names the key. */
const KEY_SETTING = 'LEASE_KEY';
const ALTERED = ['InvalidCiphertextException', 'IncorrectKeyException'];
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Creates the port that seals tokens. `keyId` is the ARN, id or alias of a KMS key. */
export function createSeal(client: KMSClient, keyId: string): Seal {
  const dataKey: Seal['dataKey'] = async (context, by) => {
    const command = new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: context });
    const output = await callAws((options) => client.send(command, options), {
      what: 'get a data key from KMS',
      by,
      setting: KEY_SETTING,
    });
    if (output.Plaintext?.length !== KEY_BYTES || !output.CiphertextBlob) {
      throw new FlashBladeError('AWS_UNAVAILABLE', 'KMS returned no data key. Try again');
    }
    return { plaintext: output.Plaintext, encrypted: output.CiphertextBlob };
  };

  const unseal: Seal['unseal'] = async (sealed, context, by) => {
    const { key, nonce, box } = takeApart(sealed, context);
    const command = new DecryptCommand({ KeyId: keyId, CiphertextBlob: key, EncryptionContext: context });
    const about = { what: 'unseal an auth token with KMS', by, passed: ALTERED, setting: KEY_SETTING };
    const output = await callAws((options) => client.send(command, options), about).catch((error) => {
      throw ALTERED.includes(awsErrorName(error)) ? altered(context) : error;
    });
    if (output.Plaintext?.length !== KEY_BYTES) throw altered(context);
    return openBox(output.Plaintext, nonce, box, context);
  };

  return { dataKey, seal: sealToken, unseal };
}

/**
 * Returns the sealed token as `1.<encrypted key>.<nonce>.<ciphertext and tag>`, with each part in base64url. Overwrites the plaintext key.
 */
function sealToken(key: DataKey, token: AuthToken, context: SealContext): string {
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
  // Anyone with write access to the table could have written anything here.
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
    `could not unseal the auth token for lease ${leaseId} on array ${array}: the lease table item was changed or copied, or LEASE_KEY names a different key. Find out who made the change`,
  );
