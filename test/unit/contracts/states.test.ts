/** The compiler checks the handlers of a target. `npm run check` runs these tests: a missing compile error is an error itself. */
import { expect, it } from 'vitest';
import type { Handlers, LiveState, State } from '../../../contracts/states.ts';
import { STATES } from '../../../contracts/states.ts';
import { arrayTarget } from '../../../contracts/targets/array.ts';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import { apiToken } from '../../../lib/core/model.ts';
import { simulated } from './providers.ts';

type Compiled = { readonly all: Handlers<State>; readonly live: Handlers<LiveState> };

const valid = async ({ username = 'pureuser' }: { username?: string }) => ({ apiToken: 'T-1', username });
const unknown = async () => ({ apiToken: 'T-2' });
const session = async () => ({ authToken: 'x', username: 'pureuser', version: '2.26' });
const live = {
  'an API token is valid': valid,
  'the API token is not known': unknown,
  'a session is open': session,
  'the session has ended': session,
  'a session is open, and another session of its user has ended': session,
  'a session of a user who may list is open': session,
  'a session of a user who may not list is open': session,
};

it('the compiler requires a handler for every state, with its parameters and return values', () => {
  const others = {
    'the array cannot serve requests': async () => ({}),
    'a session of a user whose API token expires is open': session,
  };
  const good: Compiled = { live, all: { ...live, ...others } };
  // @ts-expect-error a state of the simulator is missing
  const missing: Compiled['all'] = live;
  const { 'a session is open': _, ...less } = live;
  // @ts-expect-error a live state of the array is missing
  const missingLive: Compiled['live'] = less;
  // @ts-expect-error a value is not returned
  const incomplete: Compiled['live'] = { ...live, 'an API token is valid': async () => ({ apiToken: 'T-1' }) };
  const asks = { ...live, 'an API token is valid': ({ role }: { role: string }) => valid({ username: role }) };
  // @ts-expect-error a parameter is not in the vocabulary
  const asking: Compiled['live'] = asks;
  expect([good, missing, missingLive, incomplete, asking]).toHaveLength(5);
});

it('the simulator has a handler for every state, and a real array for every live state', async () => {
  const simulator = await simulated();
  const target = simulatorTarget(simulator);
  expect(Object.keys(target.handlers).sort()).toEqual(Object.keys(STATES).sort());
  const real = { array: target.array, apiToken: apiToken(simulator.apiToken), username: 'pureuser' };
  const liveStates = Object.entries(STATES).flatMap(([name, definition]) => (definition.live ? [name] : []));
  expect(Object.keys(arrayTarget(real, { version: '2.26' }).handlers).sort()).toEqual(liveStates.sort());
});
