/** Executions of the workflows: the sessions of an execution end, however the execution ends. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { randomApiToken } from '../../../simulator/index.ts';
import { unknownSessions } from '../functions/unknown-sessions.ts';
import { API_TOKEN, deployWorkflows, type Workflows } from './deployment.ts';
import { readMachine, variants } from './machine.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const INPUT = { array: 'fb1', path: '/api/2.4/file-systems' };
const NOT_ALLOWED = { array: 'fb1', path: '/api/2.4/admins' };

let d: Workflows;

beforeAll(async () => {
  d = await deployWorkflows();
  for (const name of ['fb1', 'fb2']) d.addArray(name);
  d.addArray('down', { host: '127.0.0.1:1' });
  d.addArray('refused', { apiToken: randomApiToken() });
});

afterEach(async () => {
  await d.simulator.faults.clear();
  // A session that one test leaves must not fail another test.
  for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
});

afterAll(() => d.stop());

/** Runs a workflow to its end. Whatever the end, no token is stored and the ledger records every live session. */
const run: Workflows['run'] = async (...what) => {
  const execution = await d.run(...what);
  expect(execution.tokens).toEqual([]);
  expect(await unknownSessions(d)).toEqual([]);
  return execution;
};

const failLogouts = () => d.simulator.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/logout' });

describe('with-session', () => {
  test('logs in, works and logs out under a lease that the execution owns', async () => {
    const execution = await run('with-session', INPUT);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { work: { status: 200 } } });
    expect(execution.states).toEqual(['Request', 'Login', 'Work', 'Answered', 'Logout']);
    expect(await d.lease(execution.id)).toMatchObject({ state: 'CLOSED', formerOwner: execution.id });
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('fails before its login if its input is incomplete', async () => {
    const execution = await run('with-session', { array: 'fb1' });
    expect(execution).toMatchObject({ status: 'FAILED', states: ['Request'] });
    expect(await d.lease(execution.id)).toBeUndefined();
  });

  const forbidden = () => d.simulator.faults.add({ kind: 'answer', status: 403, path: INPUT.path });
  test.each([
    ['for which the array returns 403', INPUT, forbidden, 'FORBIDDEN'],
    ['that call-array does not allow', NOT_ALLOWED, () => {}, 'REQUEST_INVALID'],
    [
      'with a path that does not exist on the array',
      { array: 'fb1', path: '/api/2.4/nothing' },
      () => {},
      'CALL_FAILED',
    ],
  ])('does not retry a call %s, logs out, and ends with the error of the call', async (_, input, prepare, error) => {
    prepare();
    const execution = await run('with-session', input);
    expect(execution).toMatchObject({ status: 'FAILED', error });
    expect(execution.states.filter((state) => /Work|Logout|Failed/.test(state))).toEqual([
      'Work',
      'LogoutAfterFailure',
      'Failed',
    ]);
    expect(await d.lease(execution.id)).toMatchObject({ state: 'CLOSED' });
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('retries its work until the array is back, and then logs out', async () => {
    const execution = await run('with-session', INPUT, {
      before: async (state, nth) => {
        if (state === 'Work' && nth === 1) d.simulator.faults.add({ kind: 'refuse' });
        if (state === 'Work' && nth === 3) await d.simulator.faults.clear();
      },
    });
    expect(execution.states).toEqual(['Request', 'Login', 'Work', 'Work', 'Work', 'Answered', 'Logout']);
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('fails if the array stays down, and the end of the execution closes the session once the array is back', async () => {
    const execution = await run('with-session', INPUT, {
      before: (state, nth) => state === 'Work' && nth === 1 && d.simulator.faults.add({ kind: 'refuse' }),
    });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'ARRAY_UNREACHABLE' });
    expect(execution.states.filter((state) => state === 'LogoutAfterFailure')).toHaveLength(4);
    expect(d.simulator.sessions()).toHaveLength(1);
    await d.endOwner(execution);
    expect(await d.lease(execution.id)).toMatchObject({ state: 'CLOSED' });
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('retries a failed logout', async () => {
    d.simulator.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/logout', times: 1 });
    const execution = await run('with-session', INPUT);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { logout: { outcome: 'CLOSED' } } });
    expect(execution.states.filter((state) => state === 'Logout')).toHaveLength(2);
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('fails if every logout fails, even though the work succeeded', async () => {
    failLogouts();
    const execution = await run('with-session', INPUT);
    expect(execution).toMatchObject({ status: 'FAILED', error: 'ARRAY_BUSY' });
    expect(execution.states.at(-1)).toBe('Logout');
    await d.endOwner(execution);
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('ends with the error of its work, even if the logout also fails', async () => {
    failLogouts();
    const execution = await run('with-session', NOT_ALLOWED);
    expect(execution).toMatchObject({ status: 'FAILED', error: 'REQUEST_INVALID' });
    expect(JSON.parse(execution.cause ?? '')).toMatchObject({ errorType: 'REQUEST_INVALID' });
    expect(d.simulator.sessions()).toHaveLength(1);
    await d.endOwner(execution);
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('does not repeat a refused login, and leaves no session', async () => {
    const execution = await run('with-session', { ...INPUT, array: 'refused' });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'LOGIN_REFUSED' });
    expect(execution.states).toEqual(['Request', 'Login', 'LogoutAfterFailure', 'Failed']);
    expect(await d.lease(execution.id)).toMatchObject({ state: 'CLOSED' });
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('succeeds with a second login after a lost login response, and records the lost session as SUSPECT', async () => {
    d.simulator.faults.add({ kind: 'reset', path: '/api/login', times: 1 });
    const execution = await run('with-session', INPUT);
    expect(execution.states.filter((state) => state === 'Login')).toHaveLength(2);
    expect(execution.status).toBe('SUCCEEDED');
    const [lost] = await d.suspects(execution.id);
    const [left, ...others] = d.simulator.sessions();
    expect([left?.requestId, others]).toEqual([lost?.attemptId, []]);
  });
});

describe('fleet', () => {
  test('works on every array once, under one lease per array', async () => {
    const before = d.simulator.history.length;
    const execution = await run('fleet', { arrays: ['fb1', 'fb2', 'fb1'] });
    const output = ['fb1', 'fb2'].map((array) => ({ array, ok: true }));
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output });
    expect(d.simulator.history).toHaveLength(before + 2);
    expect(await d.lease(`${execution.id}:fb2`)).toMatchObject({ state: 'CLOSED', formerOwner: execution.id });
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('works on all other arrays if one is down, and reports every array', async () => {
    const execution = await run('fleet', { arrays: ['fb1', 'down', 'fb2'] });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'ARRAYS_FAILED' });
    expect(JSON.parse(execution.cause ?? '')).toEqual([
      { array: 'fb1', ok: true },
      { array: 'down', ok: false, code: 'ARRAY_UNREACHABLE' },
      { array: 'fb2', ok: true },
    ]);
    expect(d.simulator.sessions()).toEqual([]);
  });

  test('reports an array whose logout fails, and the end of the execution closes its session', async () => {
    failLogouts();
    const execution = await run('fleet', { arrays: ['fb1', 'refused'] });
    expect(JSON.parse(execution.cause ?? '')).toEqual([
      { array: 'fb1', ok: false, code: 'ARRAY_BUSY' },
      { array: 'refused', ok: false, code: 'LOGIN_REFUSED' },
    ]);
    expect(d.simulator.sessions()).toHaveLength(1);
    await d.endOwner(execution);
    expect(d.simulator.sessions()).toEqual([]);
  });
});

describe('the check for tokens in an execution', () => {
  test.each([
    ['verbatim', () => API_TOKEN],
    ['in base64', () => Buffer.from(`token=${API_TOKEN}`).toString('base64')],
    ['in hex', () => Buffer.from(API_TOKEN).toString('hex')],
    ['in part', () => API_TOKEN.slice(-8)],
    ['of a session, in base64url', () => Buffer.from(authToken()).toString('base64url')],
    ['of a session, in part', () => authToken().slice(0, 12)],
  ])('finds a token %s', async (_, text) => {
    const [machine] = variants(readMachine('with-session.asl.json'), 'Request/Parameters/note', text());
    expect((await d.run('with-session', INPUT, { machine })).tokens).toHaveLength(1);
  });

  const authToken = () => d.simulator.history[0]?.authToken ?? '';
});
