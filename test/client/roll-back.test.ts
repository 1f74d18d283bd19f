import { expect, it, onTestFinished, vi } from 'vitest';
import { loginWithHttpInfo } from '../../lib/edges/flashblade.ts';
import { badAnswers, type OnRequest } from '../simulator/index.ts';
import { simulated } from './simulated.ts';

it('closes a session whose login came too late to be given back, also when no time was left for the login', async () => {
  const { simulator, array, token } = await simulated();
  simulator.faults.add({ kind: 'hang', at: 'in-body', path: '/api/login', times: 1 });
  const call = loginWithHttpInfo(array, token, { deadline: Date.now() + 500 });
  await expect(call).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { mayHaveOpened: false } });
  expect(simulator.history).toHaveLength(1);
  expect(simulator.sessions()).toEqual([]);
});

it('takes at most three seconds for closing a session that it cannot give back', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let overdue = false;
  const onRequest: OnRequest = (phase, { path }) => {
    if (phase !== 'done' || path !== '/api/logout') return;
    vi.advanceTimersByTime(2999);
    setImmediate(() => {
      overdue = true;
      vi.advanceTimersByTime(1);
    });
  };
  const { simulator, array, token } = await simulated({ onRequest });
  simulator.faults.add({ ...badAnswers.loginBody('not JSON'), path: '/api/login' });
  simulator.faults.add({ kind: 'hang', at: 'before-headers', path: '/api/logout' });
  const call = loginWithHttpInfo(array, token);
  await expect(call).rejects.toMatchObject({ code: 'ANSWER_INVALID', facts: { mayHaveOpened: true } });
  expect(overdue).toBe(true);
});
