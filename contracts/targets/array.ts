/** State handlers for a real array. They only log in and out. */
import { randomUUID } from 'node:crypto';
import { isFlashBladeError } from '../../lib/core/errors.ts';
import type { ApiToken, FlashBlade } from '../../lib/core/model.ts';
import { apiVersions, compareVersions, logout } from '../../lib/flashblade/client.ts';
import type { Handlers, LiveState } from '../states.ts';
import { createOpenSessions, type OpenSessions } from './open-sessions.ts';
import { endedSession, openSession } from './sign-in.ts';
import type { Target } from './target.ts';

export type RealArray = {
  readonly array: FlashBlade;
  readonly apiToken: ApiToken;
  /** The user who owns the API token. */
  readonly username: string;
};

/** `unknownTokens` is the number of interactions that send a made-up API token, which the array refuses. */
export function arrayTarget(
  real: RealArray,
  { unknownTokens }: { unknownTokens: number },
): Target & { readonly handlers: Handlers<LiveState> } {
  const { array, apiToken, username } = real;
  const sessions = createOpenSessions(array);
  const madeUp: string[] = [];
  const signIn = onlyWhileAccepted(real, sessions);
  const inSession = async (way: typeof openSession) => ({
    version: (await apiVersions(array)).toSorted(compareVersions).at(-1) ?? '',
    username,
    authToken: (await signIn(way)).authToken.reveal(),
  });

  return {
    array,
    handlers: {
      'an API token is valid': async () => ({ apiToken: apiToken.reveal(), username }),
      'the API token is not known': async () => {
        const token = `T-${randomUUID()}`;
        madeUp.push(token);
        return { apiToken: token };
      },
      'a session is open': () => inSession(openSession),
      'the session has ended': () => inSession(endedSession),
      'a session is open, and another session of its user has ended': async () => {
        const other = await signIn(openSession);
        const values = await inSession(openSession);
        await logout(other);
        return values;
      },
      // The user is what it is. Interactions in the state that the user is not in are skipped.
      'a session of a user who may list is open': () => inSession(openSession),
      'a session of a user who may not list is open': () => inSession(openSession),
    },
    parameters: { 'an API token is valid': { username } },
    reset: async () => {},
    sessions,
    secrets: () => [apiToken.reveal(), ...madeUp],
    maxRefusedLogins: unknownTokens,
  };
}

/** Never retries after a refused login, because the array may lock the user out. */
function onlyWhileAccepted({ array, apiToken }: RealArray, sessions: OpenSessions) {
  let refused = false;
  return async (signIn: typeof openSession) => {
    if (refused) throw new Error('the array already refused this API token, so the token was not sent again');
    try {
      return await signIn(array, apiToken, sessions);
    } catch (error) {
      refused = isFlashBladeError(error, 'LOGIN_REFUSED');
      throw error;
    }
  };
}
