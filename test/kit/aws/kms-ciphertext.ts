/** KMS ciphertexts. Each one names its key, and can be decrypted only with that key and the same context. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export type EncryptionContext = Readonly<Record<string, string>>;

/** Layout: magic, key id (a UUID), nonce, tag, encrypted bytes. The header and the context are authenticated. */
const MAGIC = 'KMS1';
const HEADER_BYTES = MAGIC.length + 36;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `key` is 32 bytes long. */
export function encrypt(keyId: string, key: Buffer, plaintext: Buffer, context: EncryptionContext): Buffer {
  const header = Buffer.from(`${MAGIC}${keyId}`, 'latin1');
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(header, context));
  const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, nonce, cipher.getAuthTag(), encrypted]);
}

/** Returns the id of the key that encrypted the bytes, or undefined if they are not a KMS ciphertext. */
export function keyIdOf(blob: Buffer): string | undefined {
  const header = blob.subarray(0, HEADER_BYTES).toString('latin1');
  const complete = blob.length > HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
  return complete && header.startsWith(MAGIC) ? header.slice(MAGIC.length) : undefined;
}

/** Returns the plaintext, or undefined if the key or context is wrong or any bit was changed. */
export function decrypt(key: Buffer, blob: Buffer, context: EncryptionContext): Buffer | undefined {
  const [afterNonce, afterTag] = [HEADER_BYTES + NONCE_BYTES, HEADER_BYTES + NONCE_BYTES + TAG_BYTES];
  const nonce = blob.subarray(HEADER_BYTES, afterNonce);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(blob.subarray(0, HEADER_BYTES), context));
  decipher.setAuthTag(blob.subarray(afterNonce, afterTag));
  try {
    return Buffer.concat([decipher.update(blob.subarray(afterTag)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Sorted, because the client can send the pairs in any order. */
function associatedData(header: Buffer, context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([left], [right]) => (left < right ? -1 : 1));
  return Buffer.concat([header, Buffer.from(JSON.stringify(pairs))]);
}
