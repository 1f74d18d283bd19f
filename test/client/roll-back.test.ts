import { expect, it } from 'vitest';
import { loginWithHttpInfo } from '../../lib/edges/flashblade.ts';
import { simulated } from './simulated.ts';

it('closes a session whose login came too late to be given back, also when no time was left for the login', async () => {
  const { simulator, array, token } = await simulated();
  simulator.faults.add({ kind: 'hang', at: 'in-body', path: '/api/login', times: 1 });
  const call = loginWithHttpInfo(array, token, { deadline: Date.now() + 500 });
  await expect(call).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { mayHaveOpened: false } });
  expect(simulator.history).toHaveLength(1);
  expect(simulator.sessions()).toEqual([]);
});
