/** State handlers for a real array. They only log in and out. */
import { randomUUID } from 'node:crypto';
import { isFlashBladeError } from '../../lib/core/errors.ts';
import type { ApiToken, FlashBlade } from '../../lib/core/model.ts';
import { type Interaction, statesOf } from '../pact-file.ts';
import { definitionOf, type Handlers, type LiveState } from '../states.ts';
import {
  createOpenSessions,
  endedSession,
  type Guard,
  notSentBelow,
  openSession,
  sessionBesideEnded,
  type Target,
} from './target.ts';

export type RealArray = {
  readonly array: FlashBlade;
  readonly apiToken: ApiToken;
  /** The user who owns the API token. */
  readonly username: string;
};

export type ArrayOptions = {
  /** The newest REST version that the array supports. */
  readonly version: string;
  /** The lists that the array refuses to this user. Default: none. */
  readonly unreadable?: readonly string[];
  /** If true, requests that may change the array are sent. Default: false. */
  readonly allowWrites?: boolean;
};

const UNKNOWN = 'the API token is not known';
const MAY_LIST = 'a session of a user who may list is open';
const MAY_NOT_LIST = 'a session of a user who may not list is open';

export type ArrayTarget = Target & { readonly handlers: Handlers<LiveState> };

export function arrayTarget(
  real: RealArray,
  { version, unreadable = [], allowWrites = false }: ArrayOptions,
): ArrayTarget {
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
      'a session is open, and another session of its user has ended': () => inSession(sessionBesideEnded),
      // Interactions in the one of these states that the user is not in are skipped.
      [MAY_LIST]: () => inSession(openSession),
      [MAY_NOT_LIST]: () => inSession(openSession),
    },
    reset: async () => {},
    sessions,
    secrets: () => [apiToken.reveal(), ...madeUp],
    skip: (interaction) =>
      notSentBelow(version, interaction) ?? notOfThisUser(unreadable, interaction) ?? notLive(interaction),
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

function notOfThisUser(unreadable: readonly string[], { providerStates = [] }: Interaction): string | undefined {
  const reasons = providerStates.map(({ name, params }) => {
    const list = String(params?.['list']);
    if (name === MAY_LIST && unreadable.includes(list)) return `the array does not let this user read ${list}`;
    if (name === MAY_NOT_LIST && !unreadable.includes(list)) return `the array lets this user read ${list}`;
    return undefined;
  });
  return reasons.find((reason) => reason !== undefined);
}

function notLive(interaction: Interaction): string | undefined {
  const other = statesOf(interaction).find((name) => definitionOf(name)?.live === false);
  return other === undefined
    ? undefined
    : `logins and logouts alone cannot bring a real array into the state "${other}"`;
}
