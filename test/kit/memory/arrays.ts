/** The arrays in an in-memory fleet: live sessions, accepted API tokens, idle timeouts and facts. */
import { authToken } from '../../../lib/core/model.ts';
import type { ArrayRequest } from '../../../lib/flashblade/client.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { refused, unreachable } from './faults.ts';

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

/** What the array reports. Times are in seconds since the epoch. */
export type Facts = {
  readonly versions?: readonly string[];
  readonly certificateEndsAt?: number;
  readonly idleTimeoutMs?: number;
  readonly tokenEndsAt?: number;
  /** The status of a read, keyed by the last part of the path. Default: 200. */
  readonly statuses?: Readonly<Record<string, number>>;
  /** Replaces the list of sessions. */
  readonly sessions?: (query: ArrayRequest['query'], sessions: readonly LiveSession[]) => unknown;
};

export type ArraysOptions = {
  readonly now: () => number;
  /** How long a session can be unused before the array ends it. Default: no limit. */
  readonly idleMs?: number;
  /** How far an array's clock is ahead of `now`. */
  readonly aheadMs?: (array: string) => number;
};

const USER = 'pureuser';
const VERSIONS = ['1.9', '1.10', '2.9', '2.10'];
const CERTIFICATE_SECONDS = 400 * 86_400;

export function memoryArrays({ now, idleMs = Number.POSITIVE_INFINITY, aheadMs = () => 0 }: ArraysOptions) {
  const sessions = new Map<string, LiveSession>();
  const accepted = new Map<string, Set<string>>();
  const facts = new Map<string, Facts>();
  const down = new Set<string>();
  const dead = new Set<string>();
  const logouts: string[] = [];
  let logins = 0;

  function live(): LiveSession[] {
    for (const [token, { usedAt }] of sessions) if (now() - usedAt >= idleMs) sessions.delete(token);
    return [...sessions.values()];
  }

  function reach(array: string): void {
    if (down.has(array)) throw unreachable(false);
    live();
  }

  const info = (status: number, requestId = '') => ({ status, headers: {}, requestId });

  const flashblade: Ports['flashblade'] = {
    login: async (array, apiToken, { requestId = '' }) => {
      reach(array.name);
      if (!accepted.get(array.name)?.has(apiToken.reveal())) throw refused();
      const token = `auth-token-${++logins}`;
      const startedAt = now() + aheadMs(array.name);
      sessions.set(token, { array: array.name, requestId, startedAt, usedAt: now(), user: USER });
      return { data: { array, authToken: authToken(token), apiToken, username: USER }, ...info(200, requestId) };
    },
    logout: async ({ array, authToken: token }, { requestId }) => {
      reach(array.name);
      logouts.push(array.name);
      if (dead.has(array.name)) throw unreachable(true);
      return { data: undefined, ...info(sessions.delete(token.reveal()) ? 200 : 403, requestId) };
    },
    apiVersions: async ({ name }, { requestId }) => {
      reach(name);
      const { versions = VERSIONS, certificateEndsAt = now() / 1000 + CERTIFICATE_SECONDS } = facts.get(name) ?? {};
      return { data: versions, certificateEndsAt: new Date(certificateEndsAt * 1000), ...info(200, requestId) };
    },
    request: async ({ array: { name }, authToken: token }, call, { requestId }) => {
      reach(name);
      const session = sessions.get(token.reveal());
      if (!session) return { body: {}, ...info(403, requestId) };
      session.usedAt = now();
      const own = live().filter(({ array }) => array === name);
      return { ...info(200, requestId), ...responseOf(facts.get(name) ?? {}, call, own) };
    },
  };

  return {
    flashblade,
    /** Sessions by auth token. May still contain sessions that were idle for too long. */
    sessions,
    /** Ends sessions that were idle for too long, and returns the live ones. */
    live,
    /** What arrays report about themselves. Each fact has a default. */
    facts,
    /** Arrays that cannot be reached. */
    down,
    /** Arrays that do not respond to logouts. */
    dead,
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

/** How an array responds to a read within a session. */
function responseOf(facts: Facts, { path, query }: ArrayRequest, sessions: readonly LiveSession[]) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const status = facts.statuses?.[name] ?? 200;
  if (status !== 200) return { status, body: {} };
  if (name === 'arrays' && facts.idleTimeoutMs !== undefined)
    return { status, body: { items: [{ idle_timeout: facts.idleTimeoutMs }] } };
  if (name === 'api-tokens' && facts.tokenEndsAt !== undefined) {
    const token = { admin: { name: query?.['admin_names'] }, api_token: { expires_at: facts.tokenEndsAt * 1000 } };
    return { status, body: { items: [token] } };
  }
  if (name === 'sessions')
    return { status, body: facts.sessions?.(query, sessions) ?? { items: sessions.map(sessionItem) } };
  return { status, body: { items: [] } };
}

export const sessionItem = ({ user, startedAt }: LiveSession) => ({
  user,
  user_interface: 'REST',
  method: 'API token',
  event: 'user session',
  start_time: startedAt,
  end_time: 0,
});
