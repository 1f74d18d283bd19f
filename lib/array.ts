/**
 * flashblade-sessions/array: REST sessions on one Pure Storage (Everpure) FlashBlade array, without AWS.
 *
 * - `connect` opens a session with `get`, `post`, `list` and so on, and closes it at the end of an `await using` block.
 * - `login`, `logout`, `request` and `apiVersions` are the single steps, for programs that come from `purity_fb`.
 *
 * Every error is a `FlashBladeError`. Branch on its `code`.
 */
import './core/node-version.ts';
import { about, type ErrorFacts } from './core/errors.ts';
import { type ApiToken, apiToken, type FlashBlade, type Session, type Trust } from './core/model.ts';
import {
  checkedApiToken,
  checkedArray,
  checkedCall,
  checkedObject,
  checkedSession,
  invalid,
  onlyKnown,
} from './flashblade/arguments.ts';
import {
  type ArrayCalls,
  type CallOptions,
  callsOf,
  newestOf,
  type RequestOptions,
  type Timeouts,
} from './flashblade/calls.ts';
import * as client from './flashblade/client.ts';
import { withDefaults } from './flashblade/exchange.ts';
import { isRefusal } from './flashblade/responses.ts';

export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorCodeFacts,
  type ErrorCodes,
  type ErrorFacts,
  FlashBladeError,
  isFlashBladeError,
} from './core/errors.ts';
export {
  type ApiToken,
  type AuthToken,
  apiToken,
  type FlashBlade,
  type Session,
  type Trust,
} from './core/model.ts';
export type {
  ArrayCalls,
  CallOptions,
  ChangeOptions,
  DataOptions,
  RequestOptions,
  Timeouts,
} from './flashblade/calls.ts';
export type { ArrayRequest, ArrayResponse, HttpInfo, WithHttpInfo } from './flashblade/client.ts';
export { VERSION } from './flashblade/http/request.ts';
export { closeConnections } from './flashblade/pool.ts';

/** Options of `connect`. The time limits also apply to the session's calls, unless a call sets its own. */
export interface ConnectOptions extends Timeouts {
  /** DNS name or IP address of the array, without a port. */
  readonly host: string;
  /** API token of the array's user. */
  readonly apiToken: string | ApiToken;
  /** How to verify the array's certificate. Nothing is trusted by default. */
  readonly trust: Trust;
  /** Default: 443. */
  readonly port?: number | undefined;
  /** The array's name in errors. Default: the host. */
  readonly name?: string | undefined;
  /** REST version for paths without a version, such as `2.15`. Default: the newest version that the array lists. */
  readonly version?: string | undefined;
  /** Aborts the connection attempt. A session that the array has already opened is closed again. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** An open session on one array. `await using` closes it at the end of the block. */
export interface ArraySession extends ArrayCalls, AsyncDisposable {
  readonly array: FlashBlade;
  /** The array's user that the API token belongs to. */
  readonly username: string;
  /** The REST version for paths without a version. */
  readonly version: string;
  /**
   * Closes the session. Safe to repeat. Throws what `logout` throws. `await using` calls this function at the end of the block.
   *
   * @example
   * const fb = await connect({ host: 'fb1.example.com', apiToken: process.env.API_TOKEN ?? '', trust: { kind: 'public' } });
   * try {
   *   console.log(await fb.get('/arrays'));
   * } finally {
   *   await fb.close();
   * }
   */
  close(options?: CallOptions): Promise<void>;
}

/**
 * Opens a session on one array. Sends two requests: one for the REST versions, unless `version` is set, and the login.
 *
 * @throws FlashBladeError what `apiVersions` and `login` throw. `facts.mayHaveOpened` says whether the array may have a session.
 * @example
 * await using fb = await connect({ host: 'fb1.example.com', apiToken: process.env.API_TOKEN ?? '', trust: { kind: 'public' } });
 * for await (const { name } of fb.list<{ name: string }>('/file-systems')) console.log(name);
 */
export async function connect(options: ConnectOptions): Promise<ArraySession> {
  const {
    host,
    apiToken: token,
    trust,
    port = 443,
    name = host,
    version,
    signal,
    ...timeouts
  } = checkedConnect(options);
  const array = checkedArray({ name, host, port, trust }, 'options');
  const secret = checkedApiToken(typeof token === 'string' ? apiToken(token) : token, 'options.apiToken');
  const budget = { ...timeouts, signal };
  const open = async () => ({
    chosen: version ?? newestOf((await client.apiVersionsWithHttpInfo(array, budget)).data),
    session: await client.login(array, secret, budget),
  });
  const { chosen, session } = await explained('open', array, budget, open());
  let closing: Promise<void> | undefined;
  const close = async (given?: CallOptions): Promise<void> => {
    checkedCall(given);
    closing ??= logout(session, withDefaults(timeouts, given)).catch((error) => {
      closing = undefined;
      throw error;
    });
    return closing;
  };
  const sendIfOpen: ArrayCalls['request'] = async (call, given) => {
    const closed = `is closed. Open another one with connect. ${AWAIT_CALLS}`;
    if (closing !== undefined) throw invalid('the session', closed);
    const response = await request(session, call, withDefaults(timeouts, given));
    if (closing !== undefined && isRefusal(response.status))
      throw invalid('the session', `was closed during ${call.method} ${call.path}. ${AWAIT_CALLS}`);
    return response;
  };
  const calls = callsOf({
    facts: { array: name },
    version: chosen,
    request: sendIfOpen,
    apiVersions: (given) => apiVersions(array, withDefaults(timeouts, given)),
  });
  return { ...calls, array, username: session.username, version: chosen, close, [Symbol.asyncDispose]: () => close() };
}

const AWAIT_CALLS = 'Await every call before the session is closed, also a call that you return';

/** Says in errors what failed. */
const explained = <T>(
  phase: NonNullable<ErrorFacts['phase']>,
  { name }: FlashBlade,
  options: CallOptions | undefined,
  promise: Promise<T>,
): Promise<T> =>
  promise.catch((error) => {
    throw about(error, { phase, array: name }, options?.signal);
  });

const CONNECT = [
  'host',
  'apiToken',
  'trust',
  'port',
  'name',
  'version',
  'signal',
  'connectTimeoutMs',
  'firstByteTimeoutMs',
  'timeoutMs',
];

function checkedConnect(options: ConnectOptions): ConnectOptions {
  const {
    host,
    version,
    apiToken: token,
  } = checkedObject('options', options, 'must be an object with host, apiToken and trust');
  onlyKnown('options', options, CONNECT);
  if (version !== undefined && !(typeof version === 'string' && /^\d{1,3}\.\d{1,3}$/.test(version)))
    throw invalid('options.version', 'must be a REST version, such as "2.15"');
  if (host === undefined)
    throw invalid(
      'options.host',
      'must be the DNS name or address of the array. Is the variable that contains it set?',
    );
  if (token === undefined)
    throw invalid('options.apiToken', 'must be the API token. Is the variable that contains the token set?');
  const { connectTimeoutMs, firstByteTimeoutMs, timeoutMs, signal } = options;
  checkedCall({ connectTimeoutMs, firstByteTimeoutMs, timeoutMs, signal });
  return options;
}

/**
 * Opens a session with `POST /api/login`, which is sent at most once. In the Python SDK `purity_fb`, this is `AuthenticationApi.login`,
 * which returns a `LoginResponse`. If `options.signal` is aborted while the array is logging in, this function waits for the response,
 * logs out again, and then throws the signal's reason.
 *
 * @throws FlashBladeError LOGIN_REFUSED, ARRAY_BUSY, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME, or, before anything
 * is sent, REQUEST_INVALID or SECRET_INVALID. `facts.mayHaveOpened` says whether the array may have a session.
 * @example
 * const session = await login(array, apiToken(process.env.API_TOKEN ?? ''));
 * try {
 *   console.log(session.username);
 * } finally {
 *   await logout(session);
 * }
 */
export const login = async (array: FlashBlade, token: ApiToken, options?: CallOptions): Promise<Session> =>
  (await loginWithHttpInfo(array, token, options)).data;

/**
 * Like `login`, but also returns the status and the headers. In `purity_fb`, this is `AuthenticationApi.login_with_http_info`.
 *
 * @example
 * const { data: session, status, headers } = await loginWithHttpInfo(array, token);
 * await logout(session);
 */
export const loginWithHttpInfo = async (
  array: FlashBlade,
  token: ApiToken,
  options?: CallOptions,
): Promise<client.WithHttpInfo<Session>> =>
  explained(
    'open',
    array,
    options,
    client.loginWithHttpInfo(checkedArray(array), checkedApiToken(token), checkedCall(options)),
  );

/**
 * Closes a session with `POST /api/logout`. Resolves if the session is now closed (200) or was already closed (401, 403). In `purity_fb`,
 * this is `AuthenticationApi.logout`.
 *
 * @throws FlashBladeError ARRAY_BUSY, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME or REQUEST_INVALID. The session may
 * still be open.
 * @example
 * await logout(session, { timeoutMs: 5000 });
 */
export const logout = async (session: Session, options?: CallOptions): Promise<void> => {
  await logoutWithHttpInfo(session, options);
};

/**
 * Like `logout`, but also returns the status and the headers. In `purity_fb`, this is `AuthenticationApi.logout_with_http_info`.
 *
 * @example
 * const { status } = await logoutWithHttpInfo(session);
 */
export async function logoutWithHttpInfo(session: Session, options?: CallOptions): Promise<client.WithHttpInfo<void>> {
  const checked = checkedSession(session);
  return explained('close', checked.array, options, client.logoutWithHttpInfo(checked, checkedCall(options)));
}

/**
 * Makes a REST call in a session. Any call except login and logout is allowed. Resolves regardless of the HTTP status, so check `status`.
 * The session's tokens are redacted from the response. Other tokens, such as an API token that the call creates, are not redacted.
 *
 * @throws FlashBladeError REQUEST_INVALID, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED or OUT_OF_TIME.
 * @example
 * const { status, body } = await request(session, { method: 'GET', path: '/api/2.15/arrays' });
 */
export async function request(
  session: Session,
  call: client.ArrayRequest,
  options?: RequestOptions,
): Promise<client.ArrayResponse> {
  const checked = checkedSession(session);
  return explained(
    'call',
    checked.array,
    options,
    client.request(checked, call, checkedCall(options, ['exactNumbers'])),
  );
}

/**
 * Returns the REST versions that an array supports, from `GET /api/api_version`, which needs no session.
 *
 * @throws FlashBladeError ARRAY_UNSUPPORTED (a FlashArray), ARRAY_BUSY, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME or
 * REQUEST_INVALID.
 * @example
 * const newest = (await apiVersions(array)).toSorted(compareVersions).at(-1);
 */
export const apiVersions = async (array: FlashBlade, options?: CallOptions): Promise<readonly string[]> =>
  (await apiVersionsWithHttpInfo(array, options)).data;

/**
 * Like `apiVersions`, but also returns the status and the headers.
 *
 * @example
 * const { data: versions, certificateEndsAt } = await apiVersionsWithHttpInfo(array);
 */
export const apiVersionsWithHttpInfo = async (
  array: FlashBlade,
  options?: CallOptions,
): Promise<client.WithHttpInfo<readonly string[]>> =>
  explained('call', array, options, client.apiVersionsWithHttpInfo(checkedArray(array), checkedCall(options)));

/**
 * Compares two REST versions, for use with `sort`. Negative if `left` is older. Throws REQUEST_INVALID unless both are strings.
 *
 * @example
 * const versions = ['2.9', '2.15', '1.12'].toSorted(compareVersions); // ['1.12', '2.9', '2.15']
 */
export function compareVersions(left: string, right: string): number {
  if (typeof left === 'string' && typeof right === 'string') return client.compareVersions(left, right);
  throw invalid('version', 'must be a string, such as "2.15"');
}
