/** The domain types: tokens, arrays, sessions, leases. */
import { inspect } from 'node:util';

/** A secret string that does not print: `${token}`, JSON and console.log show `[API token]` or `[auth token]`. */
class Token<Kind extends string> {
  readonly kind: Kind;
  readonly #value: string;

  constructor(kind: Kind, value: string) {
    this.kind = kind;
    this.#value = value;
    Object.freeze(this);
  }

  /** Returns the secret. This is the only way to get it, so a search for `reveal(` finds all code that sees a token. */
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

/** Long-lived token of an array's user. Sent once per login in the header `api-token`. */
export type ApiToken = Token<'API token'>;
/** Short-lived token of one session. Sent in the header `x-auth-token`. */
export type AuthToken = Token<'auth token'>;

export const apiToken = (value: string): ApiToken => new Token('API token', value);
export const authToken = (value: string): AuthToken => new Token('auth token', value);

/**
 * How to verify an array's TLS certificate.
 * - `public`: by the certificate authorities that Node.js ships.
 * - `ca`: by a private certificate authority, as PEM text.
 * - `fingerprints`: by the SHA-256 of the array's own certificate, each 64 lower-case hex digits: the current one and, while
 *   certificates change, the next. They replace the check of chain and host name, not of the validity dates.
 */
export type Trust =
  | { readonly kind: 'public' }
  | { readonly kind: 'ca'; readonly ca: string }
  | { readonly kind: 'fingerprints'; readonly fingerprints: readonly string[] };

/** One FlashBlade: where it is and how to verify its certificate. Contains no secret. */
export type FlashBlade = {
  /** Its name in the fleet. Its secret has the same name, after a prefix. */
  readonly name: string;
  /** DNS name or IP address. IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly trust: Trust;
};

/** From login to logout on one array. Its auth token gives the user's full access: never log, store or return a session. */
export type Session = {
  readonly array: FlashBlade;
  readonly authToken: AuthToken;
  /** The API token that opened it, if known. Its only use is to redact it from responses that repeat it. */
  readonly apiToken?: ApiToken;
  readonly username: string;
};

/** What callers get instead of a session. `expiresAt` is in seconds since the epoch. */
export type Lease = {
  readonly leaseId: string;
  readonly array: string;
  readonly username: string;
  readonly expiresAt: number;
};
