/**
 * Runs work in a session. The session is either opened for the work and always closed afterward, or belongs to a lease that another call
 * opened.
 */
import { CLOSING_MS } from '../core/deadlines.ts';
import { FlashBladeError } from '../core/errors.ts';
import type { FlashBlade, Lease } from '../core/model.ts';
import { type ArrayRequest, type ArrayResponse, type RequestOptions, tokensOf } from '../flashblade/client.ts';
import { blocked, isRefusal } from '../flashblade/responses.ts';
import { closeSession } from './close.ts';
import { bestEffort } from './ledger.ts';
import { type Held, leaseOf, openSession } from './open.ts';
import type { Ports } from './ports.ts';
import { parseLoginRequest } from './requests.ts';
import { relogin, unsealLease } from './session.ts';

/** The argument that `work` receives: the lease and a way to call the array, but never the auth token. */
export type Use = {
  readonly lease: Lease;
  /**
   * Makes one REST call in the session. After a 401 or 403, the lease gets a new session and the call is retried once. A second refusal is
   * thrown as FORBIDDEN. A 401 or 403 from something in front of the array, such as a proxy, is thrown as ARRAY_UNREACHABLE. Any other
   * status is returned as is. Numbers beyond 2^53 are rounded unless the option `exactNumbers` is set.
   */
  request(call: ArrayRequest): Promise<ArrayResponse>;
  /** Returns the REST versions that the array lists. Needs no session, and does not keep the session alive. */
  apiVersions(): Promise<readonly string[]>;
};

export type Work<T> = (use: Use) => Promise<T> | T;

export type UseOptions = {
  /** Every call to the array or to AWS ends before this time (epoch milliseconds). Default: none, but each call has its own time limit. */
  readonly deadline?: number | undefined;
} & Pick<RequestOptions, 'exactNumbers'>;

export type SessionOptions = UseOptions & {
  /** Idempotency key. If a lease with this id is already open, that lease is used and then closed. Default: a random id. */
  readonly leaseId?: string;
  /** How long the lease lasts, from 60 to 86400 seconds. Default: 900. Work that takes longer loses its session. */
  readonly leaseSeconds?: number;
  /** The job that the work belongs to. When the owner ends, so does the session. Default: none. */
  readonly owner?: string;
};

/** The time limit for opening a session or logging in again. After a crash, the intent can be taken over soon after this time. */
const OPENING_MS = 30_000;

/** Opens a session, runs the work, and closes the session even if the work fails. lib/index.ts documents this function for callers. */
export async function withSession<T>(
  ports: Ports,
  array: string,
  work: Work<T>,
  options: SessionOptions = {},
): Promise<T> {
  const { deadline, exactNumbers, ...fields } = options;
  const request = parseLoginRequest({ array, ...fields }, ports.newId());
  const workDeadline = deadline === undefined ? undefined : deadline - CLOSING_MS;
  const { leaseId } = request;
  const opening = openSession(ports, request, within(OPENING_MS, ports, workDeadline));
  const end = (): Promise<void> =>
    bestEffort(ports, 'LogoutFailed', { leaseId }, async () => {
      const { outcome } = await closeSession(ports, leaseId, ports.now() + CLOSING_MS);
      // Our own call to `openSession` then logs out as soon as it has logged in, so wait for that call.
      if (outcome === 'ENDING') await opening.catch(() => {});
    });
  running.add(end);
  try {
    await opening;
    try {
      return await withLease(ports, leaseId, work, { deadline: workDeadline, exactNumbers });
    } finally {
      const closingDeadline = within(CLOSING_MS, ports, deadline);
      await bestEffort(ports, 'LogoutFailed', { leaseId, array }, () => closeSession(ports, leaseId, closingDeadline));
    }
  } finally {
    running.delete(end);
  }
}

/**
 * Functions that close this process's open `withSession` sessions. Each function is added before the lease is
 * requested, and removed once the lease is closed.
 */
const running = new Set<() => Promise<void>>();

/**
 * Installs handlers for SIGINT and SIGTERM that close every session that `withSession` has open in this process, then end the process as
 * usual. A second signal ends the process at once. Call this once, at the start of a program. Lambda functions do not need it, because the
 * sweeper closes any sessions that they leave open. Returns a function that removes the signal handlers.
 *
 * @example
 * closeOnSignals();
 * await withSession('fb1', ({ request }) => request({ method: 'GET', path: '/api/2.15/arrays' }));
 */
export function closeOnSignals(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): () => void {
  const undo = (): void => {
    for (const signal of signals) process.off(signal, stop);
  };
  const stop = (signal: NodeJS.Signals): void => {
    undo();
    void Promise.all([...running].map((end) => end())).finally(() => process.kill(process.pid, signal));
  };
  for (const signal of signals) process.on(signal, stop);
  return undo;
}

/** Runs work under a lease that another call opened, and leaves the lease open. lib/index.ts documents this function for callers. */
export async function withLease<T>(
  ports: Ports,
  leaseId: string,
  work: Work<T>,
  { deadline, exactNumbers }: UseOptions = {},
): Promise<T> {
  let held = await unsealLease(ports, leaseId, within(OPENING_MS, ports, deadline));
  let ongoing: Promise<Held> | undefined;

  async function request(call: ArrayRequest): Promise<ArrayResponse> {
    const used = held;
    const response = await send(used, call);
    if (!isRefusal(response.status)) return response;
    // Calls that are refused concurrently share one login.
    if (held === used) held = await reloginOnce(used, call);
    const second = await send(held, call);
    if (isRefusal(second.status)) throw forbidden(used, call);
    return second;
  }

  async function reloginOnce(used: Held, call: ArrayRequest): Promise<Held> {
    ongoing ??= relogin(ports, used, within(OPENING_MS, ports, deadline)).finally(() => {
      ongoing = undefined;
    });
    const other = await ongoing;
    if (other === used) throw forbidden(used, call);
    return other;
  }

  async function send(by: Held, call: ArrayRequest): Promise<ArrayResponse> {
    const { session } = by;
    const options = { requestId: ports.newId(), deadline, exactNumbers };
    const response = await ports.flashblade.request(session, call, options);
    refuseBlocked(session.array, call, response);
    // An error does not prove that the session is alive, because the error may come from a proxy.
    if (response.status < 300) by.workedAt = ports.now();
    return response;
  }

  async function apiVersions(): Promise<readonly string[]> {
    const { session } = held;
    const options = { requestId: ports.newId(), tokens: tokensOf(session), deadline };
    return (await ports.flashblade.apiVersions(session.array, options)).data;
  }

  return work({ lease: leaseOf(held.lease), request, apiVersions });
}

const within = (ms: number, ports: Ports, deadline = Number.POSITIVE_INFINITY): number =>
  Math.min(ports.now() + ms, deadline);

/**
 * Throws ARRAY_UNREACHABLE if a call was refused by something in front of the array. Such a refusal says nothing about the session or its
 * user. A relogin would end a live session, and callers would look for a missing permission.
 */
export function refuseBlocked(array: FlashBlade, { method, path }: ArrayRequest, response: ArrayResponse): void {
  const { status, isInFront } = response;
  if (isInFront && isRefusal(status)) throw blocked(array, `${method} ${path}`, status);
}

const forbidden = ({ lease: { target, username } }: Held, { method, path }: ArrayRequest): FlashBladeError =>
  new FlashBladeError(
    'FORBIDDEN',
    `array ${target.name} refused ${method} ${path} even after a new login. Give user ${username} permission to make this call, or use another user's API token`,
  );

/** Returns the error for a response status that the caller cannot use. `advice` is what to do next. */
export const unexpectedStatus = (
  array: string,
  { method, path }: Pick<ArrayRequest, 'method' | 'path'>,
  status: number,
  advice: string,
): FlashBladeError =>
  new FlashBladeError(
    status === 429 || status >= 500 ? 'ARRAY_BUSY' : 'ANSWER_INVALID',
    `array ${array} returned ${status} for ${method} ${path}: ${advice}`,
    { status, sent: true },
  );
