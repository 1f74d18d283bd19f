/** What all calls to an array have in common: how they are asked for and how they are told. */
import { FlashBladeError } from '../../ground/errors.ts';
import type { ApiToken, AuthToken, FlashBlade } from '../../ground/model.ts';
import { redact, redactApiTokens, type Tokens } from '../../ground/redact.ts';
import { describeArray } from './tls-errors.ts';
import { type Answer, type Budget, isHeaderValue } from './transport.ts';

/** Time budget, and the id that the array is told as `X-Request-ID` (default a random UUID). */
export type CallOptions = Budget & { readonly requestId?: string };

export type HttpInfo = {
  readonly status: number;
  /** Names in lower case; never `x-auth-token` and `set-cookie`. Tokens are redacted. */
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

/** What callers may see of an answer: no header that gives access, no copy of these tokens, nothing that looks like an API token. */
export function httpInfo(answer: Answer, tokens: Tokens = []): HttpInfo {
  const { status, requestId, certificateEndsAt } = answer;
  const clean = (text: string): string => redactApiTokens(redact(text, tokens));
  const headers: Record<string, string> = {};
  for (const name in answer.headers) {
    if (name === 'x-auth-token' || name === 'set-cookie' || clean(name) !== name) continue;
    headers[name] = clean(answer.headers[name] ?? '');
  }
  return { status, headers, requestId, ...(certificateEndsAt === undefined ? {} : { certificateEndsAt }) };
}
