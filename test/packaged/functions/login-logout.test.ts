import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { errorOf, resultOf } from '../../kit/lambda/outcome.ts';
import { examples, page } from '../../kit/pages.ts';
import { scheduledInput } from '../../kit/scheduler.ts';

const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52-9d0c-4f0e-b8a9-6c1d2e3f4a5b';

describe.each(['ca', 'fingerprints'] as const)('with an array trusted by %s', (trust) => {
  let d: Deployment;

  beforeAll(async () => {
    d = await deploy();
    d.addArray('fb1', trust === 'ca' ? {} : { trust: { fingerprints: [d.simulator.fingerprint] } });
  });

  afterAll(() => d.stop());

  test('a session is opened, recorded in the ledger and closed, and its token is then removed', async () => {
    const result = resultOf(await d.login({ array: 'fb1', leaseId: 'job-1', leaseSeconds: 120, owner: 'job' }));
    const item = await d.lease('job-1');
    const [session] = d.simulator.sessions();
    expect(result).toEqual({ leaseId: 'job-1', array: 'fb1', username: 'pureuser', expiresAt: item?.expiresAt });
    expect(item).toMatchObject({ state: 'OPEN', attemptId: session?.requestId, owner: 'job' });
    expect(Number(item?.expiresAt) - Number(item?.createdAt)).toBe(120);

    expect(resultOf(await d.logout({ leaseId: 'job-1' }))).toEqual({
      leaseId: 'job-1',
      array: 'fb1',
      outcome: 'CLOSED',
    });
    expect(d.simulator.sessions()).toEqual([]);
    expect(d.simulator.history.at(-1)?.ended?.by).toBe('logout');
    const closed = await d.lease('job-1');
    expect(closed).toMatchObject({ state: 'CLOSED', attemptId: session?.requestId });
    expect(closed).not.toHaveProperty('sealed');
    expect((await d.items()).find(({ id }) => id === 'array#fb1')?.live).toEqual({});
  });

  test('a repeated login returns the same lease and opens no session', async () => {
    const request = { array: 'fb1', leaseId: 'job-2' };
    const first = await d.login(request);
    const requests = d.simulator.requests.length;
    expect(await d.login(request)).toEqual(first);
    expect(d.simulator.requests).toHaveLength(requests);
    await d.logout({ leaseId: 'job-2' });
    expect(errorOf(await d.login(request)).errorType).toBe('LEASE_ENDED');
  });

  test('a second logout returns ALREADY_CLOSED and sends no request to the array', async () => {
    await d.login({ array: 'fb1', leaseId: 'job-3' });
    await d.logout({ leaseId: 'job-3' });
    const requests = d.simulator.requests.length;
    expect(resultOf(await d.logout({ leaseId: 'job-3' })).outcome).toBe('ALREADY_CLOSED');
    expect(d.simulator.requests).toHaveLength(requests);
  });

  test('a logout that arrives before its login prevents that login from opening a session', async () => {
    expect(resultOf(await d.logout({ leaseId: 'late' }))).toEqual({ leaseId: 'late', outcome: 'NEVER_OPENED' });
    const requests = d.simulator.requests.length;
    expect(errorOf(await d.login({ array: 'fb1', leaseId: 'late' })).errorType).toBe('LEASE_ENDED');
    expect(d.simulator.requests).toHaveLength(requests);
  });

  test('a retry by EventBridge Scheduler after a lost response returns the same lease and opens no session', async () => {
    const [input = ''] = examples('json schedule-input', page('functions-and-events.md'));
    // Each attempt is an invocation of its own. The scheduler never sees the first one's response.
    const first = resultOf(await d.login(scheduledInput(input, 1)));
    expect(resultOf(await d.login(scheduledInput(input, 2)))).toEqual(first);
    expect(d.simulator.sessions()).toHaveLength(1);

    // An execution id, which names the attempt, would open one session per attempt.
    const perAttempt = '{ "array": "fb1", "leaseId": "<aws.scheduler.execution-id>" }';
    const leaseIds = [first.leaseId];
    for (const attempt of [1, 2]) leaseIds.push(resultOf(await d.login(scheduledInput(perAttempt, attempt))).leaseId);
    expect(d.simulator.sessions()).toHaveLength(3);
    for (const leaseId of leaseIds) await d.logout({ leaseId });
  });

  test('a login without a lease id uses the invocation id as the lease id, also when Lambda retries', async () => {
    const awsRequestId = `retried-${trust}`;
    const first = resultOf(await d.login({ array: 'fb1' }, { awsRequestId }));
    expect(first).toMatchObject({ leaseId: awsRequestId });
    expect(resultOf(await d.login({ array: 'fb1' }, { awsRequestId }))).toEqual(first);
    expect(d.simulator.sessions()).toHaveLength(1);
    await d.logout({ leaseId: awsRequestId });
  });

  test.each([
    ['Step Functions', { array: 'fb1', leaseId: EXECUTION, owner: EXECUTION }],
    ['EventBridge Scheduler', { array: 'fb1', leaseId: 'b2f7d9e0c4', leaseSeconds: 3600, owner: 'nightly' }],
  ])('a request from %s opens a session, and its logout closes it', async (_, event) => {
    expect(resultOf(await d.login(event))).toMatchObject({ leaseId: event.leaseId, array: 'fb1' });
    expect(d.simulator.sessions()).toHaveLength(1);
    expect(resultOf(await d.logout({ leaseId: event.leaseId })).outcome).toBe('CLOSED');
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('every invocation makes one new connection', async () => {
    await d.login({ array: 'fb1', leaseId: 'warm' });
    await d.logout({ leaseId: 'warm' });
    const before = d.simulator.counters;
    await d.login({ array: 'fb1', leaseId: 'job-4' });
    await d.logout({ leaseId: 'job-4' });
    const after = d.simulator.counters;
    expect(after.connections - before.connections).toBe(2);
    const resumed = trust === 'ca' ? 2 : 0;
    expect(after.resumedHandshakes - before.resumedHandshakes).toBe(resumed);
    expect(after.fullHandshakes - before.fullHandshakes).toBe(2 - resumed);
  });

  test('no token appears in any output', async () => {
    await d.login({ array: 'fb1', leaseId: 'left-open' });
    expect(d.simulator.sessions()).toHaveLength(1);
    expect(await d.leaks()).toEqual([]);
  });
});

test('a call returns numbers that JavaScript cannot hold to the caller', async () => {
  const d = await deploy({ functions: ['login', 'logout', 'call-array'] });
  onTestFinished(() => d.stop());
  d.addArray('fb1');
  resultOf(await d.login({ array: 'fb1', leaseId: 'numbers' }));
  d.simulator.faults.add({ kind: 'answer', path: '/api/2.4/arrays', body: '{"items":[1e400,{"n":-0}]}' });
  const call = { leaseId: 'numbers', method: 'GET', path: '/api/2.4/arrays' };
  // The test reads the result with ordinary numbers, but a number that the function had read this way would be null or 0.
  expect(resultOf(await d.invoke('call-array', call))).toEqual({
    status: 200,
    body: { items: [Number.POSITIVE_INFINITY, { n: -0 }] },
  });
  resultOf(await d.logout({ leaseId: 'numbers' }));
});
