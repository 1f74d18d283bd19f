/** The domain types: tokens, arrays, sessions and leases. */
import { inspect } from 'node:util';
import { FlashBladeError } from './errors.ts';
import { unreplaced } from './unreplaced.ts';

/**
 * A secret string that cannot be printed by accident. `${token}`, JSON.stringify and console.log show only `[API token]` or `[auth token]`.
 */
class Token<Kind extends string> {
  readonly kind: Kind;
  readonly #value: string;

  constructor(kind: Kind, value: string) {
    this.kind = kind;
    this.#value = value;
    Object.freeze(this);
  }

  /** Returns the secret. No other member does, so a search for `reveal(` finds all code that can see a token. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return `[${this.kind}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Long-lived token for an array user, sent once per login in the `api-token` header. */
export type ApiToken = Token<'API token'>;
/** Short-lived token for one session, sent in the `x-auth-token` header. */
export type AuthToken = Token<'auth token'>;

/** Wraps an API token. Throws REQUEST_INVALID unless the token is a string, because a missing value would be sent as `undefined`. */
export function apiToken(value: string): ApiToken {
  if (typeof value === 'string') return new Token('API token', value);
  throw new FlashBladeError(
    'REQUEST_INVALID',
    'apiToken(…) must be called with a string. Is the variable that contains the token set?',
  );
}
export const authToken = (value: string): AuthToken => new Token('auth token', value);

/**
 * How to verify an array's TLS certificate.
 * - `public`: with the certificate authorities that ship with Node.js.
 * - `ca`: with a private certificate authority, as PEM text.
 * - `fingerprints`: with the SHA-256 fingerprint of the array's own certificate, as 64 lowercase hex digits. During a certificate change,
 *   list both the current fingerprint and the next one. Fingerprints replace the chain and host name checks. Validity dates are still
 *   checked.
 */
export type Trust =
  | { readonly kind: 'public' }
  | { readonly kind: 'ca'; readonly ca: string }
  | { readonly kind: 'fingerprints'; readonly fingerprints: readonly string[] };

/** One FlashBlade: its address, and how to verify its certificate. Contains no secrets. */
export type FlashBlade = {
  /** The array's name in the fleet. The array's secret is named `SECRET_PREFIX` followed by this name. */
  readonly name: string;
  /** DNS name or IP address. An IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
  readonly trust: Trust;
};

/**
 * One session on one array, from login to logout. The auth token grants all of the user's permissions, so never log, store or return a
 * session.
 */
export type Session = {
  readonly array: FlashBlade;
  readonly authToken: AuthToken;
  /** The API token that opened the session, if known. Used only to redact the token from responses that repeat it. */
  readonly apiToken?: ApiToken;
  readonly username: string;
};

/** The result that callers receive instead of a session. `expiresAt` is in seconds since the epoch. */
export type Lease = {
  readonly leaseId: string;
  readonly array: string;
  readonly username: string;
  readonly expiresAt: number;
};

export const TOKEN_RULE = 'must be the API token: 1 to 1024 visible ASCII characters without spaces';

const TOKEN_MISTAKES: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'It is empty'],
  [/^\[(API|auth) token\]$/, 'It is the placeholder for a token in logs and JSON. Pass the token itself'],
  [/^\s*["'`\u2018-\u201f]|["'`\u2018-\u201f]\s*$/, 'Remove the quotation marks'],
  [
    /^\s*(api[-_]?token|x-auth-token|authorization|bearer|token)\s*[:=\s]/i,
    'Keep only the token, without the words before it',
  ],
  [/^\s|\s$/, 'Remove the spaces and line breaks around it'],
  [/\s/, 'Remove the spaces and line breaks in it'],
  [/[^!-~]/, 'It contains a character that no token contains. Copy the token from the array again'],
  [/.{1025}/, 'It is too long'],
];

/** Returns why a string cannot be an API token, worded to follow `apiToken `, or undefined. */
export function tokenFault(text: string): string | undefined {
  const mistake = TOKEN_MISTAKES.find(([pattern]) => pattern.test(text))?.[1];
  return mistake === undefined ? unreplaced(text) : `${TOKEN_RULE}. ${mistake}`;
}
