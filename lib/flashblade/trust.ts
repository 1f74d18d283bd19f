/** Validates trust settings, and derives their digest and the connection pool's keys. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { FlashBlade, Trust } from '../core/model.ts';

/** The smallest key that OpenSSL's security level accepts in a chain. The fingerprint check alone would accept a weaker key. */
const MIN_KEY_BITS = 2048;

/** The maximum number of entries in a cache. */
const MAX_REMEMBERED = 1024;

/** Caches digests by PEM text, because hashing the text for every request would take a tenth of the request time. */
const authorityDigests = new Map<string, string>();

/** Returns a digest of the trust settings. Different settings have different digests. */
export function trustDigest(trust: Trust): string {
  const known = trust.kind === 'ca' ? authorityDigests.get(trust.ca) : undefined;
  if (known !== undefined) return known;
  const parts = trust.kind === 'ca' ? [trust.ca] : trust.kind === 'fingerprints' ? [...trust.fingerprints].sort() : [];
  const digest = createHash('sha256')
    .update(JSON.stringify([trust.kind, ...parts]))
    .digest('base64url');
  if (trust.kind === 'ca') remember(authorityDigests, trust.ca, digest);
  return digest;
}

/** Returns the connection pool key for an array and its trust settings. Only connections with the same key are interchangeable. */
export const poolKeyOf = (array: FlashBlade): string => `${array.host} ${array.port} ${trustDigest(array.trust)}`;

/** Formats the array's address for messages and the encryption context. */
export const addressOf = ({ host, port }: Pick<FlashBlade, 'host' | 'port'>): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Returns the check that the array's certificate fails, worded for a message, or undefined if the certificate passes. */
export function failedCheck(
  trust: Extract<Trust, { kind: 'fingerprints' }>,
  certificate: X509Certificate | undefined,
  nowMs: number,
): string | undefined {
  if (certificate === undefined) return 'it presented no certificate';
  const fingerprint = normalFingerprint(certificate.fingerprint256);
  if (fingerprint === undefined || !trust.fingerprints.includes(fingerprint))
    return "its certificate's fingerprint is not in trust.fingerprints (a CA certificate belongs in trust.ca)";
  if (nowMs < certificate.validFromDate.getTime()) return 'its certificate is not valid yet';
  if (nowMs >= certificate.validToDate.getTime()) return 'its certificate has expired';
  const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_KEY_BITS) return `its certificate's key is too weak (${bits} bits)`;
  return undefined;
}

/** Normalizes a SHA-256 fingerprint, with or without colons, to 64 lowercase hex digits. Returns undefined for anything else. */
export function normalFingerprint(text: string): string | undefined {
  const pairs = /^[0-9a-f]{2}(:[0-9a-f]{2}){31}$/i.test(text);
  const digits = /^[0-9a-f]{64}$/i.test(text);
  return pairs || digits ? text.replaceAll(':', '').toLowerCase() : undefined;
}

const FINGERPRINT_RULE = 'must be a SHA-256 fingerprint: 64 hex digits, with or without colons';

const FINGERPRINT_MISTAKES: readonly (readonly [RegExp, string])[] = [
  [/^\s*$/, 'It is empty'],
  [/-----BEGIN/, 'It is a certificate. Use ca for a CA certificate'],
  [/^(sha-?256|fingerprint)/i, 'Remove everything before the digits'],
  [/^([\da-f]{40}|([\da-f]{2}:){19}[\da-f]{2})$/i, 'It looks like a SHA-1 fingerprint'],
  [/^[\da-f:\s-]+$/i, 'It has too few or too many digits, or separators other than colons'],
];

/** Returns why a string is not a fingerprint, worded to follow the field's name, or undefined. */
export function fingerprintFault(text: string): string | undefined {
  if (normalFingerprint(text) !== undefined) return undefined;
  const mistake = FINGERPRINT_MISTAKES.find(([pattern]) => pattern.test(text))?.[1];
  return mistake === undefined ? FINGERPRINT_RULE : `${FINGERPRINT_RULE}. ${mistake}`;
}

/** Stores `value` as the newest entry. If the map then has more than `max` entries, removes the oldest. */
export function remember<Value>(map: Map<string, Value>, key: string, value: Value, max = MAX_REMEMBERED): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
