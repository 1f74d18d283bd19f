/** The arrays in an in-memory fleet, which report whatever facts a test plants about them. */
import type { ArrayRequest } from '../../../lib/flashblade/client.ts';
import { type ArraysOptions, type LiveSession, memoryArrays, type Response } from '../../../lib/testing/arrays.ts';

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

export function arraysWithFacts(options: ArraysOptions) {
  const facts = new Map<string, Facts>();
  const factsOf = (array: string): Facts => facts.get(array) ?? {};
  const arrays = memoryArrays({
    ...options,
    factsOf,
    respond: (array, call, _, sessions) => responseOf(factsOf(array), call, sessions()),
  });
  return {
    ...arrays,
    /** What arrays report about themselves. Each fact has a default. */
    facts,
  };
}

/** How an array responds to a read within a session. */
function responseOf(facts: Facts, { path, query }: ArrayRequest, sessions: readonly LiveSession[]): Response {
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
