/** What an array in memory answers to a read under a session. */
import type { ArrayRequest } from '../../lib/edges/flashblade.ts';
import type { LiveSession } from './world.ts';

/** Times in seconds since the epoch. */
export type Tells = {
  readonly versions?: readonly string[];
  readonly certificateEndsAt?: number;
  readonly idleTimeoutMs?: number;
  readonly tokenEndsAt?: number;
  /** Status of a read by the last part of its path. Default 200. */
  readonly statuses?: Readonly<Record<string, number>>;
  /** In the place of the list of sessions. */
  readonly sessions?: (query: ArrayRequest['query'], sessions: readonly LiveSession[]) => unknown;
};

export function answerOf(tells: Tells, { path, query }: ArrayRequest, sessions: readonly LiveSession[]) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const status = tells.statuses?.[name] ?? 200;
  if (status !== 200) return { status, body: {} };
  if (name === 'arrays' && tells.idleTimeoutMs !== undefined)
    return { status, body: { items: [{ idle_timeout: tells.idleTimeoutMs }] } };
  if (name === 'api-tokens' && tells.tokenEndsAt !== undefined) {
    const token = { admin: { name: query?.['admin_names'] }, api_token: { expires_at: tells.tokenEndsAt * 1000 } };
    return { status, body: { items: [token] } };
  }
  if (name === 'sessions')
    return { status, body: tells.sessions?.(query, sessions) ?? { items: sessions.map(sessionItem) } };
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
