/** The functions of a fleet, on any ports: real ones in create-fleet.ts, in-memory ones in testing.ts. */
import type { Given } from './core/config.ts';
import { CLOSING_MS } from './core/deadlines.ts';
import { about, type ErrorFacts, type FlashBladeError } from './core/errors.ts';
import { mapLimit } from './core/map-limit.ts';
import type { Lease as StoredLease } from './core/model.ts';
import { arrayName, callersId, check } from './core/validation.ts';
import {
  AWAIT,
  checkedCall,
  checkedMs,
  checkedObject,
  checkedSignal,
  invalid,
  isPositive,
  isPromise,
  onlyKnown,
} from './flashblade/arguments.ts';
import { type ArrayCalls, type CallOptions, callsOf } from './flashblade/calls.ts';
import { type CloseResult, closeSession } from './leases/close.ts';
import type { Ports } from './leases/ports.ts';
import { renewLease } from './leases/renew.ts';
import { DEFAULT_LEASE_SECONDS, type OpenRequest, parseOpenRequest, parseRenewRequest } from './leases/requests.ts';
import { anyOf, OPENING_MS, type Use, type UseOptions, unlessAborted, withLease } from './leases/use.ts';
import { openUnlessAborted, withSession } from './leases/with-session.ts';

/** A lease: the right to use a session until `expiresAt`. */
export interface Lease {
  /** Any program and function of the stack can use or close the session with this id. It is not a secret. */
  readonly leaseId: string;
  /** Name of the array. */
  readonly array: string;
  /** The array's user that the API token in the array's secret belongs to. */
  readonly username: string;
  /** When the lease ends unless it is renewed. Then the sweeper closes the session. */
  readonly expiresAt: Date;
}

/** A lease that closes its session at the end of an `await using` block. */
export interface OpenLease extends Lease, AsyncDisposable {}

/** Limits that all programs of a stack share. */
export interface FleetLimits {
  /** Live leases per array, from 1 to 500. Variable: `SESSIONS_PER_ARRAY`. Default: 50. */
  readonly sessionsPerArray?: number | undefined;
  /** Idle time after which an array ends a session, from 300 to 86400 seconds. Variable: `ARRAY_IDLE_SECONDS`. Default: 1800. */
  readonly arrayIdleSeconds?: number | undefined;
  /** Lifetime of a renewed lease, from 60 to 604800 seconds. Variable: `MAX_LEASE_SECONDS`. Default: 86400. */
  readonly maxLeaseSeconds?: number | undefined;
}

/** Options of `close`, which all functions of a fleet accept. */
export interface CloseOptions {
  /** Milliseconds after which the function gives up. Each function says what its minimum and default are. */
  readonly timeoutMs?: number | undefined;
  /** Aborts the function, which then throws the signal's reason. A session that was being opened is closed first. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `withLease`. `timeoutMs` has no default. */
export interface LeaseOptions extends CloseOptions {
  /** The default for every call in the session. See `RequestOptions`. Default: false. */
  readonly exactNumbers?: boolean | undefined;
}

/** Options of `renew`. */
export interface RenewOptions extends CloseOptions {
  /** How long the lease lasts from now, in seconds, at most `limits.maxLeaseSeconds`. Never shortens the lease. Default: 900. */
  readonly leaseSeconds?: number | undefined;
}

/** Options of `open`. */
export interface OpenOptions extends CloseOptions {
  /** Idempotency key. If a lease with this id is already open, that lease is returned. Default: a random id. */
  readonly leaseId?: string | undefined;
  /** How long the lease lasts, from 60 to 86400 seconds. Default: 900. */
  readonly leaseSeconds?: number | undefined;
  /** The job that the session belongs to. When the owner ends, so does the session. Default: none. */
  readonly owner?: string | undefined;
}

/** Options of `withSession`. `timeoutMs` is at least 20000 and includes closing the session, for which ten seconds are reserved. Default: none. */
export interface SessionOptions extends OpenOptions {
  /** `auto` renews the lease as long as the work runs. By default, work that takes longer than `leaseSeconds` loses its session. */
  readonly renew?: 'auto' | undefined;
  /** How long `renew` may keep the session, in seconds: more than `leaseSeconds`. Maximum and default: `limits.maxLeaseSeconds`. */
  readonly maxSeconds?: number | undefined;
  /** The default for every call in the session. See `RequestOptions`. Default: false. */
  readonly exactNumbers?: boolean | undefined;
}

/** Options of `map`: those of `withSession`, for each array. */
export interface MapOptions extends Omit<SessionOptions, 'leaseId'> {
  /** How many arrays are worked on at a time, from 1 to 1000. Default: 16. */
  readonly concurrency?: number | undefined;
}

/** The outcome of `map` for one array. */
export type MapResult<T> =
  | { readonly ok: true; readonly array: string; readonly value: T }
  | { readonly ok: false; readonly array: string; readonly error: unknown };

/** The session that your work receives. It never contains a token. If the array drops the session, the next call logs in again, once. */
export interface FleetSession extends ArrayCalls {
  readonly lease: Lease;
  /** Never aborted if you passed no signal. Pass it on to other calls. */
  readonly signal: AbortSignal;
  /**
   * Extends the lease and keeps the session from its idle timeout. Like `renew` of the fleet.
   *
   * @example
   * await fleet.withSession('fb1', async (fb) => {
   *   const { expiresAt } = await fb.renew({ leaseSeconds: 3600 });
   * });
   */
  renew(options?: RenewOptions): Promise<Lease>;
}

/** Your callback. Its result is returned, and its errors are rethrown. */
export type SessionWork<T> = (session: FleetSession) => Promise<T> | T;

/** The arrays of one stack. Errors have the facts `array`, `leaseId` and `phase`. */
export interface Fleet {
  /**
   * Opens a session on an array, runs the work, and closes the session even if the work fails.
   *
   * A failure to close the session is reported to `onEvent`, not thrown, so that it does not hide the work's result or error. The sweeper
   * then closes the session.
   *
   * @throws FlashBladeError if the session cannot be opened, and anything that `work` throws.
   * @example
   * const arrays = await fleet.withSession('fb1', (fb) => fb.get('/arrays'));
   */
  withSession<T>(array: string, work: SessionWork<T>, options?: SessionOptions): Promise<T>;
  /**
   * Runs work under a lease that another call opened, and leaves the lease open.
   *
   * @throws FlashBladeError LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED, LEASE_ALTERED, AWS_UNAVAILABLE or OUT_OF_TIME, and anything that
   * `work` throws.
   * @example
   * const arrays = await fleet.withLease(leaseId, (fb) => fb.get('/arrays'));
   */
  withLease<T>(leaseId: string, work: SessionWork<T>, options?: LeaseOptions): Promise<T>;
  /**
   * Opens a session that outlives this call. Repeating the call with the same `leaseId` returns the same lease. `timeoutMs` is at least
   * 10000. Default: 30000.
   *
   * @throws FlashBladeError with any code in docs/errors.md except FORBIDDEN and CALL_REFUSED. Even then, the ledger lists every session that
   * may remain on the array.
   * @example
   * const { leaseId, expiresAt } = await fleet.open('fb1', { leaseSeconds: 3600 });
   * await fleet.close(leaseId);
   */
  open(array: string, options?: OpenOptions): Promise<OpenLease>;
  /**
   * Closes a lease's session, whatever the lease's state. Safe to repeat. After an error, the ledger tracks the session until it has ended.
   * `timeoutMs` is at least 5000. Default: 10000. After an abort, closing goes on in the background.
   *
   * @throws FlashBladeError ARRAY_BUSY, ANSWER_INVALID, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, LEASE_ALTERED, AWS_UNAVAILABLE, OUT_OF_TIME or
   * REQUEST_INVALID.
   * @example
   * const { outcome } = await fleet.close(leaseId);
   */
  close(leaseId: string, options?: CloseOptions): Promise<CloseResult>;
  /**
   * Extends a lease and keeps its session from the array's idle timeout. `timeoutMs` is at least 5000. Default: 30000.
   *
   * @throws FlashBladeError LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED, REQUEST_INVALID (beyond `maxLeaseSeconds`), and what a call throws.
   * @example
   * await fleet.renew(leaseId, { leaseSeconds: 3600 });
   */
  renew(leaseId: string, options?: RenewOptions): Promise<Lease>;
  /**
   * Runs the work in a session on each array, several at a time. Never throws because of one array: each result says whether the work
   * succeeded. The results have the order of `arrays`.
   *
   * @example
   * const results = await fleet.map(['fb1', 'fb2'], (fb) => fb.get('/arrays'), { concurrency: 8 });
   * for (const result of results) console.log(result.array, result.ok ? result.value : result.error);
   */
  map<T>(arrays: Iterable<string>, work: SessionWork<T>, options?: MapOptions): Promise<readonly MapResult<T>[]>;
}

const OF_LEASE = ['timeoutMs', 'signal'];
const OF_OPEN = [...OF_LEASE, 'leaseId', 'leaseSeconds', 'owner'];
const OF_SESSION = [...OF_OPEN, 'renew', 'maxSeconds', 'exactNumbers'];
const OF_MAP = ['concurrency', ...OF_SESSION.filter((name) => name !== 'leaseId')];
/** The least `timeoutMs`. Shorter ones would leave no time to undo what has begun. */
const MIN_MS = { withSession: 20_000, open: 10_000, close: 5000, renew: 5000, withLease: 1 };

/** Builds a fleet on any ports. */
export function fleetOf(ports: Ports): Fleet {
  const deadlineOf = ({ timeoutMs }: CloseOptions, fallbackMs = Number.POSITIVE_INFINITY): number =>
    ports.now() + (timeoutMs ?? fallbackMs);

  const fleet: Fleet = {
    withSession: async (array, work, options = {}) => {
      mustBeFunction('work', work);
      const request = checkedOpen(array, options, 'withSession', OF_SESSION);
      const { timeoutMs, signal, renew, maxSeconds, exactNumbers } = options;
      const deadline = timeoutMs === undefined ? undefined : deadlineOf(options);
      const limits = { deadline, signal, renew, maxSeconds, exactNumbers };
      const workDeadline = deadline === undefined ? undefined : deadline - CLOSING_MS;
      return withSession(ports, request, (use) => work(sessionOf(use, { signal, deadline: workDeadline })), limits);
    },

    withLease: async (leaseId, work, options = {}) => {
      mustBeFunction('work', work);
      checkedOptions(options, 'withLease', [...OF_LEASE, 'exactNumbers']);
      const { timeoutMs, signal, exactNumbers } = options;
      const deadline = timeoutMs === undefined ? undefined : deadlineOf(options);
      const run = (use: Use) => work(sessionOf(use, { signal, deadline }));
      return withLease(ports, checkedLeaseId(leaseId), run, { deadline, signal, exactNumbers });
    },

    open: async (array, options = {}) => {
      const request = checkedOpen(array, options, 'open', OF_OPEN);
      const opened = await openUnlessAborted(ports, request, deadlineOf(options, OPENING_MS), options.signal);
      const close = async (): Promise<void> => {
        await fleet.close(request.leaseId);
      };
      return Object.defineProperty(leaseOf(opened), Symbol.asyncDispose, { value: close }) as OpenLease;
    },

    close: async (leaseId, options = {}) => {
      checkedOptions(options, 'close', OF_LEASE);
      const id = checkedLeaseId(leaseId);
      options.signal?.throwIfAborted();
      const closing = closeSession(ports, id, deadlineOf(options, CLOSING_MS));
      return explained({ phase: 'close', leaseId: id }, unlessAborted(closing, options.signal), options.signal);
    },

    renew: (leaseId, options) => renew(leaseId, options),

    map: async (arrays, work, options = {}) => {
      mustBeFunction('work', work);
      const { concurrency = 16, ...each } = checkedObject(
        'options',
        options,
        'must be an object, or be omitted',
      ) as MapOptions;
      if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 1000)
        throw invalid('options.concurrency', 'must be a whole number from 1 to 1000');
      const names = checkedNames(arrays);
      // Before anything is opened, because nothing about the options differs between the arrays.
      checkedOpen('any', each, 'map', OF_MAP);
      return mapLimit(names, concurrency, (array) =>
        fleet.withSession(array, work, each).then(
          (value) => ({ ok: true, array, value }) as const,
          (error: unknown) => ({ ok: false, array, error }) as const,
        ),
      );
    },
  };
  return fleet;

  function checkedOpen(
    array: string,
    options: OpenOptions,
    what: keyof typeof MIN_MS | 'map',
    names: readonly string[],
  ): OpenRequest {
    checkedOptions(options, what === 'map' ? 'withSession' : what, names);
    checkedName(array);
    const { leaseId = ports.newId(), leaseSeconds, owner } = options;
    const fields = {
      array,
      leaseId,
      ...(leaseSeconds !== undefined && { leaseSeconds }),
      ...(owner !== undefined && { owner }),
    };
    const request = parseOpenRequest(fields, () => leaseId, what);
    checkMax(options, request);
    return request;
  }

  /** `within` are the limits of the work that renews its own lease. */
  async function renew(leaseId: string, options: RenewOptions = {}, within: UseOptions = {}): Promise<Lease> {
    checkedOptions(options, 'renew', [...OF_LEASE, 'leaseSeconds']);
    const { leaseSeconds = DEFAULT_LEASE_SECONDS } = options;
    const { maxLeaseSeconds } = ports.limits;
    if (!(isPositive(leaseSeconds) && leaseSeconds <= maxLeaseSeconds))
      throw invalid(
        'options.leaseSeconds',
        `must be a number of seconds, greater than 0 and at most ${maxLeaseSeconds}`,
      );
    const id = checkedLeaseId(leaseId);
    const request = parseRenewRequest({ leaseId: id, expiresAt: Math.ceil(ports.now() / 1000 + leaseSeconds) });
    const signal = anyOf(options.signal, within.signal);
    signal?.throwIfAborted();
    const deadline = Math.min(deadlineOf(options, OPENING_MS), within.deadline ?? Number.POSITIVE_INFINITY);
    const renewing = renewLease(ports, request, deadline, { signal, tooLate });
    return leaseOf(await explained({ phase: 'renew', leaseId: id }, renewing, signal));
  }

  /** Names what the program wrote. */
  function tooLate(latest: number, maxLeaseSeconds: number): FlashBladeError {
    const left = latest - Math.ceil(ports.now() / 1000);
    const rule = left > 0 ? `must be at most ${left} now` : 'cannot extend this lease';
    const why = `because a renewed lease lasts at most ${maxLeaseSeconds} seconds (limits.maxLeaseSeconds) from the request for it`;
    return invalid('options.leaseSeconds', `${rule}, ${why}`);
  }

  function checkMax({ renew, maxSeconds }: SessionOptions, { leaseSeconds }: OpenRequest): void {
    const { maxLeaseSeconds } = ports.limits;
    if (renew !== undefined && leaseSeconds >= maxLeaseSeconds)
      throw invalid(
        'options.renew',
        `has an effect only if leaseSeconds is less than ${maxLeaseSeconds} (limits.maxLeaseSeconds)`,
      );
    if (maxSeconds !== undefined && !(isPositive(maxSeconds) && maxSeconds <= maxLeaseSeconds))
      throw invalid('options.maxSeconds', `must be a number of seconds, greater than 0 and at most ${maxLeaseSeconds}`);
    if (maxSeconds !== undefined && maxSeconds <= leaseSeconds)
      throw invalid('options.maxSeconds', 'must be greater than leaseSeconds, because renew has no effect otherwise');
  }

  function sessionOf({ lease, request, apiVersions }: Use, within: UseOptions): FleetSession {
    const { signal = new AbortController().signal } = within;
    const calls = callsOf({
      facts: { array: lease.array, leaseId: lease.leaseId },
      request: async (call, options) => request(call, checkedCall(options, ['exactNumbers'])),
      apiVersions: async (options?: CallOptions) => apiVersions(checkedCall(options)),
    });
    return { ...calls, lease: leaseOf(lease), signal, renew: (options) => renew(lease.leaseId, options, within) };
  }
}

/** Says in errors what failed. */
const explained = <T>(facts: ErrorFacts, promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> =>
  promise.catch((error) => {
    throw about(error, facts, signal);
  });

const leaseOf = ({ leaseId, array, username, expiresAt }: StoredLease): Lease => ({
  leaseId,
  array,
  username,
  expiresAt: new Date(expiresAt * 1000),
});

function checkedOptions(options: SessionOptions, what: keyof typeof MIN_MS, names: readonly string[]): void {
  onlyKnown('options', options, names);
  const { timeoutMs, signal, renew, maxSeconds, exactNumbers } = options;
  checkedMs(timeoutMs, 'options.timeoutMs', MIN_MS[what]);
  checkedSignal(signal, 'options');
  if (renew !== undefined && renew !== 'auto') throw invalid('options.renew', "must be 'auto', or be omitted");
  if (maxSeconds !== undefined && renew === undefined)
    throw invalid('options.maxSeconds', "has an effect only with renew: 'auto'");
  if (exactNumbers !== undefined && typeof exactNumbers !== 'boolean')
    throw invalid('options.exactNumbers', 'must be true or false');
}

const checkedLeaseId = (leaseId: string): string => {
  const rule = 'must be a string: the id itself, such as lease.leaseId';
  if (isPromise(leaseId)) throw invalid('leaseId', `${rule}. ${AWAIT}`);
  if (typeof leaseId !== 'string')
    throw invalid('leaseId', typeof leaseId === 'object' ? `${rule}, not an object` : rule);
  return check(callersId, leaseId, 'REQUEST_INVALID', 'leaseId');
};

function checkedName(array: unknown): void {
  if (typeof array === 'string') return;
  const rule = 'must be a string: the name of an array';
  if (isPromise(array)) throw invalid('array', `${rule}. ${AWAIT}`);
  throw invalid('array', Array.isArray(array) ? `${rule}. For several arrays, use map` : rule);
}

function checkedNames(arrays: Iterable<string>): readonly string[] {
  if (typeof arrays === 'object' && arrays !== null && Symbol.iterator in arrays)
    return [...arrays].map((name, index) => check(arrayName, name, 'REQUEST_INVALID', `arrays.${index}`));
  const rule = "must be a list of array names, such as ['fb1', 'fb2']";
  throw invalid('arrays', isPromise(arrays) ? `${rule}. ${AWAIT}` : rule);
}

export function mustBeFunction(what: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw invalid(what, isPromise(value) ? 'must be a function, not the promise that it returns' : 'must be a function');
}

/** Returns the limits that a program gave, for `readConfig`. */
export function givenLimits(limits: FleetLimits): Given {
  onlyKnown('options.limits', limits, Object.keys(VARIABLE_OF_LIMIT));
  return givenIn(limits, VARIABLE_OF_LIMIT, 'limits.');
}

export const VARIABLE_OF_LIMIT = {
  sessionsPerArray: 'SESSIONS_PER_ARRAY',
  arrayIdleSeconds: 'ARRAY_IDLE_SECONDS',
  maxLeaseSeconds: 'MAX_LEASE_SECONDS',
} as const;

/** Returns the options of a program, under the names of the variables that they replace. */
export const givenIn = (options: object, variables: Readonly<Record<string, keyof Given>>, prefix = ''): Given =>
  Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => {
      const value: unknown = Object.hasOwn(options, name) ? options[name as keyof typeof options] : undefined;
      return [variable, { option: `${prefix}${name}`, value }];
    }),
  );
