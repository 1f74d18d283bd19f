/** The arrays in an in-memory fleet: live sessions, accepted API tokens and idle timeouts. */
import { FlashBladeError } from '../core/errors.ts';
import { authToken } from '../core/model.ts';
import type { ArrayRequest, RequestOptions } from '../flashblade/client.ts';
import { type HttpInfo, sessionOf } from '../flashblade/responses.ts';
import type { Ports } from '../leases/ports.ts';

export type LiveSession = {
  readonly array: string;
  /** The login's request id, which is the attempt id in the ledger. */
  readonly requestId: string;
  /** Milliseconds on the array's clock. */
  readonly startedAt: number;
  /** Milliseconds since the epoch. */
  usedAt: number;
  readonly user: string;
};

/** How an array responds to a call within a session. */
export type Response = Partial<Pick<HttpInfo, 'headers'>> & { readonly status: number; readonly body: unknown };

/** `sessions` are the array's live sessions. */
export type Responder = (
  array: string,
  call: ArrayRequest,
  options: RequestOptions,
  sessions: () => readonly LiveSession[],
) => Response | Promise<Response>;

/** The REST versions that an array lists, and the end of its certificate in seconds since the epoch. Each has a default. */
export type VersionFacts = { readonly versions?: readonly string[]; readonly certificateEndsAt?: number };

export type ArraysOptions = {
  readonly now: () => number;
  /** How long a session can be unused before the array ends it. Default: no limit. */
  readonly idleMs?: number;
  /** How far an array's clock is ahead of `now`. */
  readonly aheadMs?: (array: string) => number;
  /** Default: no items. */
  readonly respond?: Responder;
  readonly factsOf?: (array: string) => VersionFacts;
};

const USER = 'pureuser';
const VERSIONS = ['1.9', '1.10', '2.9', '2.10'];
const CERTIFICATE_SECONDS = 400 * 86_400;

export function memoryArrays(options: ArraysOptions) {
  const { now, idleMs = Number.POSITIVE_INFINITY, aheadMs = () => 0, factsOf = (): VersionFacts => ({}) } = options;
  const { respond = () => ({ status: 200, body: { items: [] } }) } = options;
  const sessions = new Map<string, LiveSession>();
  const accepted = new Map<string, Set<string>>();
  const down = new Set<string>();
  const dead = new Set<string>();
  const losing = new Set<string>();
  const logouts: string[] = [];
  let logins = 0;

  function live(): LiveSession[] {
    for (const [token, { usedAt }] of sessions) if (now() - usedAt >= idleMs) sessions.delete(token);
    return [...sessions.values()];
  }

  function reach(array: string, requestId?: string): void {
    if (down.has(array)) throw unreachable(array, false, requestId);
    live();
  }

  const info = (status: number, requestId = '') => ({ status, headers: {}, requestId });

  const flashblade: Ports['flashblade'] = {
    login: async (array, apiToken, { requestId = '' }) => {
      const { name } = array;
      reach(name, requestId);
      if (!accepted.get(name)?.has(apiToken.reveal())) {
        const refusal = { ...info(401, requestId), body: Buffer.of(), certificateEndsAt: undefined };
        return { data: sessionOf(array, refusal, apiToken, undefined), ...info(401, requestId) };
      }
      const token = `auth-token-${++logins}`;
      const startedAt = now() + aheadMs(name);
      sessions.set(token, { array: name, requestId, startedAt, usedAt: now(), user: USER });
      if (losing.delete(name)) throw unreachable(name, true, requestId);
      return { data: { array, authToken: authToken(token), apiToken, username: USER }, ...info(200, requestId) };
    },
    logout: async ({ array: { name }, authToken: token }, { requestId }) => {
      reach(name, requestId);
      logouts.push(name);
      if (dead.has(name)) throw unreachable(name, true, requestId);
      return { data: undefined, ...info(sessions.delete(token.reveal()) ? 200 : 403, requestId) };
    },
    apiVersions: async ({ name }, { requestId }) => {
      reach(name, requestId);
      const { versions = VERSIONS, certificateEndsAt = now() / 1000 + CERTIFICATE_SECONDS } = factsOf(name);
      return { data: versions, certificateEndsAt: new Date(certificateEndsAt * 1000), ...info(200, requestId) };
    },
    request: async ({ array: { name }, authToken: token }, call, given) => {
      reach(name, given.requestId);
      const session = sessions.get(token.reveal());
      if (!session) return { body: {}, ...info(403, given.requestId) };
      session.usedAt = now();
      const own = () => live().filter(({ array }) => array === name);
      return { ...info(200, given.requestId), ...(await respond(name, call, given, own)) };
    },
  };

  return {
    flashblade,
    /** Sessions by auth token. May still contain sessions that were idle for too long. */
    sessions,
    /** Ends sessions that were idle for too long, and returns the live ones. */
    live,
    /** Arrays that cannot be reached. */
    down,
    /** Arrays that do not respond to logouts. */
    dead,
    /** Arrays whose next login opens a session, but whose response is lost. */
    losing,
    /** How many logouts were sent to an array. */
    logouts: (array: string): number => logouts.filter((name) => name === array).length,
    accept: (array: string, token: string): void => {
      accepted.set(array, (accepted.get(array) ?? new Set()).add(token));
    },
    /** Refuses one token, or all tokens by default. */
    refuse: (array: string, token?: string): void => {
      if (token === undefined) accepted.delete(array);
      else accepted.get(array)?.delete(token);
    },
    /** Simulates an array restart. */
    dropSessions: (array: string): void => {
      for (const [token, session] of sessions) if (session.array === array) sessions.delete(token);
    },
  };
}

/** `mayHaveOpened`: the request was sent, so it may have taken effect. */
const unreachable = (array: string, mayHaveOpened: boolean, requestId?: string): FlashBladeError =>
  new FlashBladeError(
    'ARRAY_UNREACHABLE',
    mayHaveOpened
      ? `array ${array}: the response was lost. The array may have executed the request.`
      : `array ${array} cannot be reached. Nothing was sent.`,
    { sent: mayHaveOpened, mayHaveOpened, array, ...(requestId !== undefined && { requestId }) },
  );
