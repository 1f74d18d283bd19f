import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RequestFault } from '../../../simulator/faults.ts';
import { badAnswers } from '../../../simulator/index.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { errorOf, resultOf } from '../../kit/lambda/outcome.ts';
import { eventsOf } from './logs.ts';

const { htmlAnswer, logoutNoContent, logoutWithBody, redirect, serverIsBusy, tooManyRequests } = badAnswers;

let d: Deployment;
let faults = 0;

beforeAll(async () => {
  d = await deploy({ env: { FIRST_BYTE_TIMEOUT_MS: '1000', ANSWER_TIMEOUT_MS: '1500' } });
  d.addArray('fb1');
});

beforeEach(() => d.simulator.faults.clear());

afterAll(async () => {
  expect(d.simulator.requests.map(({ path }) => path)).not.toContainEqual(expect.stringMatching(/\d/));
  expect(await d.leaks()).toEqual([]);
  await d.stop();
});

/** Opens a lease, and closes it during the fault. */
async function logoutMeeting(fault: RequestFault) {
  const leaseId = `lease-${++faults}`;
  resultOf(await d.login({ array: 'fb1', leaseId }));
  const handle = d.simulator.faults.add({ path: '/api/logout', ...fault });
  const outcome = await d.logout({ leaseId });
  expect(handle.happened()).toBe(1);
  await handle.remove();
  return { leaseId, outcome };
}

async function expectNextLogoutToClose(leaseId: string): Promise<void> {
  expect(resultOf(await d.logout({ leaseId })).outcome).toBe('CLOSED');
  expect(await d.lease(leaseId)).toMatchObject({ state: 'CLOSED' });
  expect(d.simulator.sessions()).toEqual([]);
}

describe('a logout response that no FlashBlade sends', () => {
  test.each<[string, RequestFault]>([
    ['200 with a body', logoutWithBody],
    ['204', logoutNoContent],
    ['a redirect', redirect(307, 'https://127.0.0.1/api/logout')],
    ['400', { kind: 'answer', act: false, status: 400, body: '' }],
    ['404', htmlAnswer(404)],
    ['405', htmlAnswer(405)],
  ])('(%s) logs an error at once, and the lease is STUCK until a logout is confirmed', async (_, fault) => {
    const { leaseId, outcome } = await logoutMeeting(fault);
    expect(errorOf(outcome).errorType).toBe('ANSWER_INVALID');
    expect(await d.lease(leaseId)).toMatchObject({ state: 'STUCK', tries: 1, dueAt: expect.any(Number) });
    expect(eventsOf(d.lambdaOf('logout').output, 'LeaseStuck').at(-1)).toMatchObject({
      level: 'ERROR',
      leaseId,
      array: 'fb1',
      code: 'ANSWER_INVALID',
    });
    await expectNextLogoutToClose(leaseId);
  });
});

describe('a lease whose session the array no longer has', () => {
  test.each([401, 403])('is CLOSED after the logout response %i', async (status) => {
    const { leaseId, outcome } = await logoutMeeting({ kind: 'answer', status });
    expect(resultOf(outcome).outcome).toBe('CLOSED');
    expect(await d.lease(leaseId)).toMatchObject({ state: 'CLOSED' });
  });

  test('is CLOSED even if the body of the refusal never ends', async () => {
    resultOf(await d.login({ array: 'fb1', leaseId: 'dropped-and-stalled' }));
    for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
    d.simulator.faults.add({ path: '/api/logout', kind: 'hang', at: 'in-body' });
    expect(resultOf(await d.logout({ leaseId: 'dropped-and-stalled' })).outcome).toBe('CLOSED');
  });

  test('is CLOSED by a logout if the array ended the session itself', async () => {
    resultOf(await d.login({ array: 'fb1', leaseId: 'dropped' }));
    for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
    expect(resultOf(await d.logout({ leaseId: 'dropped' })).outcome).toBe('CLOSED');
    expect(d.simulator.requests.at(-1)).toMatchObject({ path: '/api/logout', status: 403 });
  });
});

describe('a logout after which the array may still have the session', () => {
  test.each<[string, string, RequestFault]>([
    ['429 with Retry-After', 'ARRAY_BUSY', tooManyRequests('retry-after')],
    ['429 without a hint', 'ARRAY_BUSY', tooManyRequests('none')],
    ['500', 'ARRAY_BUSY', serverIsBusy('/api/logout')],
    ['503', 'ARRAY_BUSY', htmlAnswer(503)],
    ['a reset', 'ARRAY_UNREACHABLE', { kind: 'reset' }],
    ['a reset before the array acts', 'ARRAY_UNREACHABLE', { kind: 'reset', act: false }],
    ['no response', 'ARRAY_UNREACHABLE', { kind: 'hang', at: 'before-headers', act: false }],
    ['half of a response body', 'ARRAY_UNREACHABLE', { kind: 'hang', at: 'in-body' }],
    ['a response that is not HTTP', 'ARRAY_UNREACHABLE', { kind: 'garbage' }],
    ["a proxy's 401", 'ARRAY_UNREACHABLE', htmlAnswer(401)],
    ["a proxy's 403", 'ARRAY_UNREACHABLE', htmlAnswer(403)],
  ])('(%s) leaves the lease CLOSING with a time for the next attempt, which closes it', async (_, code, fault) => {
    const { leaseId, outcome } = await logoutMeeting(fault);
    expect(errorOf(outcome).errorType).toBe(code);
    const item = await d.lease(leaseId);
    expect(item).toMatchObject({ state: 'CLOSING', tries: 1, sealed: expect.any(String) });
    // 10 s ± 50 %; a claim that is not concluded would be due after 60 s.
    const waitSeconds = Number(item?.dueAt) - Number(item?.createdAt);
    expect(waitSeconds).toBeGreaterThanOrEqual(5);
    expect(waitSeconds).toBeLessThan(40);
    await expectNextLogoutToClose(leaseId);
  });
});

test('a lease stays CLOSING while its array refuses connections, and the next logout closes it', async () => {
  resultOf(await d.login({ array: 'fb1', leaseId: 'unreachable' }));
  const refused = d.simulator.faults.add({ kind: 'refuse' });
  expect(errorOf(await d.logout({ leaseId: 'unreachable' })).errorType).toBe('ARRAY_UNREACHABLE');
  await refused.remove();
  expect(await d.lease('unreachable')).toMatchObject({ state: 'CLOSING', tries: 1 });
  await expectNextLogoutToClose('unreachable');
});

test.each(['PendingDeletion', 'Disabled'] as const)(
  'no session opens or is lost while the key is %s, and the lease closes once the key is enabled',
  async (state) => {
    const leaseId = `key-${state}`;
    resultOf(await d.login({ array: 'fb1', leaseId }));
    const requests = d.simulator.requests.length;
    d.aws.kms.setState(d.physical.LeaseKey, state);
    for (const outcome of [await d.login({ array: 'fb1', leaseId: `${leaseId}-2` }), await d.logout({ leaseId })]) {
      expect(errorOf(outcome)).toMatchObject({
        errorType: 'AWS_UNAVAILABLE',
        errorMessage: expect.stringContaining('Check that the KMS key is enabled'),
      });
    }
    expect(d.simulator.requests).toHaveLength(requests);
    expect(await d.lease(leaseId)).toMatchObject({ state: 'CLOSING', sealed: expect.any(String) });
    expect(await d.lease(`${leaseId}-2`)).toBeUndefined();
    d.aws.kms.setState(d.physical.LeaseKey, 'Enabled');
    await expectNextLogoutToClose(leaseId);
  },
);
