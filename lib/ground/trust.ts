/** Whom to believe: what a trust may look like, and its digest. */
import { createHash, X509Certificate } from 'node:crypto';
import type { FlashBlade, Trust } from './model.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** One string per trust, equal only for equal trusts. Part of the key of everything that is kept per array. */
export function trustDigest(trust: Trust): string {
  const parts = trust.kind === 'ca' ? [trust.ca] : trust.kind === 'fingerprints' ? [...trust.fingerprints].sort() : [];
  return createHash('sha256')
    .update(JSON.stringify([trust.kind, ...parts]))
    .digest('base64url');
}

/** Where the array is, as it stands in messages and in the encryption context. */
export const addressOf = ({ host, port }: Pick<FlashBlade, 'host' | 'port'>): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** The certificates in a PEM text that has nothing else. */
export const certificatesOf = (pem: string): X509Certificate[] =>
  (pem.match(CERTIFICATE) ?? []).map((one) => new X509Certificate(one));

/** True for PEM text of one or more certificates and nothing else. */
export function isCertificates(pem: string): boolean {
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0 || pem.replace(CERTIFICATE, '').trim() !== '') return false;
  return certificates.every(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** 64 lower-case hex digits out of a SHA-256 fingerprint with or without colons; undefined for anything else. */
export function normalFingerprint(text: string): string | undefined {
  const pairs = /^[0-9a-f]{2}(:[0-9a-f]{2}){31}$/i.test(text);
  const digits = /^[0-9a-f]{64}$/i.test(text);
  return pairs || digits ? text.replaceAll(':', '').toLowerCase() : undefined;
}
