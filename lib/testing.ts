/**
 * flashblade-sessions/testing: a fake fleet for the tests of programs that use this library.
 *
 * The fleet runs the library's own code for leases, but its arrays, secrets and ledger are in memory. It needs no AWS account, no network,
 * no environment variables and no particular test framework.
 */
import './core/node-version.ts';
import { AssertionError } from 'node:assert';
import { readConfig } from './core/config.ts';
import { outOfTime } from './core/deadlines.ts';
import { about, FlashBladeError } from './core/errors.ts';
import type { Report } from './core/reports.ts';
import { arrayName, check } from './core/validation.ts';
import { invalid, onlyKnown } from './flashblade/arguments.ts';
import type { ArrayRequest } from './flashblade/client.ts';
import { toWire } from './flashblade/requests.ts';
import { parseBody } from './flashblade/responses.ts';
import { type Fleet, type FleetLimits, fleetOf, givenLimits, mustBeFunction } from './fleet-of.ts';
import { leaseKey } from './leases/items.ts';
import type { Ports } from './leases/ports.ts';
import { sweep } from './leases/sweep.ts';
import { unlessAborted } from './leases/use.ts';
import { memoryArrays, type Responder, type Response } from './testing/arrays.ts';
import { settled, standingClock, waitBy } from './testing/clock.ts';
import { plainSeal } from './testing/seal.ts';
import { memorySecrets } from './testing/secrets.ts';
import { memoryStore } from './testing/store.ts';

export type { EventName, Report } from './core/reports.ts';
export type { Fleet, FleetLimits } from './fleet-of.ts';

/** A REST call that your program makes in a session, as an array receives it. */
export interface FakeCall {
  /** Name of the array. */
  readonly array: string;
  readonly method: ArrayRequest['method'];
  /** Path with the REST version, such as `/api/2.15/file-systems`. */
  readonly path: string;
  /** The values are strings, such as `{ limit: '5' }`. Empty if the call has no query. */
  readonly query: Readonly<Record<string, string>>;
  /** The parsed JSON value, or undefined if the call has no body. */
  readonly body: unknown;
}

/** An array's response to a REST call. */
export interface FakeResponse {
  /** HTTP status. 401 and 403 make the library log in again, once. Default: 200. */
  readonly status?: number | undefined;
  /** JSON value, or a text. Default: `{ items: [] }`. */
  readonly body?: unknown;
  /** Such as `{ 'retry-after': '10' }`, with lowercase names. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Options of `fakeFleet`. */
export interface FakeFleetOptions {
  /** Names of the arrays. Every other name fails with ARRAY_UNKNOWN. Default: `['fb1', 'fb2']`. */
  readonly arrays?: readonly string[] | undefined;
  /**
   * Responds to REST calls. If it throws, your program's call throws the same error. Default: status 200 with `{ items: [] }`.
   *
   * @example
   * const fleet = fakeFleet({ respond: ({ path }) => (path.endsWith('/arrays') ? { body: { items: [] } } : { status: 404 }) });
   */
  readonly respond?: ((call: FakeCall) => FakeResponse | undefined | Promise<FakeResponse | undefined>) | undefined;
  /** REST versions that the arrays list. Default: `['2.15']`. */
  readonly versions?: readonly string[] | undefined;
  /** Limits of the fleet. An array also ends sessions after `arrayIdleSeconds`. Default: those of `createFleet`. */
  readonly limits?: FleetLimits | undefined;
  /** Returns the time in milliseconds since the epoch, as `Date.now` does. Default: a clock that stands still until you call `pass`. */
  readonly now?: (() => number) | undefined;
  /** Returns a new id on every call, for leases and requests. Default: `id-1`, `id-2` and so on. */
  readonly newId?: (() => string) | undefined;
}

/** A session that is open on a fake array. */
export interface FakeSession {
  /** Name of the array. */
  readonly array: string;
  readonly leaseId: string;
  readonly username: string;
  /**
   * - `open`: a lease is open for it.
   * - `closing`: its lease was closed, but the array did not respond. The sweeper tries again.
   * - `lost`: the response to its login was lost, so nothing can close it. The array ends it after the idle timeout.
   */
  readonly state: 'open' | 'closing' | 'lost';
}

/** One array of a fake fleet, and ways to make it fail. */
export interface FakeArray {
  /**
   * From now on, logins fail with LOGIN_REFUSED, as with an API token that has expired.
   *
   * @example
   * fleet.array('fb1').refuseLogins();
   * await assert.rejects(fleet.open('fb1'), { code: 'LOGIN_REFUSED' });
   */
  refuseLogins(): void;
  /**
   * Stores a new API token in the array's secret, which the array accepts.
   *
   * @example
   * fleet.array('fb1').refuseLogins();
   * fleet.array('fb1').acceptLogins();
   * await fleet.withSession('fb1', (fb) => fb.get('/arrays'));
   */
  acceptLogins(): void;
  /**
   * The next login opens a session, but its response is lost. It fails with LOGIN_UNKNOWN, and a SUSPECT is recorded.
   *
   * @example
   * fleet.array('fb1').loseNextLogin();
   * await assert.rejects(fleet.open('fb1'), { code: 'LOGIN_UNKNOWN' });
   */
  loseNextLogin(): void;
  /**
   * From now on, everything fails with ARRAY_UNREACHABLE. The sessions stay open.
   *
   * @example
   * fleet.array('fb1').goDown();
   * await assert.rejects(fleet.open('fb1'), { code: 'ARRAY_UNREACHABLE' });
   */
  goDown(): void;
  /**
   * The array responds again.
   *
   * @example
   * fleet.array('fb1').goDown();
   * fleet.array('fb1').comeBack();
   * await fleet.withSession('fb1', (fb) => fb.get('/arrays'));
   */
  comeBack(): void;
  /**
   * Ends all sessions, as a restart of the array does. The next call in a session logs in again.
   *
   * @example
   * await fleet.withSession('fb1', async (fb) => {
   *   fleet.array('fb1').dropSessions();
   *   await fb.get('/arrays');
   * });
   */
  dropSessions(): void;
}

/**
 * A fleet in memory, with the functions of a real one. `await using` checks at the end of the block that no lease is open, and throws an
 * AssertionError that names the leases.
 */
export interface FakeFleet extends Fleet, AsyncDisposable {
  /** Every report so far, such as LoginSucceeded. `createFleet` passes these to `onEvent`. Reports of the sweeper are left out. */
  readonly events: readonly Report[];
  /**
   * Returns the sessions that are open on the arrays now, oldest first.
   *
   * @example
   * await fleet.withSession('fb1', () => assert.equal(fleet.openSessions().length, 1));
   * assert.deepEqual(fleet.openSessions(), []);
   */
  openSessions(): readonly FakeSession[];
  /**
   * Returns an array of the fleet. Throws REQUEST_INVALID if there is none with this name.
   *
   * @example
   * fleet.array('fb1').goDown();
   * const [result] = await fleet.map(['fb1'], (fb) => fb.get('/arrays'));
   */
  array(name: string): FakeArray;
  /**
   * Returns the fleet's time in milliseconds since the epoch.
   *
   * @example
   * const before = fleet.now();
   * await fleet.pass(60);
   * assert.equal(fleet.now() - before, 60_000);
   */
  now(): number;
  /**
   * Moves the fleet's clock, and runs everything that is due along the way: renewals, time limits of calls, and each minute the sweeper.
   * At most 31 days at a time. Throws REQUEST_INVALID if the fleet has the option `now`.
   *
   * @example
   * const hourLong = async (fb: FleetSession) => {
   *   await fleet.pass(3600);
   *   await fb.get('/arrays');
   * };
   * await fleet.withSession('fb1', hourLong, { renew: 'auto' });
   */
  pass(seconds: number): Promise<void>;
  /**
   * Runs the sweeper once. As in a deployed stack, it closes the sessions of expired leases, and retries failed logouts.
   *
   * @example
   * await fleet.sweep();
   * console.log(fleet.openSessions());
   */
  sweep(): Promise<void>;
}

const OPTIONS = ['arrays', 'respond', 'versions', 'limits', 'now', 'newId'];
/** How often a deployed stack runs the sweeper, and how long it may take. */
const SWEEP_MS = 60_000;
/** The longest time that `pass` moves the clock by, a month. A number of milliseconds is usually greater. */
const MAX_PASS_SECONDS = 31 * 86_400;
/** The default time limit of a call to an array. */
const CALL_MS = 10_000;

/**
 * Returns a fleet in memory, for tests.
 *
 * @throws FlashBladeError REQUEST_INVALID or CONFIG_INVALID, which name the option.
 * @example
 * await using fleet = fakeFleet({ respond: () => ({ body: { items: [{ name: 'home' }] } }) });
 * const { items } = await fleet.withSession('fb1', (fb) => fb.get<{ items: object[] }>('/file-systems'));
 * assert.deepEqual(items, [{ name: 'home' }]);
 */
export function fakeFleet(options: FakeFleetOptions = {}): FakeFleet {
  onlyKnown('options', options, OPTIONS);
  const { arrays: names = ['fb1', 'fb2'], respond = () => undefined, versions = ['2.15'], limits = {} } = options;
  const { newId = counter(), now: given } = options;
  for (const [name, value] of Object.entries({ respond, newId, now: given ?? Date.now }))
    mustBeFunction(`options.${name}`, value);
  checkVersions(versions);
  const config = readConfig({ LEASE_TABLE: 'leases', LEASE_KEY: 'alias/leases' }, givenLimits(limits));
  const { SESSIONS_PER_ARRAY, ARRAY_IDLE_SECONDS, MAX_LEASE_SECONDS } = config;

  const clock = standingClock(Date.now());
  const { now, wait } = given === undefined ? clock : { now: given, wait: waitBy(given) };
  const secrets = memorySecrets();
  const store = memoryStore();
  const arrays = memoryArrays({
    now,
    idleMs: ARRAY_IDLE_SECONDS * 1000,
    respond: responder(respond),
    factsOf: () => ({ versions }),
  });
  const events: Report[] = [];
  const ports: Ports = {
    secrets: secrets.port,
    store,
    seal: plainSeal,
    flashblade: { ...arrays.flashblade, request: inTime(arrays.flashblade.request, now, wait) },
    limits: {
      sessionsPerArray: SESSIONS_PER_ARRAY,
      arrayIdleSeconds: ARRAY_IDLE_SECONDS,
      maxLeaseSeconds: MAX_LEASE_SECONDS,
    },
    report: (report) => void events.push(report),
    now,
    wait,
    random: () => 0.5,
    newId,
  };

  const tokens = counter('T-');
  const storeToken = (name: string): void => arrays.accept(name, secrets.change(name, { token: tokens() }).token);
  const known = checkedNames(names);
  for (const name of known) storeToken(name);

  const sweepNow = async (): Promise<void> => {
    // The sweeper is a program of its own, so its reports are not this program's.
    await sweep({ ...ports, report: () => {} }, now() + SWEEP_MS);
  };
  let sweepAt = now() + SWEEP_MS;

  const openSessions = (): readonly FakeSession[] =>
    arrays.live().map(({ array, requestId, user }) => {
      // An attempt has its slot before it logs in, and keeps it until the session is certain to have ended.
      const { leaseId = '', suspect } = store.slotsOf(array).get(requestId) ?? {};
      const lease = store.items.get(leaseKey(leaseId));
      const isClosing = lease?.kind === 'lease' && (lease.state === 'CLOSING' || lease.state === 'STUCK');
      return { array, leaseId, username: user, state: suspect ? 'lost' : isClosing ? 'closing' : 'open' };
    });

  return {
    ...fleetOf(ports),
    events,
    openSessions,
    now,
    sweep: sweepNow,
    array: (name) => {
      if (!known.includes(name)) throw invalid('array', `must be one of ${known.join(', ')}`);
      return {
        refuseLogins: () => arrays.refuse(name),
        acceptLogins: () => storeToken(name),
        loseNextLogin: () => void arrays.losing.add(name),
        goDown: () => void arrays.down.add(name),
        comeBack: () => void arrays.down.delete(name),
        dropSessions: () => arrays.dropSessions(name),
      };
    },
    pass: async (seconds) => {
      if (given !== undefined) throw invalid('pass', 'moves only the clock of the fleet. Move the one in options.now');
      if (!(typeof seconds === 'number' && seconds >= 0 && seconds <= MAX_PASS_SECONDS))
        throw invalid('seconds', `must be a number of seconds from 0 to ${MAX_PASS_SECONDS}`);
      const until = now() + seconds * 1000;
      while (sweepAt <= until) {
        const at = sweepAt;
        sweepAt += SWEEP_MS;
        await clock.moveTo(at);
        await sweepNow();
      }
      await clock.moveTo(until);
    },
    [Symbol.asyncDispose]: async () => {
      await settled();
      const left = openSessions().filter(({ state }) => state === 'open');
      if (left.length === 0) return;
      const list = left.map(({ array, leaseId }) => `${leaseId} on ${array}`).join(', ');
      const message = `these leases are still open: ${list}. Close them, or use withSession`;
      throw new AssertionError({ message, actual: left, expected: [] });
    },
  };
}

function counter(prefix = 'id-'): () => string {
  let last = 0;
  return () => `${prefix}${++last}`;
}

function checkedNames(names: readonly string[]): readonly string[] {
  if (!Array.isArray(names) || names.length === 0)
    throw invalid('options.arrays', 'must be a list of array names, such as ["fb1"]');
  return names.map((name, index) => check(arrayName, name, 'REQUEST_INVALID', `options.arrays.${index}`));
}

function checkVersions(versions: readonly string[]): void {
  const isVersion = (one: unknown) => typeof one === 'string' && /^\d{1,3}\.\d{1,3}$/.test(one);
  if (!Array.isArray(versions) || versions.length === 0 || !versions.every(isVersion))
    throw invalid('options.versions', 'must be a list of REST versions, such as ["2.15"]');
}

type Request = Ports['flashblade']['request'];

/** Makes calls obey what the real client obeys: the rules for a call, its time limits, and its signal. */
const inTime =
  (request: Request, now: Ports['now'], wait: Ports['wait']): Request =>
  async (session, call, options) => {
    const { timeoutMs = CALL_MS, deadline = Number.POSITIVE_INFINITY, signal, requestId = '' } = options;
    const { name } = session.array;
    toWire(call);
    signal?.throwIfAborted();
    const ms = Math.min(timeoutMs, deadline - now());
    if (ms <= 0) throw outOfTime(`send the request to array ${name}`);
    const done = new AbortController();
    const late = wait(ms, done.signal).then(() => {
      const what = `the response did not arrive within ${ms} ms. The array may have executed the request.`;
      throw new FlashBladeError('ARRAY_UNREACHABLE', `array ${name}: ${what}`, { sent: true });
    });
    const response = Promise.race([request(session, call, options), late]).catch((error) => {
      throw about(error, { array: name, requestId });
    });
    try {
      return await unlessAborted(response, signal);
    } finally {
      done.abort();
    }
  };

/** Calls the program's function with what an array would receive, and checks and copies what it returns. */
const responder =
  (respond: NonNullable<FakeFleetOptions['respond']>): Responder =>
  async (array, { method, path, query = {}, body }, { exactNumbers }) => {
    const texts = Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const copy: unknown = body === undefined ? undefined : JSON.parse(JSON.stringify(body));
    return checkedResponse(await respond({ array, method, path, query: texts, body: copy }), exactNumbers);
  };

function checkedResponse(response: FakeResponse = {}, exactNumbers = false): Response {
  const what = 'the result of respond';
  onlyKnown(what, response, ['status', 'body', 'headers']);
  const { status = 200, body = { items: [] }, headers = {} } = response;
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw invalid(`${what}.status`, 'must be a whole number from 200 to 599');
  if (typeof body === 'string') return { status, headers, body };
  const parsed = parseBody(jsonOf(body) ?? '', exactNumbers);
  if (parsed === undefined) throw invalid(`${what}.body`, 'must be a JSON value or a text');
  return { status, headers, body: parsed };
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
