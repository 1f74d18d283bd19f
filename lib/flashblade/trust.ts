/** Whom to trust at the other end of a connection: what a trust may contain, its digest, and the keys of caches per array and trust. */
import { createHash, X509Certificate } from 'node:crypto';
import type { FlashBlade, Trust } from '../core/model.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The smallest key that OpenSSL's security level accepts in a chain. A fingerprint alone would accept a weaker one. */
const MIN_KEY_BITS = 2048;

/** How many arrays and trusts a cache remembers. */
const MAX_REMEMBERED = 1024;

/** Digests by PEM text: hashing it for every request would take a tenth of the request's time. */
const authorityDigests = new Map<string, string>();

/** Returns one string per trust, equal only for equal trusts. */
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

/** One string per array and trust: only connections with the same key may replace each other. */
export const poolKeyOf = (array: FlashBlade): string => `${array.host} ${array.port} ${trustDigest(array.trust)}`;

/** The array's address, as messages and the encryption context write it. */
export const addressOf = ({ host, port }: Pick<FlashBlade, 'host' | 'port'>): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Returns which check the array's certificate fails, for a message; undefined if it passes. */
export function failedCheck(
  trust: Extract<Trust, { kind: 'fingerprints' }>,
  certificate: X509Certificate | undefined,
  nowMs: number,
): string | undefined {
  if (certificate === undefined) return 'it presented no certificate';
  const fingerprint = normalFingerprint(certificate.fingerprint256);
  if (fingerprint === undefined || !trust.fingerprints.includes(fingerprint))
    return "its certificate's fingerprint is not in trust.fingerprints (an authority's certificate belongs in trust.ca)";
  if (nowMs < certificate.validFromDate.getTime()) return 'its certificate is not valid yet';
  if (nowMs >= certificate.validToDate.getTime()) return 'its certificate has expired';
  const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_KEY_BITS) return `its certificate's key is too weak (${bits} bits)`;
  return undefined;
}

/** Returns 64 lower-case hex digits for a SHA-256 fingerprint with or without colons; undefined for anything else. */
export function normalFingerprint(text: string): string | undefined {
  const pairs = /^[0-9a-f]{2}(:[0-9a-f]{2}){31}$/i.test(text);
  const digits = /^[0-9a-f]{64}$/i.test(text);
  return pairs || digits ? text.replaceAll(':', '').toLowerCase() : undefined;
}

/** True for PEM text of one or more certificates and nothing else. */
export function isCertificates(pem: string): boolean {
  try {
    return certificatesOf(pem).length > 0 && pem.replace(CERTIFICATE, '').trim() === '';
  } catch {
    return false;
  }
}

/** Returns the certificates of a PEM text that contains nothing else. */
export const certificatesOf = (pem: string): X509Certificate[] =>
  (pem.match(CERTIFICATE) ?? []).map((one) => new X509Certificate(one));

/** Stores `value` as the most recent entry. Beyond `max` entries, removes the one that was stored first. */
export function remember<Value>(map: Map<string, Value>, key: string, value: Value, max = MAX_REMEMBERED): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
