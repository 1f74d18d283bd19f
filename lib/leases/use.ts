/** Runs work under a lease that another call opened. */
import { about, type ErrorFacts, FlashBladeError } from '../core/errors.ts';
import type { FlashBlade, Lease } from '../core/model.ts';
import {
  type ArrayRequest,
  type ArrayResponse,
  type CallOptions,
  type RequestOptions,
  tokensOf,
} from '../flashblade/client.ts';
import { blocked, isRefusal } from '../flashblade/responses.ts';
import { type Held, leaseOf } from './open.ts';
import type { Ports } from './ports.ts';
import { relogin, unsealLease } from './session.ts';

/** The argument that `work` receives: the lease and a way to call the array, but never the auth token. */
export type Use = {
  readonly lease: Lease;
  /**
   * Makes one REST call in the session. After a 401 or 403, the lease gets a new session and the call is retried once. A second refusal is
   * thrown as FORBIDDEN. A 401 or 403 from something in front of the array, such as a proxy, is thrown as ARRAY_UNREACHABLE. Any other
   * status is returned as is. Numbers beyond 2^53 are rounded unless the option `exactNumbers` is set.
   */
  request(call: ArrayRequest, options?: RequestOptions): Promise<ArrayResponse>;
  /** Returns the REST versions that the array lists. Needs no session, and does not keep the session alive. */
  apiVersions(options?: CallOptions): Promise<readonly string[]>;
};

export type Work<T> = (use: Use) => Promise<T> | T;

export type UseOptions = {
  /** Every call to the array or to AWS ends before this time (epoch milliseconds). Default: none, but each call has its own time limit. */
  readonly deadline?: number | undefined;
  /** Aborts the calls to the array. A login that a call needs is not aborted, because its session must be recorded. */
  readonly signal?: AbortSignal | undefined;
  /** Facts of every error, in addition to those of the lease. */
  readonly facts?: ErrorFacts | undefined;
} & Pick<RequestOptions, 'exactNumbers'>;

/** The time limit for opening a session or logging in again. After a crash, the intent can be taken over soon after this time. */
export const OPENING_MS = 30_000;

/** Runs work under a lease that another call opened, and leaves the lease open. Returns after any login that a call needed. */
export async function withLease<T>(
  ports: Ports,
  leaseId: string,
  work: Work<T>,
  { deadline, signal, exactNumbers, facts = {} }: UseOptions = {},
): Promise<T> {
  signal?.throwIfAborted();
  let held = await unsealLease(ports, leaseId, within(OPENING_MS, ports, deadline)).catch((error) => {
    throw about(error, { phase: 'open', leaseId, ...facts });
  });
  signal?.throwIfAborted();
  let ongoing: Promise<Held> | undefined;

  async function request(call: ArrayRequest, options: RequestOptions = {}): Promise<ArrayResponse> {
    const used = held;
    const response = await send(used, call, options);
    if (!isRefusal(response.status)) return response;
    // Calls that are refused concurrently share one login.
    if (held === used) held = await unlessAborted(reloginOnce(used, call, response), signal, options.signal);
    const second = await send(held, call, options);
    if (isRefusal(second.status)) throw forbidden(used, call, second);
    return second;
  }

  async function reloginOnce(used: Held, call: ArrayRequest, response: ArrayResponse): Promise<Held> {
    ongoing ??= relogin(ports, used, within(OPENING_MS, ports, deadline)).finally(() => {
      ongoing = undefined;
    });
    const other = await ongoing;
    if (other === used) throw forbidden(used, call, response);
    return other;
  }

  async function send(by: Held, call: ArrayRequest, options: RequestOptions): Promise<ArrayResponse> {
    const { session } = by;
    const response = await ports.flashblade.request(session, call, { exactNumbers, ...common(options) });
    refuseBlocked(session.array, call, response);
    // An error does not prove that the session is alive, because the error may come from a proxy.
    if (response.status < 300) by.workedAt = ports.now();
    return response;
  }

  async function apiVersions(options: CallOptions = {}): Promise<readonly string[]> {
    const { session } = held;
    return (await ports.flashblade.apiVersions(session.array, { tokens: tokensOf(session), ...common(options) })).data;
  }

  /** One call's own options, within the limits of the whole work. */
  const common = <Options extends CallOptions>(options: Options): Options => ({
    requestId: ports.newId(),
    ...options,
    deadline,
    signal: anyOf(signal, options.signal),
  });

  /** Says in errors which call failed. */
  const explained = <Result>(call: Promise<Result>, options?: CallOptions): Promise<Result> =>
    call.catch((error) => {
      throw about(error, { phase: 'call', array: held.lease.target.name, leaseId, ...facts }, signal, options?.signal);
    });

  try {
    return await work({
      lease: leaseOf(held.lease),
      request: (call, options) => explained(request(call, options), options),
      apiVersions: (options) => explained(apiVersions(options), options),
    });
  } finally {
    // If a call was aborted, its login goes on.
    await ongoing?.catch(() => {});
  }
}

/** Rejects with the reason of the signal that is aborted first, unless the promise settles before. */
export async function unlessAborted<T>(
  promise: Promise<T>,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<T> {
  const signal = anyOf(...signals);
  if (signal === undefined) return promise;
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: settled.signal });
  });
  return Promise.race([aborted, promise]).finally(() => settled.abort());
}

/** Returns a signal that is aborted as soon as one of these is. */
export function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}

export const within = (ms: number, ports: Ports, deadline = Number.POSITIVE_INFINITY): number =>
  Math.min(ports.now() + ms, deadline);

/**
 * Throws ARRAY_UNREACHABLE if a call was refused by something in front of the array. Such a refusal says nothing about the session or its
 * user. A relogin would end a live session, and callers would look for a missing permission.
 */
export function refuseBlocked(array: FlashBlade, { method, path }: ArrayRequest, response: ArrayResponse): void {
  const { status, isInFront, requestId } = response;
  if (isInFront && isRefusal(status)) throw blocked(array, `${method} ${path}`, status, { requestId });
}

const forbidden = (
  { lease: { target, username } }: Held,
  { method, path }: ArrayRequest,
  { status, requestId }: ArrayResponse,
): FlashBladeError =>
  new FlashBladeError(
    'FORBIDDEN',
    `array ${target.name} refused ${method} ${path} even after a new login. Give user ${username} permission to make this call, or use another user's API token`,
    { status, sent: true, requestId },
  );

/** Returns the error for a response status that the caller cannot use. `advice` is what to do next. */
export const unexpectedStatus = (
  array: string,
  { method, path }: Pick<ArrayRequest, 'method' | 'path'>,
  { status, requestId }: Pick<ArrayResponse, 'status' | 'requestId'>,
  advice: string,
): FlashBladeError =>
  new FlashBladeError(
    status === 429 || status >= 500 ? 'ARRAY_BUSY' : 'ANSWER_INVALID',
    `array ${array} returned ${status} for ${method} ${path}: ${advice}`,
    { array, status, sent: true, requestId },
  );
