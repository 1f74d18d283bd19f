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
import { createOpenSessions, endedSession, openSession, type Target } from './target.ts';

export type SimulatorTarget = Target & { readonly handlers: Handlers<State> };

/** `versions` are the REST versions that the simulator supports. */
export function simulatorTarget(simulator: Simulator, versions = DEFAULT_VERSIONS): SimulatorTarget {
  const { host, port, certificate: ca, apiToken: ownToken } = simulator;
  const array = { name: 'simulator', host, port, trust: { kind: 'ca', ca } } as const;
  const sessions = createOpenSessions(array);
  const version = versions.toSorted(compareVersions).at(-1) ?? '';
  let outage: FaultHandle | undefined;

  return {
    array,
    handlers: {
      'an API token is valid': async ({ username }) => {
        const token = randomApiToken();
        simulator.addUser({ username, apiToken: token });
        return { apiToken: token, username };
      },
      'the API token is not known': async () => ({ apiToken: randomApiToken() }),
      'the array cannot serve requests': async () => {
        outage = simulator.faults.add(badAnswers.htmlAnswer(503));
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
    },
    reset: async () => {
      await outage?.remove();
      outage = undefined;
    },
    sessions,
    secrets: () => [ownToken, ...simulator.users.map((user) => user.apiToken)],
  };
}

const tokenOf = ({ users }: Simulator) => apiToken(users[0]?.apiToken ?? '');
