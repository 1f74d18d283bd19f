/** What one FlashBlade is asked: log in, log out, any call under a session, its REST versions. */

import { known, withFacts } from '../ground/errors.ts';
import type { ApiToken, AuthToken, FlashBlade, Session } from '../ground/model.ts';
import { mapTexts, redact, type Tokens } from '../ground/redact.ts';
import { answerError, busy, parseJson } from './flashblade/answers.ts';
import { type ArrayRequest, toWire } from './flashblade/array-requests.ts';
import { type CallOptions, type HttpInfo, httpInfo, sendable, type WithHttpInfo } from './flashblade/calls.ts';
import { authTokenOf, sessionOf } from './flashblade/login-answer.ts';
import { exchange } from './flashblade/transport.ts';

export {
  apiVersions,
  apiVersionsWithHttpInfo,
  compareVersions,
  type VersionsOptions,
} from './flashblade/api-versions.ts';
export type { ArrayRequest } from './flashblade/array-requests.ts';
export type { CallOptions, HttpInfo, WithHttpInfo } from './flashblade/calls.ts';

/** `body`: the JSON value if the answer says that it is JSON, else its text. */
export type Answer = HttpInfo & { readonly body: unknown };

/** How long a login may take beyond its own time, in milliseconds, to close a session that it cannot give back. */
const ROLL_BACK_MS = 3000;

/**
 * Opens a session: `POST /api/login`, sent at most once. The Python SDK `purity_fb` calls it `AuthenticationApi.login_with_http_info`.
 * Errors: LOGIN_REFUSED (400, 401, 403), ARRAY_BUSY (429, 503), ANSWER_INVALID, SECRET_INVALID and those of every call
 * (ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME, REQUEST_INVALID), each with `facts.mayHaveOpened`. A session whose
 * auth token came with an answer that is no good otherwise is closed before the error is thrown; for that, a login may take
 * three seconds longer than its time and deadline.
 */
export async function loginWithHttpInfo(
  array: FlashBlade,
  token: ApiToken,
  options: CallOptions = {},
): Promise<WithHttpInfo<Session>> {
  let opened: AuthToken | undefined;
  try {
    const headers = { 'api-token': sendable(token, array, 'SECRET_INVALID') };
    const { requestId } = options;
    const answer = await exchange(array, { method: 'POST', path: '/api/login', headers, requestId }, options, {
      fresh: true,
      tokens: [token],
      onHead: (head) => {
        opened = authTokenOf(head);
      },
    });
    const session = sessionOf(array, answer, token, opened);
    return { ...httpInfo(answer, tokensOf(session)), data: session };
  } catch (thrown) {
    const error = known(thrown);
    const { sent = false, mayHaveOpened = sent } = error.facts;
    const isOpen = opened === undefined ? mayHaveOpened : !(await rollBack(array, opened, options));
    throw withFacts(error, { mayHaveOpened: isOpen });
  }
}

/** As `loginWithHttpInfo`, without status and headers. In `purity_fb`: `AuthenticationApi.login`, which returns a `LoginResponse`. */
export const login = async (array: FlashBlade, token: ApiToken, options?: CallOptions): Promise<Session> =>
  (await loginWithHttpInfo(array, token, options)).data;

/**
 * Closes a session: `POST /api/logout`. Resolves if it is closed: now (200), or since before (401, 403).
 * In `purity_fb`: `AuthenticationApi.logout_with_http_info`, which raises ApiException for 401 and 403.
 * Errors: ARRAY_BUSY (429, 5xx: still open, try again), ANSWER_INVALID (anything else: still open) and those of every call.
 */
export async function logoutWithHttpInfo(session: Session, options: CallOptions = {}): Promise<WithHttpInfo<void>> {
  const { array, authToken } = session;
  const token = sendable(authToken, array, 'REQUEST_INVALID');
  const answer = await exchange(
    array,
    { method: 'POST', path: '/api/logout', headers: { 'x-auth-token': token }, requestId: options.requestId },
    options,
    { repeatable: true, tokens: tokensOf(session) },
  );
  const { status, body } = answer;
  if ((status === 200 && body.length === 0) || status === 401 || status === 403) {
    return { ...httpInfo(answer, tokensOf(session)), data: undefined };
  }
  const told = { action: 'a logout', answer };
  if (status === 429 || status >= 500) {
    throw busy(array, { ...told, advice: 'it is busy and the session is still open. Try again later.' });
  }
  throw answerError('ANSWER_INVALID', array, {
    ...told,
    advice:
      'the session may still be open. No FlashBlade says this: look for a proxy before it, or report a wrong path as a bug; then log out again.',
  });
}

/** As `logoutWithHttpInfo`, without status and headers. In `purity_fb`: `AuthenticationApi.logout`. */
export const logout = async (session: Session, options?: CallOptions): Promise<void> => {
  await logoutWithHttpInfo(session, options);
};

/**
 * Any call under a session but login and logout. Resolves with whatever the array answers, the session's tokens redacted: judge `status`.
 * Other tokens in the body are left as they are, such as an API token that the call has made.
 * Errors: REQUEST_INVALID (names field and rule), ANSWER_INVALID (says that it is JSON and is not) and those of every call.
 */
export async function request(session: Session, call: ArrayRequest, options: CallOptions = {}): Promise<Answer> {
  const { array, authToken } = session;
  const wire = toWire(call);
  const token = sendable(authToken, array, 'REQUEST_INVALID');
  const headers = {
    'x-auth-token': token,
    ...(wire.body === undefined ? {} : { 'Content-Type': 'application/json' }),
  };
  const { requestId } = options;
  const isGet = wire.method === 'GET';
  const tokens = tokensOf(session);
  const answer = await exchange(array, { ...wire, headers, requestId }, options, {
    repeatable: isGet,
    fresh: !isGet,
    tokens,
  });
  // An array that repeats one would put it into a result.
  const clean = (said: string) => redact(said, tokens);
  const text = clean(answer.body.toString());
  const isJson = text !== '' && /\bjson\b/i.test(answer.headers['content-type'] ?? '');
  // Once more: a text of JSON may be written with escapes.
  const body = isJson ? mapTexts(parseJson(text), clean) : text;
  if (body === undefined) {
    const told = {
      action: `${wire.method} ${call.path}`,
      answer,
      advice: 'the answer says that it is JSON, and is not, or is nested too deeply.',
    };
    throw answerError('ANSWER_INVALID', array, told);
  }
  return { ...httpInfo(answer, tokens), body };
}

/** What an array may repeat of a session. */
export const tokensOf = ({ authToken, apiToken }: Session): Tokens =>
  apiToken === undefined ? [authToken] : [authToken, apiToken];

/** Whether the session is closed now. The reason why not is less than the error that led here. */
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
