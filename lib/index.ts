/**
 * flashblade-sessions: opens and closes REST sessions on Pure Storage (Everpure) FlashBlade arrays.
 *
 * - One array, without a lease ledger: `login`, `logout`, `apiVersions`, `request`.
 * - A fleet, with leases: `withSession`, `withLease`, `openSession`, `closeSession`.
 *
 * Every error is a `FlashBladeError`. Branch on its `code`.
 */
import './core/node-version.ts';
import * as compose from './compose.ts';
import { type Config, readConfig } from './core/config.ts';
import type { ApiToken, FlashBlade, Lease, Session } from './core/model.ts';
import { EVENTS, type Reporter } from './core/reports.ts';
import { callersId, check } from './core/validation.ts';
import {
  checkedApiToken,
  checkedArray,
  checkedDeadline,
  checkedObject,
  checkedOptions,
  checkedSession,
  invalid,
} from './flashblade/arguments.ts';
import * as client from './flashblade/client.ts';
import { type CloseResult, closeSession as closeLease } from './leases/close.ts';
import { openSession as openLease } from './leases/open.ts';
import type { Ports } from './leases/ports.ts';
import { type OpenRequest, parseOpenRequest } from './leases/requests.ts';
import * as leases from './leases/use.ts';

export { type Config, readConfig } from './core/config.ts';
export { ERROR_CODES, type ErrorCode, type ErrorFacts, FlashBladeError, isFlashBladeError } from './core/errors.ts';
export {
  type ApiToken,
  type AuthToken,
  apiToken,
  type FlashBlade,
  type Lease,
  type Session,
  type Trust,
} from './core/model.ts';
export type { EventName, Report, Reporter } from './core/reports.ts';
export type {
  ArrayRequest,
  ArrayResponse,
  CallOptions,
  RequestOptions,
  VersionsOptions,
  WithHttpInfo,
} from './flashblade/client.ts';
export { VERSION } from './flashblade/http/request.ts';
export { closeConnections } from './flashblade/pool.ts';
export type { CloseOutcome, CloseResult } from './leases/close.ts';
export type { Ports } from './leases/ports.ts';
export type { OpenRequest } from './leases/requests.ts';
export type { Use, Work } from './leases/use.ts';

/**
 * Opens a session with `POST /api/login`, which is sent at most once. In the Python SDK `purity_fb`, this is `AuthenticationApi.login`,
 * which returns a `LoginResponse`.
 *
 * @throws FlashBladeError LOGIN_REFUSED, ARRAY_BUSY, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME, or, before anything
 * is sent, REQUEST_INVALID or SECRET_INVALID. `facts.mayHaveOpened` says whether the array may have a session.
 */
export const login = async (array: FlashBlade, token: ApiToken, options?: client.CallOptions): Promise<Session> =>
  (await loginWithHttpInfo(array, token, options)).data;

/** Like `login`, but also returns the status and the headers. In `purity_fb`, this is `AuthenticationApi.login_with_http_info`. */
export const loginWithHttpInfo = async (
  array: FlashBlade,
  token: ApiToken,
  options?: client.CallOptions,
): Promise<client.WithHttpInfo<Session>> =>
  client.loginWithHttpInfo(checkedArray(array), checkedApiToken(token), checkedOptions(options));

/**
 * Closes a session with `POST /api/logout`. Resolves if the session is now closed (200) or was already closed (401, 403). In `purity_fb`,
 * this is `AuthenticationApi.logout`.
 *
 * @throws FlashBladeError ARRAY_BUSY, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME or REQUEST_INVALID. The session may
 * still be open.
 */
export const logout = async (session: Session, options?: client.CallOptions): Promise<void> => {
  await logoutWithHttpInfo(session, options);
};

/** Like `logout`, but also returns the status and the headers. In `purity_fb`, this is `AuthenticationApi.logout_with_http_info`. */
export const logoutWithHttpInfo = async (
  session: Session,
  options?: client.CallOptions,
): Promise<client.WithHttpInfo<void>> => client.logoutWithHttpInfo(checkedSession(session), checkedOptions(options));

/**
 * Makes a REST call in a session. Any call except login and logout is allowed. Resolves regardless of the HTTP status, so check `status`.
 * The session's tokens are redacted from the response. Other tokens, such as an API token that the call creates, are not redacted.
 *
 * @throws FlashBladeError REQUEST_INVALID, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED or OUT_OF_TIME.
 */
export const request = async (
  session: Session,
  call: client.ArrayRequest,
  options?: client.RequestOptions,
): Promise<client.ArrayResponse> => client.request(checkedSession(session), call, checkedOptions(options));

/**
 * Returns the REST versions that an array supports, from `GET /api/api_version`, which needs no session.
 *
 * @throws FlashBladeError ARRAY_UNSUPPORTED (a FlashArray), ARRAY_BUSY, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, OUT_OF_TIME or
 * REQUEST_INVALID.
 */
export const apiVersions = async (array: FlashBlade, options?: client.VersionsOptions): Promise<readonly string[]> =>
  (await apiVersionsWithHttpInfo(array, options)).data;

/** Like `apiVersions`, but also returns the status and the headers. */
export const apiVersionsWithHttpInfo = async (
  array: FlashBlade,
  options?: client.VersionsOptions,
): Promise<client.WithHttpInfo<readonly string[]>> =>
  client.apiVersionsWithHttpInfo(checkedArray(array), checkedOptions(options));

/** Compares two REST versions, for use with `sort`. Negative if `left` is older. Throws REQUEST_INVALID unless both are strings. */
export function compareVersions(left: string, right: string): number {
  if (typeof left === 'string' && typeof right === 'string') return client.compareVersions(left, right);
  throw invalid('version', 'must be a string, such as "2.15"');
}

/**
 * Connects to AWS with your own configuration and logging. The AWS region, credentials and endpoints come from the environment. Errors
 * thrown by `report` are ignored. Throws REQUEST_INVALID.
 */
export function createPorts(config: Config, report: Reporter): Ports {
  const rule = 'must be the result of readConfig(…)';
  const { LEASE_TABLE, SESSIONS_PER_ARRAY } = checkedObject('config', config, rule);
  if (typeof LEASE_TABLE !== 'string' || typeof SESSIONS_PER_ARRAY !== 'number') throw invalid('config', rule);
  mustBeFunction('report', report);
  return compose.createPorts(config, report);
}

/**
 * Opens a session on one array under a lease. The request must have a `leaseId`. Repeating the request returns the same lease. Finishes at
 * least half a second before `deadline` (epoch milliseconds).
 *
 * @throws FlashBladeError with any code in docs/errors.md except FORBIDDEN. Even then, the ledger lists every session that may remain on
 * the array.
 */
export async function openSession(ports: Ports, request: OpenRequest, deadline: number): Promise<Lease> {
  const parsed = parseOpenRequest(
    request,
    () => {
      throw invalid('request.leaseId', 'must be set');
    },
    'request',
  );
  return openLease(checkedPorts(ports), parsed, checkedDeadline('deadline', deadline));
}

/**
 * Closes a lease's session, regardless of the lease's state. Safe to repeat. Finishes at least half a second before `deadline` (epoch
 * milliseconds). After an error, the ledger tracks the session until the session has ended.
 */
export const closeSession = async (ports: Ports, leaseId: string, deadline: number): Promise<CloseResult> =>
  closeLease(checkedPorts(ports), checkedLeaseId(leaseId), checkedDeadline('deadline', deadline));

/**
 * Installs handlers for SIGINT and SIGTERM that close every session that `withSession` has open in this process, then end the process as
 * usual. A second signal ends the process at once. Call this once, at the start of a program. Lambda functions do not need it, because the
 * sweeper closes any sessions that they leave open. Returns a function that removes the signal handlers.
 *
 * @example
 * closeOnSignals();
 * await withSession('fb1', ({ request }) => request({ method: 'GET', path: '/api/2.15/arrays' }));
 */
export function closeOnSignals(signals?: readonly NodeJS.Signals[]): () => void {
  if (
    signals !== undefined &&
    !(Array.isArray(signals) && signals.every((one) => typeof one === 'string' && /^SIG[A-Z0-9]+$/.test(one)))
  )
    throw invalid('signals', "must be a list of signal names, such as ['SIGINT']");
  return leases.closeOnSignals(signals);
}

function mustBeFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw invalid(what, 'must be a function');
}

const checkedLeaseId = (leaseId: string): string => check(callersId, leaseId, 'REQUEST_INVALID', 'leaseId');

function checkedPorts(ports: Ports): Ports {
  const rule = 'must be created with createPorts(…) or environmentPorts()';
  const { store, flashblade, now } = checkedObject('ports', ports, rule);
  if (typeof store !== 'object' || typeof flashblade !== 'object' || typeof now !== 'function')
    throw invalid('ports', rule);
  return ports;
}

/** Separates the ports from the other options. Calls `environmentPorts` only if the options contain no ports. */
function split<Options extends leases.UseOptions>(
  options: Options & WithPorts,
): { readonly ports: Ports; readonly rest: Omit<Options, 'ports'> } {
  const { ports, ...rest } = checkedObject('options', options, 'must be an object, or be omitted') as Options &
    WithPorts;
  if (rest.deadline !== undefined) checkedDeadline('options.deadline', rest.deadline);
  return { ports: ports === undefined ? environmentPorts() : checkedPorts(ports), rest };
}

type WithPorts = {
  /** The library's connections to AWS and the arrays. Default: `environmentPorts()`. */
  readonly ports?: Ports;
};

export type UseOptions = leases.UseOptions & WithPorts;
export type SessionOptions = leases.SessionOptions & WithPorts;

/**
 * Opens a session on an array, runs the work, and closes the session even if the work fails.
 *
 * A failure to close the session is reported, not thrown, so that it does not hide the work's result or error. The sweeper then closes the
 * session. If the array refuses a call because it has dropped the session, the library logs in again under the same lease.
 *
 * @param arrayName - The array's name. The array's secret is named `SECRET_PREFIX` followed by the array name.
 * @param work - Your callback. It receives the lease and a way to call the array, but never a token. Its result is returned, and its errors
 * are rethrown.
 * @param options - `leaseSeconds` (60 to 86400, default: 900) is how long the lease lasts. Work that takes longer loses its session.
 * `leaseId` (default: a random id) makes the request idempotent. If a lease with this id is already open, that lease is used and then
 * closed. `owner` (default: none) is the job that the work belongs to. `exactNumbers` works as in `RequestOptions`.
 * `deadline` (epoch milliseconds, default: none) is the time by which the session must be closed. Opening the session and every call in
 * `work` must end 10 seconds earlier.
 * @throws FlashBladeError if the session cannot be opened, and anything that `work` throws.
 * @example
 * const capacity = await withSession('fb1', async ({ request }) => {
 *   const { body } = await request({ method: 'GET', path: '/api/2.4/arrays/space' });
 *   return body;
 * });
 */
export async function withSession<T>(
  arrayName: string,
  work: leases.Work<T>,
  options: SessionOptions = {},
): Promise<T> {
  mustBeFunction('work', work);
  const { ports, rest } = split(options);
  return leases.withSession(ports, arrayName, work, rest);
}

/**
 * Runs work under a lease that another call opened, and leaves the lease open.
 *
 * @param leaseId - The lease id returned by `openSession` or by the `login` function.
 * @param work - Your callback. It receives the lease and a way to call the array, but never a token. Its result is returned, and its errors
 * are rethrown.
 * @param options - `deadline` (epoch milliseconds, default: none) is the time by which every call to the array or to AWS must end.
 * `exactNumbers` works as in `RequestOptions`.
 * @throws FlashBladeError LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED, LEASE_ALTERED, AWS_UNAVAILABLE or OUT_OF_TIME, and anything that
 * `work` throws.
 * @example
 * await withLease(leaseId, ({ request }) => request({ method: 'GET', path: '/api/2.4/file-systems' }));
 */
export async function withLease<T>(leaseId: string, work: leases.Work<T>, options: UseOptions = {}): Promise<T> {
  mustBeFunction('work', work);
  const { ports, rest } = split(options);
  return leases.withLease(ports, checkedLeaseId(leaseId), work, rest);
}

let fromEnvironment: Ports | undefined;

/**
 * Returns this process's ports, configured from its environment variables (`readConfig`). The first call builds the ports, and later calls
 * return the same ones. Warnings and errors go to stderr, one JSON object per line. Throws CONFIG_INVALID.
 */
export function environmentPorts(): Ports {
  fromEnvironment ??= compose.createPorts(readConfig(process.env), (report) => {
    const level = EVENTS[report.event];
    if (level !== 'info') process.stderr.write(`${JSON.stringify({ level, ...report })}\n`);
  });
  return fromEnvironment;
}
