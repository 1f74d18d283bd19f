/** The rules for a trust as people write it, and the usual mistakes. Messages never contain the value. */
import { isCertificates, normalFingerprint } from './trust.ts';

const CA_RULE = 'must be one or more certificates as PEM text, and nothing else';

const CA_MISTAKES: readonly (readonly [RegExp, string])[] = [
  [/^\s*$/, 'It is empty'],
  [/PRIVATE KEY/, 'It contains a private key. Remove the key, and replace it if others could read it'],
  [/^\s*[\da-f:]{64,95}\s*$/i, 'It looks like a fingerprint. Use fingerprints instead of ca'],
  [
    /\\[nr]/,
    'It contains the characters \\n instead of line breaks, so it was escaped twice. In JSON, write \\n once per line',
  ],
  [/^[^\r\n]{0,1000}\.(pem|crt|cer|der)\s*$/i, 'It looks like the name of a file. Use the contents of the file'],
  [/-----BEGIN (?!CERTIFICATE-----)/, 'Keep only the parts that begin with -----BEGIN CERTIFICATE-----'],
  [/^(?![\s\S]*-----BEGIN CERTIFICATE-----)/, 'A line -----BEGIN CERTIFICATE----- is missing'],
  [/^(?![\s\S]*-----END CERTIFICATE-----)/, 'A line -----END CERTIFICATE----- is missing, so it was cut off'],
  [
    /-----BEGIN CERTIFICATE-----[^\r\n]|[^\r\n]-----END CERTIFICATE-----/,
    'Its line breaks were lost. In JSON, write them as \\n',
  ],
];

/** Returns why a text is not the PEM text of certificates, worded to follow `trust.ca `, or undefined. */
export function caFault(text: string): string | undefined {
  if (isCertificates(text)) return undefined;
  const mistake = CA_MISTAKES.find(([pattern]) => pattern.test(text))?.[1];
  return `${CA_RULE}. ${mistake ?? 'A certificate is damaged, or there is other text around it. Export it again'}`;
}

const FINGERPRINT_RULE = 'must be a SHA-256 fingerprint: 64 hex digits, with or without colons';

const FINGERPRINT_MISTAKES: readonly (readonly [RegExp, string])[] = [
  [/^\s*$/, 'It is empty'],
  [/-----BEGIN/, 'It is a certificate. Use ca for the certificate of an authority'],
  [/^(sha-?256|fingerprint)/i, 'Remove everything before the digits'],
  [/^([\da-f]{40}|([\da-f]{2}:){19}[\da-f]{2})$/i, 'It looks like a SHA-1 fingerprint'],
  [/^[\da-f:\s-]+$/i, 'It has too few or too many digits, or separators other than colons'],
];

/** Returns why a text is not a fingerprint, worded to follow the field's name, or undefined. */
export function fingerprintFault(text: string): string | undefined {
  if (normalFingerprint(text) !== undefined) return undefined;
  const mistake = FINGERPRINT_MISTAKES.find(([pattern]) => pattern.test(text))?.[1];
  return mistake === undefined ? FINGERPRINT_RULE : `${FINGERPRINT_RULE}. ${mistake}`;
}
