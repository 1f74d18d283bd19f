/**
 * Describes a certificate as text that is safe to print. A certificate can contain control characters, which a terminal would interpret.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { normalFingerprint } from '../../lib/flashblade/trust.ts';

/** Dates have the form 2026-11-24T08:00:00.000Z. `daysLeft` is negative after expiry. */
export type CertificateFacts = {
  readonly subject: string;
  readonly issuer: string;
  /** Subject alternative names, such as `DNS:fb1.example.com, IP Address:192.0.2.1`, or an empty string. */
  readonly names: string;
  readonly validFrom: string;
  readonly validTo: string;
  readonly daysLeft: number;
  /** SHA-256 fingerprint, as 64 lowercase hex digits. */
  readonly fingerprint: string;
  /** Key type and size, such as `RSA, 2048 bits` or `EC, prime256v1`. */
  readonly key: string;
  readonly selfSigned: boolean;
};

const DAY_MS = 86_400_000;
const MAX_LENGTH = 500;

/** `now` is in milliseconds since the epoch. */
export function factsOf(certificate: X509Certificate, now: number): CertificateFacts {
  const { subject, issuer, subjectAltName, validFromDate, validToDate } = certificate;
  return {
    subject: nameText(subject),
    issuer: nameText(issuer),
    names: clean(subjectAltName),
    validFrom: validFromDate.toISOString(),
    validTo: validToDate.toISOString(),
    daysLeft: Math.floor((validToDate.getTime() - now) / DAY_MS),
    fingerprint: fingerprintOf(certificate),
    key: keyOf(certificate),
    selfSigned: isSelfSigned(certificate),
  };
}

/** Returns the SHA-256 fingerprint in the format that the array's secret uses. */
export const fingerprintOf = ({ fingerprint256 }: X509Certificate): string => normalFingerprint(fingerprint256) ?? '';

/** Joins the parts of a name, which Node returns on separate lines. */
const nameText = (name: string): string => clean(name.replaceAll('\n', ', '));

/** Reduces text to one line of printable characters. */
export function clean(text: string | undefined): string {
  const line = (text ?? '').replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)} …` : line;
}

function keyOf(certificate: X509Certificate): string {
  const key = publicKeyOf(certificate);
  const { modulusLength, namedCurve } = key?.asymmetricKeyDetails ?? {};
  const size = modulusLength === undefined ? namedCurve : `${modulusLength} bits`;
  return [key?.asymmetricKeyType?.toUpperCase() ?? 'unknown', size].filter((part) => part !== undefined).join(', ');
}

function isSelfSigned(certificate: X509Certificate): boolean {
  // Do not use checkIssued, which returns false if the certificate's key usage excludes signing certificates. An array's self-signed
  // certificate can have such a key usage.
  const key = publicKeyOf(certificate);
  return certificate.subject === certificate.issuer && key !== undefined && certificate.verify(key);
}

/** Returns undefined if OpenSSL does not support this kind of key. */
function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}
