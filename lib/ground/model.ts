/** The words of the product as types. Imports nothing of the project. */
import { inspect } from 'node:util';

/** A secret string that does not print: `${token}`, JSON and console.log give `[API token]` or `[auth token]`. */
class Token<Kind extends string> {
  readonly kind: Kind;
  readonly #value: string;

  constructor(kind: Kind, value: string) {
    this.kind = kind;
    this.#value = value;
    Object.freeze(this);
  }

  /** The only way out of the wrapper. Search the code for it: every place that sees a token is there. */
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

/** Long-lived token of an array's user, sent once per login in the header `api-token`. */
export type ApiToken = Token<'API token'>;
/** Short-lived token of one session, sent in the header `x-auth-token`. */
export type AuthToken = Token<'auth token'>;

export const apiToken = (value: string): ApiToken => new Token('API token', value);
export const authToken = (value: string): AuthToken => new Token('auth token', value);

/**
 * Whom to believe at the other end of a TLS connection.
 * - `public`: the certificate authorities that Node.js ships.
 * - `ca`: PEM text of a private certificate authority.
 * - `fingerprints`: SHA-256 of the array's own certificate, 64 lower-case hex digits each: the current one and, during a
 *   change of certificates, the next. They stand in for chain and name, not for the dates.
 */
export type Trust =
  | { readonly kind: 'public' }
  | { readonly kind: 'ca'; readonly ca: string }
  | { readonly kind: 'fingerprints'; readonly fingerprints: readonly string[] };

/** One FlashBlade: where it is and whom to believe there. Holds nothing secret. */
export type FlashBlade = {
  /** Its name in the fleet; names the secret, too. */
  readonly name: string;
  /** DNS name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly trust: Trust;
};

/** From login to logout on one array. Whoever holds it can act as its user: never log, store or return it. */
export type Session = {
  readonly array: FlashBlade;
  readonly authToken: AuthToken;
  /** The API token with which it was opened, if that is known: only so that responses that repeat it can be redacted. */
  readonly apiToken?: ApiToken;
  readonly username: string;
};

/** What callers hold in the place of a session. `expiresAt` in seconds since the epoch. */
export type Lease = {
  readonly leaseId: string;
  readonly array: string;
  readonly username: string;
  readonly expiresAt: number;
};
