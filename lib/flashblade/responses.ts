/** Turns a status and body into a result or an error. No message quotes a body, because a body may contain the token that was sent. */
import { type ErrorCode, type ErrorFacts, FlashBladeError } from '../core/errors.ts';
import { isExactNumber, parseExactJson, parseJson } from '../core/json.ts';
import { type ApiToken, type AuthToken, authToken, type FlashBlade, type Session } from '../core/model.ts';
import { redact, redactApiTokens, type Tokens } from '../core/redact.ts';

import type { WireResponse } from './exchange.ts';
import type { ResponseHead } from './http/body.ts';
import { isHeaderValue } from './http/request.ts';
import { describeArray } from './tls-errors.ts';

/** What every response has besides its data. */
export interface HttpInfo {
  /** HTTP status. */
  readonly status: number;
  /** Names are lowercase. `x-auth-token` and `set-cookie` are omitted. Tokens are redacted. */
  readonly headers: Readonly<Record<string, string>>;
  /** The `X-Request-ID` that was sent. */
  readonly requestId: string;
  /**
   * The earliest expiry among the certificates used to verify the array. These are the array's own certificate and its issuers', including
   * the root. With fingerprints, only the array's own certificate is used.
   */
  readonly certificateEndsAt?: Date;
}

/** Details for an error message: the request, its response, and what to do next. */
type Details = { readonly action: string; readonly response: WireResponse; readonly advice: string };

const SECRET_HEADERS = ['x-auth-token', 'set-cookie'];
const MAX_WAIT_SECONDS = 86_400;
/** Far deeper than any array's response, but well within what JSON.stringify supports. */
const MAX_DEPTH = 100;
const MAX_USERNAME_LENGTH = 256;
/** If a name and a token share this many consecutive characters, the match is no coincidence. */
const PIECE = 8;

/** Returns true if a call was refused because its session has ended or its user lacks a permission. */
export const isRefusal = (status: number): boolean => status === 401 || status === 403;
const isRefusedLogin = (status: number): boolean => status === 400 || isRefusal(status);
/** Returns true if the array was too busy to act on the request. */
const isBusy = (status: number): boolean => status === 429 || status === 503;

/** Returns true if the status alone decides the outcome of a login or of a request for the REST versions. */
export const decidesLogin = (status: number): boolean => isRefusedLogin(status) || isBusy(status);
/** Returns true if the status alone decides the outcome of a logout or of a call in a session. */
export const decidesCall = (status: number): boolean => isRefusal(status) || status === 429 || status >= 500;

/** Matches the media types `application/json`, `text/json` and `application/problem+json`, with or without parameters. */
const JSON_TYPE = /^[^;,]*\bjson *(?:[;,]|$)/i;
/** Matches markup, even after a line such as a chunk size, a byte order mark, white space or UTF-16's zero bytes. For Latin-1 text. */
const MARKUP = /^(?:[^\n<]{0,64}\n)?(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*</;

export const isJson = ({ headers }: ResponseHead): boolean => JSON_TYPE.test(headers['content-type'] ?? '');

/**
 * Returns true if a 400, 401 or 403 comes from something in front of the array, such as a proxy. When an array refuses a request, its
 * response has a JSON body or none. A refusal therefore comes from the array if its content type is JSON or absent, and its body does not
 * begin with `<`.
 */
export function isInFront(response: WireResponse): boolean {
  const { status, headers, body, unread = body } = response;
  const { 'content-type': type = '' } = headers;
  return isRefusedLogin(status) && ((type !== '' && !isJson(response)) || MARKUP.test(unread.toString('latin1')));
}

/** Returns the error for a refusal that does not come from the array. The array has not acted on the request. */
export const blocked = (array: FlashBlade, action: string, status: number, facts: ErrorFacts = {}): FlashBladeError =>
  new FlashBladeError(
    'ARRAY_UNREACHABLE',
    `${describeArray(array)} cannot be reached: something in front of it, such as a proxy or a load balancer, returned ${status} for ${action}. Let requests to the array through.`,
    { status, sent: true, array: array.name, ...facts },
  );

/**
 * Returns the session that a login opened. `opened` is the auth token from the response head. Throws LOGIN_REFUSED, ARRAY_BUSY,
 * ARRAY_UNREACHABLE (if `isInFront`) or ANSWER_INVALID, each with `facts.mayHaveOpened`.
 */
export function sessionOf(
  array: FlashBlade,
  response: WireResponse,
  token: ApiToken,
  opened: AuthToken | undefined,
): Session {
  if (response.status !== 200) throw noSession(array, response);
  if (opened === undefined) throw invalidLogin(array, response, 'the auth token is missing or malformed');
  const username = fieldOf(parseBody(response.body.toString()), 'username');
  if (!isUsername(username, [token, opened])) {
    throw invalidLogin(array, response, 'the body is not {"username": …}');
  }
  return { array, authToken: opened, apiToken: token, username };
}

/** Returns the auth token from a response head, or undefined if the token is missing or cannot be sent back. */
export function authTokenOf({ headers }: ResponseHead): AuthToken | undefined {
  const { 'x-auth-token': value = '' } = headers;
  return isHeaderValue(value) ? authToken(value) : undefined;
}

function noSession(array: FlashBlade, response: WireResponse): FlashBladeError {
  const { status } = response;
  const details = { action: 'the login', response };
  const facts = { mayHaveOpened: false };
  if (isBusy(status)) return busy(array, { ...details, advice: 'it is busy. Try again later.' }, facts);
  if (!isRefusedLogin(status)) return invalidLogin(array, response, 'a login never returns this status');
  if (isInFront(response)) return blocked(array, details.action, status, { ...facts, requestId: response.requestId });
  const advice = "it does not accept this API token. Store a valid token in the array's secret before you try again.";
  return responseError('LOGIN_REFUSED', array, { ...details, advice }, facts);
}

function invalidLogin(array: FlashBlade, response: WireResponse, what: string): FlashBladeError {
  const advice = `${what}. Check that "host" is a FlashBlade and that no proxy is in front of it.`;
  return responseError('ANSWER_INVALID', array, { action: 'the login', response, advice }, { mayHaveOpened: true });
}

// Usernames are printed, so reject a username that could be a token returned by the server.
const isUsername = (value: unknown, tokens: Tokens): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= MAX_USERNAME_LENGTH &&
  !/\p{C}/u.test(value) &&
  redactApiTokens(redact(value, tokens)) === value &&
  !tokens.some((token) => sharesPiece(value.toLowerCase(), token.reveal().toLowerCase()));

function sharesPiece(name: string, token: string): boolean {
  if (token.length < PIECE) return name.includes(token);
  for (let end = PIECE; end <= name.length; end++) if (token.includes(name.slice(end - PIECE, end))) return true;
  return false;
}

/**
 * Returns the REST versions listed in a response. Throws ARRAY_UNSUPPORTED, ARRAY_BUSY, ARRAY_UNREACHABLE (if `isInFront`) or
 * ANSWER_INVALID.
 */
export function versionsOf(array: FlashBlade, response: WireResponse): readonly string[] {
  const { status, body } = response;
  const details = { action: 'GET /api/api_version', response };
  if (isBusy(status)) throw busy(array, { ...details, advice: 'it is busy. Try again later.' });
  if (isInFront(response)) throw blocked(array, details.action, status, { requestId: response.requestId });
  const json = status === 200 ? parseBody(body.toString()) : undefined;
  if (fieldOf(json, 'version') !== undefined) {
    const advice = 'it is a FlashArray, but only FlashBlades are supported. Remove its secret from the fleet.';
    throw responseError('ARRAY_UNSUPPORTED', array, { ...details, advice });
  }
  const versions = fieldOf(json, 'versions');
  if (!isVersions(versions)) {
    const advice = 'the response is not a list of REST versions. Check that "host" is a FlashBlade.';
    throw responseError('ANSWER_INVALID', array, { ...details, advice });
  }
  return versions;
}

const isVersions = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((version) => typeof version === 'string' && /^\d{1,5}(\.\d{1,5}){1,2}$/.test(version));

/** Compares REST versions number by number, for use with `sort`. For example, 1.9 < 1.10 and 1.8 < 1.8.1. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left.split('.').map(Number), right.split('.').map(Number)];
  const parts = Array.from({ length: Math.max(a.length, b.length) }, (_, index) => (a[index] ?? 0) - (b[index] ?? 0));
  return parts.find((difference) => difference !== 0) ?? 0;
}

/**
 * Returns the parts of a response that callers may see. Omits headers that grant access. Redacts these tokens and anything that looks like
 * an API token.
 */
export function httpInfo(response: WireResponse, tokens: Tokens = []): HttpInfo {
  const { status, requestId, certificateEndsAt } = response;
  const clean = (text: string): string => redactApiTokens(redact(text, tokens));
  const shown = Object.entries(response.headers).filter(([name]) => !SECRET_HEADERS.includes(name));
  // There is almost never anything to redact, so first check all headers at once.
  const text = shown.flat().join('\n');
  const headers =
    clean(text) === text
      ? shown
      : shown.filter(([name]) => clean(name) === name).map(([name, value]) => [name, clean(value)] as const);
  return {
    ...{ status, headers: Object.fromEntries(headers), requestId },
    ...(certificateEndsAt === undefined ? {} : { certificateEndsAt: new Date(certificateEndsAt * 1000) }),
  };
}

/** Returns an error about a response. The error quotes only the status. */
export const responseError = (
  code: ErrorCode,
  array: FlashBlade,
  { action, response, advice }: Details,
  facts: ErrorFacts = {},
): FlashBladeError =>
  new FlashBladeError(code, `${describeArray(array)} returned ${response.status} for ${action}: ${advice}`, {
    status: response.status,
    sent: true,
    array: array.name,
    requestId: response.requestId,
    ...facts,
  });

/** Returns ARRAY_BUSY, with the number of seconds to wait if the array reports it. */
export function busy(array: FlashBlade, details: Details, facts: ErrorFacts = {}): FlashBladeError {
  const seconds = retryAfterSeconds(details.response.headers, Date.now());
  return responseError('ARRAY_BUSY', array, details, {
    ...facts,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  });
}

/** Returns the number of seconds to wait, based on `Retry-After` (seconds or a date) or the rate-limit headers. */
export function retryAfterSeconds(headers: WireResponse['headers'], nowMs: number): number | undefined {
  const { 'retry-after': after = '' } = headers;
  const seconds = /^\d{1,9}$/.test(after) ? Number(after) : Math.ceil((dateOf(after) - nowMs) / 1000);
  if (!Number.isNaN(seconds)) return Math.min(Math.max(seconds, 0), MAX_WAIT_SECONDS);
  if (headers['x-ratelimit-remaining-minute'] === '0') return 60;
  if (headers['x-ratelimit-remaining-second'] === '0') return 1;
  return undefined;
}

// Date.parse accepts almost anything as a date, even -5 and 1.5.
const dateOf = (text: string): number =>
  /^([A-Z][a-z]+, .* GMT|\d{4}-\d\d-\d\dT.*Z)$/.test(text) ? Date.parse(text) : Number.NaN;

/** Parses a body as JSON. Returns undefined if it is not JSON or is nested too deeply. `exactNumbers` works as in `RequestOptions`. */
export function parseBody(text: string, exactNumbers = false): unknown {
  const value = parseJson(text, exactNumbers ? parseExactJson : JSON.parse);
  return isDeeper(value, MAX_DEPTH) ? undefined : value;
}

const isDeeper = (value: unknown, max: number): boolean =>
  isObject(value) &&
  !isExactNumber(value) &&
  (max === 0 || Object.values(value).some((inner) => isDeeper(inner, max - 1)));

/** Returns an object's field, or undefined if the value is not an object or has no such field. */
export const fieldOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
