/** State handlers for a real array. They only log in and out. */
import { randomUUID } from 'node:crypto';
import { isFlashBladeError } from '../../lib/core/errors.ts';
import type { ApiToken, FlashBlade } from '../../lib/core/model.ts';
import { type Interaction, statesOf } from '../pact-file.ts';
import { definitionOf, type Handlers, type LiveState } from '../states.ts';
import { createOpenSessions, endedSession, type Guard, openSession, type Target } from './target.ts';

export type RealArray = {
  readonly array: FlashBlade;
  readonly apiToken: ApiToken;
  /** The user who owns the API token. */
  readonly username: string;
};

export type ArrayOptions = {
  /** The newest REST version that the array supports. */
  readonly version: string;
  /** If true, requests that may change the array are sent. Default: false. */
  readonly allowWrites?: boolean;
};

const UNKNOWN = 'the API token is not known';

export type ArrayTarget = Target & { readonly handlers: Handlers<LiveState> };

export function arrayTarget(real: RealArray, { version, allowWrites = false }: ArrayOptions): ArrayTarget {
  const { array, apiToken, username } = real;
  const sessions = createOpenSessions(array);
  const madeUp: string[] = [];
  let isRefused = false;

  const inSession = async (way: typeof openSession) => {
    if (isRefused) throw new Error(ALREADY_REFUSED);
    try {
      return { version, username, authToken: (await way(array, apiToken, sessions)).authToken.reveal() };
    } catch (error) {
      isRefused = isFlashBladeError(error, 'LOGIN_REFUSED');
      throw error;
    }
  };

  // An array may lock a user out after refused logins. Only the user's own API token can do that, so it is never sent again after a
  // refusal. A token that is unknown by the interaction's own state belongs to no user.
  const guard: Guard = {
    refuse: ({ method, path, apiToken: sent, states }) => {
      if (!allowWrites && !isReadOnly(method, path)) return `${method} ${path} ${MAY_CHANGE}`;
      if (sent === apiToken.reveal()) return isRefused ? ALREADY_REFUSED : undefined;
      const isLogin = sent !== '' || path === '/api/login';
      return isLogin && !states.includes(UNKNOWN) ? NOT_FROM_A_STATE : undefined;
    },
    onRefusedLogin: (sent) => {
      if (sent === apiToken.reveal()) isRefused = true;
    },
  };

  return {
    array,
    handlers: {
      'an API token is valid': async () => ({ apiToken: apiToken.reveal(), username }),
      [UNKNOWN]: async () => {
        const token = `T-${randomUUID()}`;
        madeUp.push(token);
        return { apiToken: token };
      },
      'a session is open': () => inSession(openSession),
      'the session has ended': () => inSession(endedSession),
    },
    reset: async () => {},
    sessions,
    secrets: () => [apiToken.reveal(), ...madeUp],
    skip: notLive,
    guard,
  };
}

/** Returns true for requests that every verification may send: reads, logins and logouts. */
export const isReadOnly = (method: string, path: string): boolean =>
  method === 'GET' || method === 'HEAD' || (method === 'POST' && ['/api/login', '/api/logout'].includes(path));

export const MAY_CHANGE = 'may change the array, so it is not sent. To send it anyway, add --allow-writes.';

const ALREADY_REFUSED = 'the array already refused this API token, so the token was not sent again';
const NOT_FROM_A_STATE =
  "the login was not sent, because its API token does not come from the interaction's state. Add a ProviderState generator to the header api-token.";

function notLive(interaction: Interaction): string | undefined {
  const other = statesOf(interaction).find((name) => definitionOf(name)?.live === false);
  return other === undefined
    ? undefined
    : `logins and logouts alone cannot bring a real array into the state "${other}"`;
}
