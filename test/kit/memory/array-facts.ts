/** How an in-memory array responds to a read within a session. */
import type { ArrayRequest } from '../../../lib/flashblade/client.ts';
import type { LiveSession } from './arrays.ts';

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

export function responseOf(facts: Facts, { path, query }: ArrayRequest, sessions: readonly LiveSession[]) {
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
