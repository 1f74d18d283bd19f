/** What one login and logout cost a program that uses the library. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createPorts } from '../../../lib/compose.ts';
import { readConfig } from '../../../lib/core/config.ts';
import type { Trust } from '../../../lib/core/model.ts';
import { login, logout } from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { fleetOf } from '../../../lib/fleet-of.ts';
import type { Simulator } from '../../../simulator/index.ts';
import { deploy } from '../../kit/deploy.ts';
import { simulated } from '../../unit/flashblade/simulated.ts';
import { CLOSE, HOLD, inRounds, OPEN } from './rounds.ts';

const LOGIN_AND_LOGOUT = ['/api/login', '/api/logout'];
const countersOf = ({ counters }: Simulator) => ({ ...counters, applicationBytes: undefined });

describe('login and logout with the client', () => {
  test.for([
    ['ca', 1, 1],
    ['fingerprints', 2, 0],
  ] as const)(
    'with trust by %s, they are two requests on one connection, and both pairs together make %i full handshakes',
    async ([kind, fullHandshakes, resumedHandshakes]) => {
      const { simulator, array, token } = await simulated();
      const pinned: Trust = { kind: 'fingerprints', fingerprints: [simulator.fingerprint] };
      const trusted = { ...array, trust: kind === 'ca' ? array.trust : pinned };
      await logout(await login(trusted, token));
      expect(simulator.requests.map(({ path }) => path)).toEqual(LOGIN_AND_LOGOUT);
      expect(countersOf(simulator)).toEqual({ connections: 1, fullHandshakes: 1, resumedHandshakes: 0 });
      closeConnections();
      await logout(await login(trusted, token));
      expect(simulator.requests.map(({ path }) => path)).toEqual([...LOGIN_AND_LOGOUT, ...LOGIN_AND_LOGOUT]);
      expect(countersOf(simulator)).toEqual({ connections: 2, fullHandshakes, resumedHandshakes });
    },
  );
});

test('withSession opens, uses and closes a session in the expected rounds, on one connection', async () => {
  const d = await deploy({ functions: [] });
  for (const [name, value] of Object.entries(d.env)) vi.stubEnv(name, value);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    closeConnections();
    await d.stop();
  });
  d.addArray('fb1');
  const ports = createPorts(readConfig(d.env), () => {});
  await fleetOf(ports).withSession('fb1', () => {});
  closeConnections();
  const rounds = [...OPEN, ...HOLD, ...CLOSE];
  const seen = await inRounds(d, rounds, () => fleetOf(ports).withSession('fb1', () => {}));
  expect(seen).toEqual({ rounds, others: [] });
  expect(countersOf(d.simulator)).toEqual({ connections: 2, fullHandshakes: 1, resumedHandshakes: 1 });
});
