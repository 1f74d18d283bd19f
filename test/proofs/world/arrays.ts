/** The arrays in memory: their live sessions, their accepted API tokens and their idle time-out. */
import { FlashBladeError } from '../../../lib/core/errors.ts';

/** `requestId` comes from its login and is the attempt id in the ledger. */
export type LiveSession = {
  readonly array: string;
  readonly requestId: string;
  readonly startedAt: number;
  usedAt: number;
};
export type Arrays = ReturnType<typeof memoryArrays>;

/** `idleMs`: after how long an array ends an unused session. `aheadMs`: how far an array's own clock is ahead. */
export function memoryArrays(now: () => number, idleMs: number, aheadMs: (array: string) => number) {
  const sessions = new Map<string, LiveSession>();
  const accepted = new Map<string, Set<string>>();
  const down = new Set<string>();
  let logins = 0;

  /** Live sessions, after ending those that were idle for too long. */
  function live(): LiveSession[] {
    for (const [token, { usedAt }] of sessions) if (now() - usedAt >= idleMs) sessions.delete(token);
    return [...sessions.values()];
  }

  function reach(array: string): void {
    if (down.has(array)) throw unreachable(false);
  }

  return {
    live,
    down,
    accept: (array: string, apiToken: string): void => {
      accepted.set(array, (accepted.get(array) ?? new Set()).add(apiToken));
    },
    refuse: (array: string, apiToken: string): void => void accepted.get(array)?.delete(apiToken),
    /** Returns an auth token. */
    login: (array: string, apiToken: string, requestId: string): string => {
      reach(array);
      if (!accepted.get(array)?.has(apiToken)) throw refused();
      const token = `auth-token-${++logins}`;
      sessions.set(token, { array, requestId, startedAt: now() + aheadMs(array), usedAt: now() });
      return token;
    },
    /** Returns the status. */
    logout: (array: string, token: string): number => {
      reach(array);
      live();
      return sessions.delete(token) ? 200 : 403;
    },
    /** Returns the status. */
    call: (array: string, token: string): number => {
      reach(array);
      live();
      const session = sessions.get(token);
      if (!session) return 403;
      session.usedAt = now();
      return 200;
    },
    /** The array's list of its sessions, by its own clock. */
    listed: (array: string): object[] =>
      live()
        .filter((session) => session.array === array)
        .map(({ startedAt }) => ({ user: 'pureuser', user_interface: 'REST', start_time: startedAt, end_time: 0 })),
    /** Simulates a restart of the array. */
    dropSessions: (array: string): void => {
      for (const [token, session] of sessions) if (session.array === array) sessions.delete(token);
    },
  };
}

const refused = (): FlashBladeError =>
  new FlashBladeError('LOGIN_REFUSED', 'the array refused the API token', {
    status: 401,
    sent: true,
    mayHaveOpened: false,
  });

export const unreachable = (mayHaveOpened: boolean): FlashBladeError =>
  new FlashBladeError('ARRAY_UNREACHABLE', 'the array does not respond', { sent: mayHaveOpened, mayHaveOpened });

export const busy = (): FlashBladeError =>
  new FlashBladeError('ARRAY_BUSY', 'the array is busy', { status: 503, sent: true, mayHaveOpened: false });
