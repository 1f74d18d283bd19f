/** The state of one simulated array: settings, users, sessions and lockout. This file has no network code. */
import type { Settings, SimulatedUser } from './options.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createUsers, type Users } from './users.ts';

export type SimulatedArray = {
  readonly settings: Settings;
  readonly users: Users;
  readonly sessions: Sessions;
  /** The number of consecutive refused logins, and the time at which the lockout ends (milliseconds since the epoch). */
  readonly lockout: { refusals: number; until: number };
};

/** A parsed request, independent of the HTTP version. */
export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Keyed by lowercase header name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** The client's IP address. */
  readonly location: string;
};

export const createArray = (settings: Settings, users: readonly SimulatedUser[]): SimulatedArray => ({
  settings,
  users: createUsers(users, settings.now),
  sessions: createSessions(settings),
  lockout: { refusals: 0, until: 0 },
});

/** Replaces all users. Ends every session that belongs to a removed user. */
export function setUsers({ users, sessions }: SimulatedArray, wanted: readonly SimulatedUser[]): void {
  const gone = users.all().filter(({ username }) => !wanted.some((user) => user.username === username));
  users.set(wanted);
  for (const { username } of gone) sessions.endOf(username, 'user removed');
}

export function removeUser({ users, sessions }: SimulatedArray, username: string): void {
  users.remove(username);
  sessions.endOf(username, 'user removed');
}
