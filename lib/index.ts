/**
 * flashblade-sessions: opens and closes REST sessions on Pure Storage (Everpure) FlashBlade arrays.
 *
 * - One array, without a lease ledger: `login`, `logout`, `apiVersions`, `request`.
 * - A fleet, with leases: `withSession`, `withLease`, `openSession`, `closeSession`.
 *
 * Every error is a `FlashBladeError`. Branch on its `code`.
 */
import { createPorts } from './compose.ts';
import { readConfig } from './core/config.ts';
import { EVENTS } from './core/reports.ts';
import type { Ports } from './leases/ports.ts';
import * as leases from './leases/use.ts';

export { createPorts } from './compose.ts';
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
export {
  type ArrayRequest,
  type ArrayResponse,
  apiVersions,
  apiVersionsWithHttpInfo,
  type CallOptions,
  compareVersions,
  login,
  loginWithHttpInfo,
  logout,
  logoutWithHttpInfo,
  type RequestOptions,
  request,
  type WithHttpInfo,
} from './flashblade/client.ts';
export { VERSION } from './flashblade/http/request.ts';
export { closeConnections } from './flashblade/pool.ts';
export { type CloseOutcome, type CloseResult, closeSession } from './leases/close.ts';
export { openSession } from './leases/open.ts';
export type { Ports } from './leases/ports.ts';
export type { OpenRequest } from './leases/requests.ts';
export { closeOnSignals, type Use, type Work } from './leases/use.ts';

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
 * @param options - `leaseSeconds` (60 to 86400, default 900) is how long the lease lasts. Work that takes longer loses its session.
 * `leaseId` (default: a random id) makes the request idempotent: if a lease with this id is already open, that lease is used and then
 * closed. `owner` (default: none) is the job that the work belongs to. `exactNumbers` works as in `RequestOptions`.
 * `deadline` (epoch milliseconds, default: none) is when the session must be closed. Everything else must end 10 seconds earlier.
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
  { ports = environmentPorts(), ...options }: SessionOptions = {},
): Promise<T> {
  return leases.withSession(ports, arrayName, work, options);
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
export async function withLease<T>(
  leaseId: string,
  work: leases.Work<T>,
  { ports = environmentPorts(), ...options }: UseOptions = {},
): Promise<T> {
  return leases.withLease(ports, leaseId, work, options);
}

let fromEnvironment: Ports | undefined;

/**
 * Returns this process's ports, configured from its environment variables (`readConfig`). The first call builds the ports, and later calls
 * return the same ones. Warnings and errors go to stderr, one JSON object per line. Throws CONFIG_INVALID.
 */
export function environmentPorts(): Ports {
  fromEnvironment ??= createPorts(readConfig(process.env), (report) => {
    const level = EVENTS[report.event];
    if (level !== 'info') process.stderr.write(`${JSON.stringify({ level, ...report })}\n`);
  });
  return fromEnvironment;
}
