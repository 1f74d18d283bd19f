/** One array's sessions, both live and ended. Tests search the history for leaked sessions. */
import { randomUUID } from 'node:crypto';
import type { Settings } from './options.ts';

export type EndedBy = 'logout' | 'idleness' | 'age' | 'array' | 'token deleted' | 'user removed';

/** Times are in milliseconds since the epoch, by the array's clock. */
export type SimulatedSession = {
  readonly id: string;
  readonly username: string;
  readonly authToken: string;
  readonly method: 'API token' | 'password';
  /** The IP address of the client that logged in. */
  readonly location: string;
  readonly startedAt: number;
  readonly lastUsedAt: number;
  /** The login's X-Request-ID. */
  readonly requestId?: string;
  readonly ended?: { readonly at: number; readonly by: EndedBy };
};

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Opening = Pick<SimulatedSession, 'username' | 'method' | 'location'> & { readonly requestId: string | undefined };

export type Sessions = ReturnType<typeof createSessions>;

export function createSessions(settings: Settings) {
  const history: SimulatedSession[] = [];
  const live = new Map<string, Mutable<SimulatedSession>>();

  function endAt(authToken: string, at: number, by: EndedBy): boolean {
    const session = live.get(authToken);
    if (session === undefined) return false;
    session.ended = { at, by };
    return live.delete(authToken);
  }

  /** Ends the session if it has expired. There is no timer, so every access calls this function first. */
  function expire(session: SimulatedSession): void {
    const over = overAt(session, settings);
    if (over !== undefined && over.at <= settings.now()) endAt(session.authToken, over.at, over.by);
  }

  function open({ requestId, ...opening }: Opening): SimulatedSession {
    const now = settings.now();
    const session = {
      ...opening,
      id: randomUUID(),
      authToken: settings.newAuthToken(),
      startedAt: now,
      lastUsedAt: now,
      ...(requestId === undefined ? {} : { requestId }),
    };
    history.push(session);
    live.set(session.authToken, session);
    return session;
  }

  /** Returns the live session for an auth token, or undefined. Updates the session's `lastUsedAt`. */
  function use(authToken: string): SimulatedSession | undefined {
    const session = live.get(authToken);
    if (session === undefined) return undefined;
    expire(session);
    if (session.ended !== undefined) return undefined;
    session.lastUsedAt = settings.now();
    return session;
  }

  function all(): readonly SimulatedSession[] {
    for (const session of live.values()) expire(session);
    return history;
  }

  const alive = (): SimulatedSession[] => {
    all();
    return [...live.values()];
  };
  const end = (authToken: string, by: EndedBy): boolean =>
    use(authToken) !== undefined && endAt(authToken, settings.now(), by);

  function endOf(username: string, by: EndedBy): void {
    for (const session of alive()) if (session.username === username) end(session.authToken, by);
  }

  return { open, use, end, endOf, alive, all };
}

function overAt(session: SimulatedSession, settings: Settings): { at: number; by: EndedBy } | undefined {
  const { idleTimeoutMs, maxSessionAgeMs, useExtendsSession } = settings;
  const idleSince = useExtendsSession ? session.lastUsedAt : session.startedAt;
  const ends: { at: number; by: EndedBy }[] = [];
  if (idleTimeoutMs > 0) ends.push({ at: idleSince + idleTimeoutMs, by: 'idleness' });
  if (maxSessionAgeMs > 0) ends.push({ at: session.startedAt + maxSessionAgeMs, by: 'age' });
  return ends.sort((a, b) => a.at - b.at)[0];
}
