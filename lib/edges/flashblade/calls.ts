/** What all calls to an array have in common: how they are asked for and how they are told. */
import { FlashBladeError } from '../../ground/errors.ts';
import type { ApiToken, AuthToken, FlashBlade } from '../../ground/model.ts';
import { describeArray } from './tls-errors.ts';
import { type Answer, type Budget, isHeaderValue } from './transport.ts';

/** Time budget, and the id that the array is told as `X-Request-ID` (default a random UUID). */
export type CallOptions = Budget & { readonly requestId?: string };

export type HttpInfo = {
  readonly status: number;
  /** Names in lower case; never `x-auth-token` and `set-cookie`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string;
  /**
   * When the first of the certificates ends by which the array was verified, in seconds since the epoch: its own, or that of an authority
   * behind it, the root included. Under fingerprints its own alone counts.
   */
  readonly certificateEndsAt?: number;
};
export type WithHttpInfo<Data> = HttpInfo & { readonly data: Data };

/** The value of a token if it can stand in a header; else throws `code`, without the value. */
export function sendable(
  token: ApiToken | AuthToken,
  array: FlashBlade,
  code: 'SECRET_INVALID' | 'REQUEST_INVALID',
): string {
  const value = token.reveal();
  if (isHeaderValue(value)) return value;
  const rule = `its ${token.kind} must be 1 to 1024 visible ASCII characters without spaces`;
  throw new FlashBladeError(code, `${describeArray(array)}: ${rule}`, { sent: false });
}

/** What callers may see of an answer: no header that gives access, and no copy of these tokens. */
export function httpInfo(answer: Answer, ...tokens: readonly (ApiToken | AuthToken)[]): HttpInfo {
  const { status, requestId, certificateEndsAt } = answer;
  const headers: Record<string, string> = {};
  // Names are told in lower case.
  const secrets = tokens.map((token) => token.reveal().toLowerCase());
  for (const name in answer.headers) {
    if (name === 'x-auth-token' || name === 'set-cookie' || holdsOne(name, secrets)) continue;
    headers[name] = blotted(answer.headers[name] ?? '', tokens);
  }
  return { status, headers, requestId, ...(certificateEndsAt === undefined ? {} : { certificateEndsAt }) };
}

/** A text in which each of these tokens is blotted out. */
export function blotted(text: string, tokens: readonly (ApiToken | AuthToken)[]): string {
  for (const token of tokens) if (text.includes(token.reveal())) return withoutAny(text, tokens);
  return text;
}

// One may be a part of the other: what is left of that would tell the rest.
const withoutAny = (text: string, tokens: readonly (ApiToken | AuthToken)[]): string =>
  tokens
    .toSorted((a, b) => b.reveal().length - a.reveal().length)
    .reduce((rest, token) => rest.replaceAll(token.reveal(), String(token)), text);

function holdsOne(text: string, parts: readonly string[]): boolean {
  for (const part of parts) if (text.includes(part)) return true;
  return false;
}
