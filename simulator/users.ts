/** One array's users. Each user has at most one API token. */
import { randomApiToken, type SimulatedUser } from './options.ts';

export type Users = ReturnType<typeof createUsers>;

/** A user, and the time at which their API token was created (milliseconds since the epoch). */
export type UserRecord = SimulatedUser & { readonly tokenCreatedAt: number };

export function createUsers(initial: readonly SimulatedUser[], now: () => number) {
  let users: readonly UserRecord[] = [];

  const toRecord = (user: SimulatedUser): UserRecord => ({ ...user, tokenCreatedAt: now() });
  const set = (wanted: readonly SimulatedUser[]): void => {
    users = wanted.map(toRecord);
  };
  const add = (user: SimulatedUser): void => {
    users = [...users.filter(({ username }) => username !== user.username), toRecord(user)];
  };
  const remove = (username: string): void => {
    users = users.filter((user) => user.username !== username);
  };
  const named = (username: string) => users.find((user) => user.username === username);

  function replace(changed: UserRecord): UserRecord {
    users = users.map((user) => (user.username === changed.username ? changed : user));
    return changed;
  }

  /** Gives a user a new API token that expires after `timeoutMs`, or never if `timeoutMs` is undefined. */
  function createToken({ expiresAt: _, ...user }: UserRecord, timeoutMs: number | undefined): UserRecord {
    const token = { apiToken: randomApiToken(), tokenCreatedAt: now() };
    return replace({ ...user, ...token, ...(timeoutMs === undefined ? {} : { expiresAt: now() + timeoutMs }) });
  }

  const deleteToken = ({ expiresAt: _, ...user }: UserRecord): UserRecord => replace({ ...user, apiToken: '' });

  /** Returns the user with this API token, unless the token has expired. */
  function ofApiToken(apiToken: string): UserRecord | undefined {
    const user = users.find((candidate) => candidate.apiToken !== '' && candidate.apiToken === apiToken);
    return user === undefined || hasExpired(user, now()) ? undefined : user;
  }

  set(initial);
  return { all: () => users, set, add, remove, named, createToken, deleteToken, ofApiToken };
}

const hasExpired = ({ expiresAt }: SimulatedUser, now: number): boolean => expiresAt !== undefined && expiresAt <= now;
