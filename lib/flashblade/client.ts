/** A client for one FlashBlade. It logs in and out, sends REST calls in a session, and lists the array's REST versions. */
import { FlashBladeError, known, withFacts } from '../core/errors.ts';
import type { ApiToken, AuthToken, FlashBlade, Session } from '../core/model.ts';
import { mapTexts, redact, type Tokens } from '../core/redact.ts';
import { type Budget, exchange } from './exchange.ts';
import { isHeaderValue } from './http/request.ts';
import { type ArrayRequest, toWire } from './requests.ts';
import {
  authTokenOf,
  blocked,
  busy,
  decidesCall,
  decidesLogin,
  type HttpInfo,
  httpInfo,
  isInFront,
  isJson,
  isRefusal,
  parseBody,
  responseError,
  sessionOf,
  versionsOf,
} from './responses.ts';
import { describeArray } from './tls-errors.ts';

export type { ArrayRequest } from './requests.ts';
export { compareVersions, type HttpInfo } from './responses.ts';

/** The time budget, and the id to send as `X-Request-ID` (default: a random UUID). */
export type CallOptions = Budget & { readonly requestId?: string };
export type RequestOptions = CallOptions & {
  /**
   * Keeps numbers in a JSON response that JavaScript would change, such as 12345678901234567890, as `JSON.rawJSON` objects.
   * `JSON.stringify` writes these objects unchanged, and their `rawJSON` field contains the number's text. Default: false, which rounds
   * such numbers.
   */
  readonly exactNumbers?: boolean | undefined;
};
/** `tokens` are redacted from the response, because the array has received them and might repeat them. */
export type VersionsOptions = CallOptions & { readonly tokens?: Tokens };

export type WithHttpInfo<Data> = HttpInfo & { readonly data: Data };
export type ArrayResponse = HttpInfo & {
  /**
   * The parsed value if the content type is JSON, otherwise the text. For 401, 403, 429 and 5xx, the body is an
   * empty string if it is invalid JSON or cannot be read.
   */
  readonly body: unknown;
  /** True if a 400, 401 or 403 comes from something in front of the array, such as a proxy. Otherwise absent. */
  readonly isInFront?: true;
};

/** The extra time that a login may take to close a session that it cannot return. */
const ROLL_BACK_MS = 3000;

/**
 * Opens a session with `POST /api/login`, which is sent at most once. In the Python SDK `purity_fb`, this is
 * `AuthenticationApi.login_with_http_info`.
 * Errors: LOGIN_REFUSED (400, 401, 403), or ARRAY_UNREACHABLE if one of these statuses comes from something in front of the array,
 * ARRAY_BUSY (429, 503), ANSWER_INVALID, SECRET_INVALID and the errors common to all calls
 * (ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME, REQUEST_INVALID), each with `facts.mayHaveOpened`. If a response contains an auth
 * token but is otherwise invalid, the session is closed before the error is thrown. Closing may take up to three seconds beyond the
 * login's time budget and deadline.
 */
export async function loginWithHttpInfo(
  array: FlashBlade,
  token: ApiToken,
  options: CallOptions = {},
): Promise<WithHttpInfo<Session>> {
  let opened: AuthToken | undefined;
  try {
    const headers = { 'api-token': sendable(token, array, 'SECRET_INVALID') };
    const wire = { method: 'POST', path: '/api/login', headers, requestId: options.requestId };
    const response = await exchange(array, wire, options, {
      fresh: true,
      tokens: [token],
      decides: decidesLogin,
      onHead: (head) => {
        opened = authTokenOf(head);
      },
    });
    const session = sessionOf(array, response, token, opened);
    return { ...httpInfo(response, tokensOf(session)), data: session };
  } catch (thrown) {
    const error = known(thrown);
    const { sent = false, mayHaveOpened = sent } = error.facts;
    const isOpen = opened === undefined ? mayHaveOpened : !(await rollBack(array, opened, options));
    throw withFacts(error, { mayHaveOpened: isOpen });
  }
}

/**
 * Like `loginWithHttpInfo`, but without the status or headers. In `purity_fb`, this is `AuthenticationApi.login`, which returns a
 * `LoginResponse`.
 */
export const login = async (array: FlashBlade, token: ApiToken, options?: CallOptions): Promise<Session> =>
  (await loginWithHttpInfo(array, token, options)).data;

/**
 * Closes a session with `POST /api/logout`. Resolves if the session is now closed (200) or was already closed (401, 403). In `purity_fb`,
 * this is `AuthenticationApi.logout_with_http_info`, which raises ApiException for 401 and 403.
 * Errors: ARRAY_BUSY (429, 5xx), ANSWER_INVALID (any other status), ARRAY_UNREACHABLE (an unreadable response, or a 401 or 403 from
 * something in front of the array) and the errors common to all calls. After any of these errors, the session may still be open.
 */
export async function logoutWithHttpInfo(session: Session, options: CallOptions = {}): Promise<WithHttpInfo<void>> {
  const { array, authToken } = session;
  const token = sendable(authToken, array, 'REQUEST_INVALID');
  const response = await exchange(
    array,
    { method: 'POST', path: '/api/logout', headers: { 'x-auth-token': token }, requestId: options.requestId },
    options,
    { repeatable: true, decides: decidesCall, tokens: tokensOf(session) },
  ).catch((thrown) => {
    const error = known(thrown);
    // A garbled response is no more informative than a lost one, so the logout may be retried.
    throw error.code === 'ANSWER_INVALID'
      ? new FlashBladeError('ARRAY_UNREACHABLE', error.message, error.facts)
      : error;
  });
  const { status, body } = response;
  if (isRefusal(status) && isInFront(response)) throw blocked(array, 'the logout', status);
  if ((status === 200 && body.length === 0) || status === 401 || status === 403) {
    return { ...httpInfo(response, tokensOf(session)), data: undefined };
  }
  const details = { action: 'the logout', response };
  if (status === 429 || status >= 500) {
    throw busy(array, { ...details, advice: 'it is busy, and the session may still be open. Try again later.' });
  }
  const advice = 'the session may still be open. Check for a proxy that changes the path, then log out again.';
  throw responseError('ANSWER_INVALID', array, { ...details, advice });
}

/** Like `logoutWithHttpInfo`, but without the status or headers. In `purity_fb`, this is `AuthenticationApi.logout`. */
export const logout = async (session: Session, options?: CallOptions): Promise<void> => {
  await logoutWithHttpInfo(session, options);
};

/**
 * Makes a REST call in a session. Any call except login and logout is allowed. Resolves regardless of the HTTP status, so check `status`.
 * The session's tokens are redacted from the response. Other tokens, such as an API token that the call creates, are not redacted. Numbers
 * beyond 2^53 are rounded unless `exactNumbers` is set.
 * Errors: REQUEST_INVALID (names the field and the rule), ANSWER_INVALID (a body declared as JSON is not JSON) and the errors common to all
 * calls.
 */
export async function request(
  session: Session,
  call: ArrayRequest,
  options: RequestOptions = {},
): Promise<ArrayResponse> {
  const { array, authToken } = session;
  const wire = toWire(call);
  const token = sendable(authToken, array, 'REQUEST_INVALID');
  const json = wire.body === undefined ? {} : { 'Content-Type': 'application/json' };
  const headers = { 'x-auth-token': token, ...json };
  const isGet = wire.method === 'GET';
  const tokens = tokensOf(session);
  const response = await exchange(array, { ...wire, headers, requestId: options.requestId }, options, {
    repeatable: isGet,
    fresh: !isGet,
    decides: decidesCall,
    tokens,
  });
  // Redact the response, because the array may have repeated a token in it.
  const clean = (text: string) => redact(text, tokens);
  const text = clean(response.body.toString());
  const isParsed = text !== '' && isJson(response);
  const value = isParsed ? parseBody(text, options.exactNumbers) : undefined;
  if (isParsed && value === undefined && !decidesCall(response.status)) {
    const advice = 'the body is declared as JSON, but it is not JSON or is nested too deeply.';
    throw responseError('ANSWER_INVALID', array, { action: `${wire.method} ${call.path}`, response, advice });
  }
  // Redact again, because the JSON text may have contained escaped tokens.
  const body = isParsed ? (value === undefined ? '' : mapTexts(value, clean)) : text;
  return { ...httpInfo(response, tokens), body, ...(isInFront(response) ? { isInFront: true } : {}) };
}

/**
 * Returns the REST versions that an array supports, from `GET /api/api_version`, which needs no session.
 * Errors: ARRAY_UNSUPPORTED (a FlashArray), ARRAY_BUSY (429, 503), ANSWER_INVALID and the errors common to all calls.
 */
export async function apiVersionsWithHttpInfo(
  array: FlashBlade,
  options: VersionsOptions = {},
): Promise<WithHttpInfo<readonly string[]>> {
  const { requestId, tokens = [] } = options;
  const wire = { method: 'GET', path: '/api/api_version', requestId };
  const response = await exchange(array, wire, options, { repeatable: true, decides: decidesLogin, tokens });
  return { ...httpInfo(response, tokens), data: versionsOf(array, response) };
}

/** Like `apiVersionsWithHttpInfo`, but without the status or headers. */
export const apiVersions = async (array: FlashBlade, options?: CallOptions): Promise<readonly string[]> =>
  (await apiVersionsWithHttpInfo(array, options)).data;

/** Returns a session's tokens, which an array might repeat. */
export const tokensOf = ({ authToken, apiToken }: Session): Tokens =>
  apiToken === undefined ? [authToken] : [authToken, apiToken];

/** Returns the token's value if it is a valid header value. Otherwise, throws an error with `code` that does not contain the value. */
function sendable(token: ApiToken | AuthToken, array: FlashBlade, code: 'SECRET_INVALID' | 'REQUEST_INVALID'): string {
  const value = token.reveal();
  if (isHeaderValue(value)) return value;
  const rule = `the ${token.kind} must be 1 to 1024 visible ASCII characters without spaces`;
  throw new FlashBladeError(code, `${describeArray(array)}: ${rule}`, { sent: false });
}

/** Logs out after a failed login. Returns true if the session is now closed. Ignores errors, because the login's own error matters more. */
async function rollBack(
  array: FlashBlade,
  authToken: AuthToken,
  { requestId: _, ...budget }: CallOptions,
): Promise<boolean> {
  const { deadline = Number.POSITIVE_INFINITY } = budget;
  const limits = { ...budget, totalMs: ROLL_BACK_MS, deadline: deadline + ROLL_BACK_MS };
  try {
    await logout({ array, authToken, username: '' }, limits);
    return true;
  } catch {
    return false;
  }
}
