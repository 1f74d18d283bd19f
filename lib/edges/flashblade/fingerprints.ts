/** Whether a certificate is one of those that an array is known by. */
import type { X509Certificate } from 'node:crypto';
import type { Trust } from '../../ground/model.ts';
import { normalFingerprint } from '../../ground/trust.ts';

/** What OpenSSL's security level asks of a chain; a fingerprint alone would let a weaker key pass. */
const MIN_KEY_BITS = 2048;

/** Which check the certificate fails, in words; undefined if none. */
export function failedCheck(
  trust: Extract<Trust, { kind: 'fingerprints' }>,
  certificate: X509Certificate | undefined,
  nowMs: number,
): string | undefined {
  if (certificate === undefined) return 'it presented no certificate';
  const fingerprint = normalFingerprint(certificate.fingerprint256);
  if (fingerprint === undefined || !trust.fingerprints.includes(fingerprint))
    return "the fingerprint of its certificate is none of those in trust.fingerprints (an authority's belongs into trust.ca)";
  if (nowMs < certificate.validFromDate.getTime()) return 'its certificate is not valid yet';
  if (nowMs >= certificate.validToDate.getTime()) return 'its certificate has expired';
  const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_KEY_BITS) return `the key of its certificate is too weak (${bits} bits)`;
  return undefined;
}
