import { expect, it, onTestFinished, vi } from 'vitest';
import { loginWithHttpInfo } from '../../../lib/flashblade/client.ts';
import { badAnswers, type OnRequest } from '../../../simulator/index.ts';
import { simulated } from './simulated.ts';

it('a session whose login response came too late is closed, even if the login had no time left', async () => {
  const { simulator, array, token } = await simulated();
  simulator.faults.add({ kind: 'hang', at: 'in-body', path: '/api/login', times: 1 });
  const call = loginWithHttpInfo(array, token, { deadline: Date.now() + 500 });
  await expect(call).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { mayHaveOpened: false } });
  expect(simulator.history).toHaveLength(1);
  expect(simulator.sessions()).toEqual([]);
});

it('closing a session that cannot be returned takes at most three seconds', async () => {
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
