/** Turns connection failures into errors that explain the cause to the person on call. */
import { X509Certificate } from 'node:crypto';
import { FlashBladeError } from '../core/errors.ts';
import type { FlashBlade } from '../core/model.ts';
import { redact, redactApiTokens, type Tokens } from '../core/redact.ts';
import { addressOf } from './trust.ts';

/**
 * `why` includes the code, so that readers can look it up. `advice` says what to change. For network errors, `why` also includes the
 * advice.
 */
export type Reason = {
  readonly about: 'network' | 'handshake' | 'certificate';
  readonly why: string;
  readonly advice: string;
};

/** Maps each code to the reason for the failure and the advice. */
type Reasons = Readonly<Record<string, readonly [why: string, advice: string]>>;

const UPDATE_TRUST =
  'If the certificate was replaced on purpose, update "trust" in the array\'s secret. Otherwise, find out which server is at this address.';
const REPLACE = "Replace the array's certificate.";
const ANOTHER_NAME = 'Use a name from the certificate as "host" in the array\'s secret, or replace the certificate.';
const OTHER_AUTHORITY = 'its certificate was not issued by a trusted CA';
const SUBTREE = [
  'a CA in its chain is not allowed to issue certificates for its name (name constraints)',
  REPLACE,
] as const;

/** The keys are Node's codes or, where Node has no code of its own, OpenSSL's error strings. */
const CERTIFICATES: Reasons = {
  CERT_HAS_EXPIRED: ["its certificate, or an issuer's, has expired", `Renew it. ${UPDATE_TRUST}`],
  CERT_NOT_YET_VALID: ["its certificate, or an issuer's, is not valid yet", `Check the clocks. ${UPDATE_TRUST}`],
  CERT_SIGNATURE_FAILURE: ["its certificate's signature, or an issuer's, is wrong", UPDATE_TRUST],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['its certificate is self-signed, not issued by a trusted CA', UPDATE_TRUST],
  ERR_TLS_CERT_ALTNAME_INVALID: ['its certificate is for a different name', `${ANOTHER_NAME} ${UPDATE_TRUST}`],
  INVALID_PURPOSE: ["its certificate is not meant for servers, or an issuer's is not meant for CAs", REPLACE],
  PATH_LENGTH_EXCEEDED: ['a CA in its chain is not allowed to certify other CAs (path length)', REPLACE],
  SELF_SIGNED_CERT_IN_CHAIN: [OTHER_AUTHORITY, UPDATE_TRUST],
  UNABLE_TO_GET_ISSUER_CERT: [
    'trust.ca has an intermediate CA, but not its root',
    'Add the root certificate to trust.ca.',
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [`${OTHER_AUTHORITY}, or the chain is incomplete`, UPDATE_TRUST],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    `${OTHER_AUTHORITY}, or the server does not send an intermediate certificate`,
    `${UPDATE_TRUST} Intermediate certificates belong on the array or in trust.ca.`,
  ],
  'CA certificate key too weak': ['the key of a CA in its chain is too weak', REPLACE],
  'CA signature digest algorithm too weak': [
    'a signature in its certificate chain is too weak, such as SHA-1',
    REPLACE,
  ],
  'EE certificate key too weak': ["its certificate's key is too weak, such as RSA with fewer than 2048 bits", REPLACE],
  'excluded subtree violation': SUBTREE,
  'key usage does not include certificate signing': ['a CA in its chain is not allowed to sign certificates', REPLACE],
  'permitted subtree violation': SUBTREE,
  'unhandled critical extension': ['its chain has a critical extension that this client does not support', REPLACE],
};

const CHECK_TLS = 'Check the TLS settings of the array, and of a load balancer or proxy in front of it.';
const CHECK_PORT = 'Check the port. It may serve plain HTTP, SSH or another protocol.';
const NOT_TLS = ['the response is not TLS', CHECK_PORT] as const;
const OLD_TLS = ['the server accepts neither TLS 1.2 nor TLS 1.3', 'Enable TLS 1.2 or newer on the array.'] as const;
const CLIENT_CERTIFICATE = [
  'the server requires a client certificate, which this client does not have',
  'Turn off client certificates (mutual TLS) for this address.',
] as const;

/** The keys are OpenSSL's reason codes. Those that begin with ALERT are alerts from the server. */
const HANDSHAKES: Reasons = {
  ALERT_ACCESS_DENIED: ['the server denied access, perhaps because it requires a client certificate', CHECK_TLS],
  ALERT_BAD_CERTIFICATE: CLIENT_CERTIFICATE,
  ALERT_CERTIFICATE_EXPIRED: CLIENT_CERTIFICATE,
  ALERT_CERTIFICATE_REQUIRED: CLIENT_CERTIFICATE,
  ALERT_CERTIFICATE_REVOKED: CLIENT_CERTIFICATE,
  ALERT_CERTIFICATE_UNKNOWN: CLIENT_CERTIFICATE,
  ALERT_HANDSHAKE_FAILURE: [
    'the server shares no cipher, curve or certificate type with this client, or it requires a client certificate',
    CHECK_TLS,
  ],
  ALERT_INSUFFICIENT_SECURITY: ['the server requires stronger ciphers than this client offers', CHECK_TLS],
  ALERT_INTERNAL_ERROR: ['the server reported an internal error', CHECK_TLS],
  ALERT_NO_APPLICATION_PROTOCOL: ['the server does not offer HTTP/1.1 (ALPN)', 'Enable HTTP/1.1 for this address.'],
  ALERT_PROTOCOL_VERSION: OLD_TLS,
  ALERT_UNKNOWN_CA: CLIENT_CERTIFICATE,
  ALERT_UNRECOGNIZED_NAME: ['the server does not serve this host name (SNI)', 'Correct "host" in the array\'s secret.'],
  ALERT_UNSUPPORTED_CERTIFICATE: CLIENT_CERTIFICATE,
  BAD_RECORD_TYPE: NOT_TLS,
  DATA_LENGTH_TOO_LONG: NOT_TLS,
  DH_KEY_TOO_SMALL: ["the server's DH key is too short", 'Enable ECDHE ciphers on the array.'],
  HTTP_REQUEST: NOT_TLS,
  PACKET_LENGTH_TOO_LONG: NOT_TLS,
  UNEXPECTED_MESSAGE: ['the response is not a TLS handshake', CHECK_PORT],
  UNSAFE_LEGACY_RENEGOTIATION_DISABLED: [
    'the server does not support secure renegotiation (RFC 5746)',
    `Update its software. ${CHECK_TLS}`,
  ],
  UNSUPPORTED_PROTOCOL: OLD_TLS,
  WRONG_VERSION_NUMBER: NOT_TLS,
};

/**
 * The alerts that mean that the server did not accept the handshake. In TLS 1.3, they may arrive after the client has sent its request. All
 * other alerts may also be sent later. In particular, `internal_error` does not reveal what the server did before.
 */
const REFUSALS = new Set(
  [
    ...[
      'HANDSHAKE_FAILURE',
      'BAD_CERTIFICATE',
      'UNSUPPORTED_CERTIFICATE',
      'CERTIFICATE_REVOKED',
      'CERTIFICATE_EXPIRED',
    ],
    ...[
      'CERTIFICATE_UNKNOWN',
      'UNKNOWN_CA',
      'ACCESS_DENIED',
      'DECRYPT_ERROR',
      'PROTOCOL_VERSION',
      'INSUFFICIENT_SECURITY',
    ],
    ...[
      'MISSING_EXTENSION',
      'UNSUPPORTED_EXTENSION',
      'UNRECOGNIZED_NAME',
      'UNKNOWN_PSK_IDENTITY',
      'CERTIFICATE_REQUIRED',
    ],
    'NO_APPLICATION_PROTOCOL',
  ].map((alert) => `ALERT_${alert}`),
);

const NO_ROUTE = 'there is no route to it; check the network';
const NOT_ALLOWED = 'this machine does not allow the connection; check its firewall';
const NETWORK: Readonly<Record<string, string>> = {
  EACCES: NOT_ALLOWED,
  EADDRNOTAVAIL: 'this machine has no free port or no suitable address; check its network',
  EAI_AGAIN: 'the name server does not respond; check DNS',
  ECONNREFUSED: 'it refuses connections on this port; check that the management service is up',
  ECONNRESET: 'the connection was cut before TLS was established; check the port, and any proxy or firewall in between',
  EHOSTUNREACH: NO_ROUTE,
  EMFILE: 'this process has too many open files; make fewer calls at the same time',
  ENETUNREACH: NO_ROUTE,
  ENOTFOUND: 'its host name is unknown; check DNS and "host" in its secret',
  EPERM: NOT_ALLOWED,
  ETIMEDOUT: 'it does not respond; check the network and the firewalls',
};
const NO_ADDRESS = 'none of its addresses accepts a connection; check the network and the management service';
const MAX_NAME_LENGTH = 200;

/** Formats an array for messages, such as `array fb1 (fb1.example.com:443)`. */
export const describeArray = (array: FlashBlade): string => `array ${array.name} (${addressOf(array)})`;

/** Returns an error's code, or `unknown` if the error has none. The message is not used, because it may quote data that was sent. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_/]{1,63}$/.test(code) ? code : 'unknown';
}

/** Returns the error for a connection that took too long or was closed. `tried` lists the outcome for each address. */
export const unreachable = (array: FlashBlade, what: string, elapsedMs: number, tried = ''): FlashBladeError => {
  const addresses = tried === '' ? '' : ` Addresses: ${tried}.`;
  return new FlashBladeError(
    'ARRAY_UNREACHABLE',
    `${describeArray(array)} cannot be reached: ${what} (after ${Math.round(elapsedMs)} ms).${addresses} Nothing was sent.`,
    { sent: false },
  );
};

/** Returns the error for a server whose certificate fails verification. `tokens` are redacted from the certificate text. */
export const untrusted = (
  array: FlashBlade,
  check: string,
  certificate?: X509Certificate,
  tokens: Tokens = [],
  advice = UPDATE_TRUST,
): FlashBladeError =>
  new FlashBladeError(
    'ARRAY_UNTRUSTED',
    `${describeArray(array)} is not trusted: ${check}.${presentedBy(certificate, tokens)} Nothing was sent. ${advice}`,
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
  const { about, why, advice } = reasonOf(error);
  if (about === 'network') return unreachable(array, why, elapsedMs);
  if (about === 'handshake') return failedHandshake(array, why, 'Nothing was sent', advice);
  return untrusted(array, why, presented && new X509Certificate(presented), tokens, advice);
}

/** Returns the error for a host that does not accept a TCP connection at any address. `code` and `tried` come from `connectTcp`. */
export const notConnected = (array: FlashBlade, code: string | undefined, elapsedMs: number, tried: string) =>
  unreachable(array, networkReason(code), elapsedMs, tried);

/**
 * Returns the error for an alert that arrived after the request was sent, if the alert means that the server did not accept the handshake
 * and so never read the request.
 */
export function lateRefusal(array: FlashBlade, code: string): FlashBladeError | undefined {
  const reason = opensslReason(code);
  if (!REFUSALS.has(reason)) return undefined;
  const { why, advice } = handshakeReason(code);
  return failedHandshake(array, why, 'The server did not read the request', advice);
}

const failedHandshake = (array: FlashBlade, why: string, outcome: string, advice: string): FlashBladeError =>
  new FlashBladeError('ARRAY_UNTRUSTED', `${describeArray(array)}: ${why}. ${outcome}. ${advice}`, { sent: false });

/** Returns why a connection failed. */
export function reasonOf(error: unknown): Reason {
  const code = codeOf(error);
  // Matches codes such as ECONNRESET and EAI_AGAIN, but not ERR_…, EPROTO (TLS) or EE_… (certificates).
  if (/^(E[A-Z0-9]+|EAI_[A-Z]+)$/.test(code) && code !== 'EPROTO') {
    return { about: 'network', why: networkReason(code), advice: '' };
  }
  const isCertificate = CERTIFICATES[code] !== undefined || !/^(ERR_|EPROTO$|unknown$)/.test(code);
  return isCertificate ? certificateReason(code, error) : handshakeReason(code);
}

/** Returns why no address accepts a TCP connection. `code` comes from `connectTcp`. */
export const networkReason = (code: string | undefined): string =>
  code === undefined ? NO_ADDRESS : (NETWORK[code] ?? `the connection failed (${code})`);

function certificateReason(code: string, error: unknown): Reason {
  // OpenSSL's error strings are constants, so they contain no data.
  const text =
    code === 'UNSPECIFIED' && error instanceof Error && /^[\w ]{1,80}$/.test(error.message) ? error.message : code;
  const [what, advice] = CERTIFICATES[text] ?? ['its certificate was not accepted', UPDATE_TRUST];
  return { about: 'certificate', why: `${what} (${text})`, advice };
}

function handshakeReason(code: string): Reason {
  const [what, advice] = HANDSHAKES[opensslReason(code)] ?? [undefined, CHECK_TLS];
  const because = what === undefined ? '' : `, because ${what}`;
  return { about: 'handshake', why: `the TLS handshake failed${because} (${code})`, advice };
}

/** Reduces Node's code to OpenSSL's reason code. The prefix of an alert depends on the version of OpenSSL. */
const opensslReason = (code: string): string =>
  code.replace(/^ERR_SSL_/, '').replace(/^(SSL\/TLS|SSLV3|TLSV13?)_(ALERT_)?/, 'ALERT_');

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
