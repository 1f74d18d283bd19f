/** State handlers for a simulated FlashBlade. The compiler requires a handler for every state. */

import { apiToken } from '../../lib/core/model.ts';
import { compareVersions } from '../../lib/flashblade/client.ts';
import {
  badAnswers,
  DEFAULT_VERSIONS,
  type FaultHandle,
  randomApiToken,
  type Simulator,
} from '../../simulator/index.ts';
import type { Handlers, State } from '../states.ts';
import {
  createOpenSessions,
  endedSession,
  notSentBelow,
  openSession,
  sessionBesideEnded,
  type Target,
} from './target.ts';

export type SimulatorTarget = Target & { readonly handlers: Handlers<State> };

/** `versions` are the REST versions that the simulator supports. */
export function simulatorTarget(simulator: Simulator, versions = DEFAULT_VERSIONS): SimulatorTarget {
  const { host, port, certificate: ca, apiToken: ownToken } = simulator;
  const array = { name: 'simulator', host, port, trust: { kind: 'ca', ca } } as const;
  const sessions = createOpenSessions(array);
  const version = versions.toSorted(compareVersions).at(-1) ?? '';
  let fault: FaultHandle | undefined;
  /** Opens a session of a user whose API token expires. The user may list everything. */
  const openLister = async () => {
    const lister = { username: 'lister', apiToken: randomApiToken(), expiresAt: Date.now() + TOKEN_MS };
    simulator.addUser(lister);
    const { authToken, username } = await openSession(array, apiToken(lister.apiToken), sessions);
    return { authToken: authToken.reveal(), username, version };
  };

  return {
    array,
    handlers: {
      'an API token is valid': async ({ username = 'verifier' }) => {
        const token = randomApiToken();
        simulator.addUser({ username, apiToken: token });
        return { apiToken: token, username };
      },
      'the API token is not known': async () => ({ apiToken: randomApiToken() }),
      'the array cannot serve requests': async () => {
        fault = simulator.faults.add(badAnswers.htmlAnswer(503));
        return {};
      },
      'a session is open': async () => {
        const { authToken, username } = await openSession(array, tokenOf(simulator), sessions);
        return { authToken: authToken.reveal(), username, version };
      },
      'the session has ended': async () => {
        const session = await endedSession(array, tokenOf(simulator), sessions);
        return { authToken: session.authToken.reveal(), version };
      },
      'a session is open, and another session of its user has ended': async () => {
        const { authToken, username } = await sessionBesideEnded(array, tokenOf(simulator), sessions);
        return { authToken: authToken.reveal(), username, version };
      },
      'a session of a user who may list is open': openLister,
      'a session of a user whose API token expires is open': openLister,
      // The simulator has no permissions for lists.
      'a session of a user who may not list is open': async ({ list }) => {
        const session = await openLister();
        const path = `/api/${version}/${list}`;
        const body = JSON.stringify({ error: [{ code: 403, context: path, message: 'Access Denied' }] });
        fault = simulator.faults.add({ kind: 'answer', path, status: 403, body });
        return session;
      },
    },
    reset: async () => {
      await fault?.remove();
      fault = undefined;
    },
    sessions,
    skip: (interaction) => notSentBelow(version, interaction),
    secrets: () => [ownToken, ...simulator.users.map((user) => user.apiToken)],
  };
}

const TOKEN_MS = 30 * 86_400_000;

const tokenOf = ({ users }: Simulator) => apiToken(users[0]?.apiToken ?? '');
