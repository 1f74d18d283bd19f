/** A verification target: an array, the handlers that set up the contract's states on it, and the sessions that were opened. */
import { isFlashBladeError } from '../../lib/core/errors.ts';
import { mapLimit } from '../../lib/core/map-limit.ts';
import { type ApiToken, authToken, type FlashBlade, type Session } from '../../lib/core/model.ts';
import { login, logout, logoutWithHttpInfo } from '../../lib/flashblade/client.ts';
import { compareVersions } from '../../lib/flashblade/responses.ts';
import type { Interaction } from '../pact-file.ts';
import type { Handlers, State } from '../states.ts';

export type Target = {
  readonly array: FlashBlade;
  /** A handler for every state that this target supports. */
  readonly handlers: Partial<Handlers<State>>;
  /** Undoes the previous interaction's states, but leaves sessions open. Runs before each interaction and after the last one. */
  readonly reset: () => Promise<void>;
  readonly sessions: OpenSessions;
  /** Values that must not be printed. `sessions` tracks auth tokens separately. */
  readonly secrets: () => readonly string[];
  /** Returns the reason why an interaction cannot be verified on this target, or undefined. Absent: every interaction can be. */
  readonly skip?: (interaction: Interaction) => string | undefined;
  /** Decides which requests are sent. Absent: all of them. */
  readonly guard?: Guard;
};

export type GuardedRequest = {
  readonly method: string;
  readonly path: string;
  /** Empty if the request has none. */
  readonly apiToken: string;
  /** The states of the request's interaction. */
  readonly states: readonly string[];
};

export type Guard = {
  /** Returns the reason why a request must not be sent, or undefined. */
  readonly refuse: (request: GuardedRequest) => string | undefined;
  /** Called if the array refuses a login. */
  readonly onRefusedLogin: (apiToken: string) => void;
};

const MAX_TRIES = 3;
const LOGOUTS_AT_A_TIME = 8;

export type OpenSessions = ReturnType<typeof createOpenSessions>;

/** Tracks the sessions that a verification opens, so that all of them can be closed at the end. */
export function createOpenSessions(array: FlashBlade) {
  const tokens = new Set<string>();
  const lost: string[] = [];
  let openAtTheEnd = 0;

  return {
    opened: (token: string): void => void tokens.add(token),
    /** Records that a session with an unknown auth token may be open. */
    lost: (how: string): void => void lost.push(how),
    /** The auth tokens of all tracked sessions. */
    tokens: (): readonly string[] => [...tokens],
    /** How many sessions `closeAll` found open, all at once. */
    openAtTheEnd: (): number => openAtTheEnd,
    /** Logs out of every session, including those that should have ended. Returns at most one finding, about all sessions that may be open. */
    closeAll: async (): Promise<string[]> => {
      const results = await mapLimit([...tokens], LOGOUTS_AT_A_TIME, (token) => close(array, token));
      openAtTheEnd += results.filter((result) => result === 200).length;
      const failed = results.filter((result) => typeof result === 'string');
      return unclosed(failed, lost);
    },
  };
}

function unclosed(failed: readonly string[], lost: readonly string[]): string[] {
  const count = failed.length + lost.length;
  if (count === 0) return [];
  // The same reason may differ in the elapsed time.
  const causes = failed.map((why) => `could not be closed: ${why.replaceAll(/ \(after \d+ ms\)/g, '')}`);
  const reasons = [...new Set([...causes, ...lost])];
  const sessions = count === 1 ? '1 session' : `${count} sessions`;
  return [`${sessions} may stay open until the array's idle timeout (${reasons.join('; ')})`];
}

/** Returns the status of the logout, or the reason why the session could not be closed. */
async function close(array: FlashBlade, token: string, tries = 1): Promise<number | string> {
  try {
    return (await logoutWithHttpInfo({ array, authToken: authToken(token), username: '' })).status;
  } catch (error) {
    if (isFlashBladeError(error) && error.retryable && tries < MAX_TRIES) return close(array, token, tries + 1);
    return error instanceof Error ? error.message : 'an unexpected error';
  }
}

/** Logs in and records the session as opened. If the login fails after the request was sent, records the session as lost. */
export async function openSession(array: FlashBlade, token: ApiToken, sessions: OpenSessions): Promise<Session> {
  try {
    const session = await login(array, token);
    sessions.opened(session.authToken.reveal());
    return session;
  } catch (error) {
    if (isFlashBladeError(error) && error.facts.mayHaveOpened)
      sessions.lost('a login failed after the request was sent');
    throw error;
  }
}

/** Logs in, then out. */
export async function endedSession(array: FlashBlade, token: ApiToken, sessions: OpenSessions): Promise<Session> {
  const session = await openSession(array, token, sessions);
  await logout(session);
  return session;
}

/** Logs in twice, and out of the second session. Returns the first one. */
export async function sessionBesideEnded(array: FlashBlade, token: ApiToken, sessions: OpenSessions): Promise<Session> {
  const session = await openSession(array, token, sessions);
  await endedSession(array, token, sessions);
  return session;
}

/** Returns why the client never sends an interaction's request to an array whose newest REST version is `version`, or undefined. */
export function notSentBelow(version: string, { providerStates = [] }: Interaction): string | undefined {
  const since = providerStates.map(({ params }) => params?.['since']).find((one) => typeof one === 'string');
  return typeof since === 'string' && compareVersions(version, since) < 0
    ? `the client sends this request only to arrays with REST ${since} or newer, and this array has ${version}`
    : undefined;
}
