/** Turns connection failures into errors that explain the cause to the person on call. */
import { X509Certificate } from 'node:crypto';
import { FlashBladeError } from '../core/errors.ts';
import type { FlashBlade } from '../core/model.ts';
import { redact, redactApiTokens, type Tokens } from '../core/redact.ts';
import { addressOf } from './trust.ts';

const OTHER_AUTHORITY = 'its certificate was not issued by a trusted authority';
const CHECKS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate, or an issuer's, has expired",
  CERT_NOT_YET_VALID: "its certificate, or an issuer's, is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed, not issued by a trusted authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for a different name',
  INVALID_PURPOSE: 'its certificate is not meant for servers',
  SELF_SIGNED_CERT_IN_CHAIN: OTHER_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OTHER_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OTHER_AUTHORITY,
};
const UNREACHABLE: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'the name server does not respond; check DNS',
  ECONNREFUSED: 'it refuses connections on this port; check that the management service is up',
  ECONNRESET: 'the connection was cut before TLS was established',
  EHOSTUNREACH: "there is no route to it; check the function's network",
  ENETUNREACH: "there is no route to it; check the function's network",
  ENOTFOUND: 'its host name is unknown; check DNS and "host" in its secret',
};
const MAX_NAME_LENGTH = 200;

/** Formats an array for messages, such as `array fb1 (fb1.example.com:443)`. */
export const describeArray = (array: FlashBlade): string => `array ${array.name} (${addressOf(array)})`;

/** Returns an error's code, or `unknown` if the error has none. The message is not used, because it may quote data that was sent. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : 'unknown';
}

/** Returns the error for a connection that took too long or was closed. */
export const unreachable = (array: FlashBlade, what: string, elapsedMs: number): FlashBladeError =>
  new FlashBladeError(
    'ARRAY_UNREACHABLE',
    `${describeArray(array)} cannot be reached: ${what} (after ${Math.round(elapsedMs)} ms). Nothing was sent.`,
    { sent: false },
  );

/**
 * Returns the error for a server that fails verification or the TLS handshake. `tokens` are redacted from the certificate text.
 */
export const untrusted = (
  array: FlashBlade,
  check: string,
  certificate?: X509Certificate,
  tokens: Tokens = [],
): FlashBladeError =>
  new FlashBladeError(
    'ARRAY_UNTRUSTED',
    `${describeArray(array)} is not trusted: ${check}.${presentedBy(certificate, tokens)} Nothing was sent. ` +
      'If the certificate was replaced on purpose, update "trust" in the array\'s secret. Otherwise, find out which server is at this address.',
    { sent: false },
  );

/**
 * Turns a Node connection error into ARRAY_UNREACHABLE or ARRAY_UNTRUSTED. `presented` is the server's certificate in DER format, if it
 * arrived.
 */
export function connectionError(
  array: FlashBlade,
  error: unknown,
  elapsedMs: number,
  presented?: Buffer,
  tokens: Tokens = [],
): FlashBladeError {
  const code = codeOf(error);
  if (isNetworkCode(code)) return unreachable(array, UNREACHABLE[code] ?? code, elapsedMs);
  const check = CHECKS[code] ?? (presented ? 'its certificate was not accepted' : 'the TLS handshake failed');
  return untrusted(array, `${check} (${code})`, presented && new X509Certificate(presented), tokens);
}

// Matches codes such as ECONNRESET and EAI_AGAIN, but not ERR_…, EPROTO (TLS) or EE_… (certificates).
const isNetworkCode = (code: string): boolean => /^(E[A-Z0-9]+|EAI_[A-Z]+)$/.test(code) && code !== 'EPROTO';

function presentedBy(certificate: X509Certificate | undefined, tokens: Tokens): string {
  if (certificate === undefined) return '';
  const { subjectAltName, subject, issuer, validFrom, validTo, fingerprint256 } = certificate;
  const clean = (text: string | undefined): string => cleaned(text, tokens);
  return (
    ` It presented a certificate for ${clean(subjectAltName ?? subject)}, issued by ${clean(issuer)}, ` +
    `valid from ${clean(validFrom)} to ${clean(validTo)}, SHA-256 fingerprint ${fingerprint256}.`
  );
}

// A certificate can contain any text or none. For an empty name, Node returns undefined, contrary to its types.
function cleaned(text: string | undefined, tokens: Tokens): string {
  if (text === undefined) return 'no name';
  // Redact before truncating, because redaction would miss a truncated token.
  return redactApiTokens(redact(text.replaceAll(/[\p{C}\s]+/gu, ' '), tokens)).slice(0, MAX_NAME_LENGTH);
}
