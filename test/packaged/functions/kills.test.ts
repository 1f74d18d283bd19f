import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { resultOf } from '../../kit/lambda/outcome.ts';
import { brokenFunction } from '../../proofs/controls.ts';
import { MISTAKES } from '../../proofs/prove-schedules.ts';
import { killDuring, type Phase, recordSteps, type Step } from './steps.ts';
import { unknownSessions } from './unknown-sessions.ts';

// Every case kills processes and starts new ones.
vi.setConfig({ testTimeout: 120_000 });

const PHASES: readonly Phase[] = ['received', 'done'];
// Without a cache, a process that has just read the secret makes the same calls as a new one.
const ENV = { SECRET_CACHE_SECONDS: '0' };

const describeStep = ({ name, nth }: Step, phase: Phase): string =>
  `${phase === 'received' ? 'before' : 'after'} ${name}${nth === 0 ? '' : ` (${nth + 1})`}`;

/**
 * Kills the login at every step, before and after the step takes effect. Every case has a new lease and a new array, and another lease
 * must open afterwards. Returns the steps, and the cases after which a live session was missing from the ledger.
 */
async function killLoginEverywhere(d: Deployment): Promise<{ steps: string[]; unknownAfter: string[] }> {
  const open = (name: string) => d.login({ array: name, leaseId: `${name}-job` });
  d.addArray('array-00-');
  const steps = await recordSteps(d, 'array-00-', () => open('array-00-'));
  const unknownAfter: string[] = [];
  let cases = 0;
  for (const at of steps) {
    for (const phase of PHASES) {
      const name = `array-${String(++cases).padStart(2, '0')}-`;
      d.addArray(name);
      const before = await unknownSessions(d);
      await killDuring(d, name, { lambda: d.lambdaOf('login'), at, phase }, () => open(name));
      if ((await unknownSessions(d)).length > before.length) unknownAfter.push(describeStep(at, phase));
      expect(resultOf(await d.login({ array: name, leaseId: `${name}-other` }))).toMatchObject({ array: name });
    }
  }
  return { steps: steps.map((step) => describeStep(step, 'done').replace('after ', '')), unknownAfter };
}

describe('a login whose process is killed at any step', () => {
  let d: Deployment;

  beforeAll(async () => {
    d = await deploy({ env: ENV });
  });

  afterAll(() => d.stop());

  test('leaves no session that is missing from the ledger, and another login succeeds', async () => {
    const { steps, unknownAfter } = await killLoginEverywhere(d);
    expect([...steps].sort()).toEqual([
      'GenerateDataKey',
      'GetItem refusal',
      'GetSecretValue',
      'POST /api/login',
      'PutItem array',
      'PutItem lease OPEN',
      'PutItem lease OPENING',
      'UpdateItem array',
      'UpdateItem array (2)',
    ]);
    expect(unknownAfter).toEqual([]);
    expect(await d.leaks()).toEqual([]);
  });
});

describe('a login that writes its intent after the login', () => {
  let broken: Awaited<ReturnType<typeof brokenFunction>>;
  let d: Deployment;

  beforeAll(async () => {
    const mistake = MISTAKES.find(({ what }) => what === 'the intent is written after the login');
    broken = await brokenFunction('login', mistake?.patches ?? []);
    d = await deploy({ env: ENV, bundles: { login: broken.path } });
  });

  afterAll(async () => {
    await d.stop();
    await broken.remove();
  });

  test('is reported to leave unknown sessions if its process is killed in between', async () => {
    const { unknownAfter } = await killLoginEverywhere(d);
    expect(unknownAfter).toEqual(['after POST /api/login', 'before PutItem lease OPENING']);
  });
});

describe('a logout whose process is killed at any step', () => {
  let d: Deployment;

  beforeAll(async () => {
    d = await deploy();
  });

  afterAll(() => d.stop());

  test('is completed by the next logout', async () => {
    const open = async (name: string): Promise<void> => {
      d.addArray(name);
      resultOf(await d.login({ array: name, leaseId: `${name}-job` }));
    };
    const close = (name: string) => d.logout({ leaseId: `${name}-job` });
    await open('array-00-');
    const steps = await recordSteps(d, 'array-00-', () => close('array-00-'));
    expect(steps.map(({ name }) => name).sort()).toEqual([
      'Decrypt',
      'GetItem lease',
      'POST /api/logout',
      'PutItem lease CLOSED',
      'PutItem lease CLOSING',
      'UpdateItem array',
    ]);
    let cases = 0;
    for (const at of steps) {
      for (const phase of PHASES) {
        const name = `array-${String(++cases).padStart(2, '0')}-`;
        await open(name);
        await killDuring(d, name, { lambda: d.lambdaOf('logout'), at, phase }, () => close(name));
        expect(await unknownSessions(d), describeStep(at, phase)).toEqual([]);
        expect(resultOf(await close(name)).outcome, describeStep(at, phase)).toMatch(/^(ALREADY_)?CLOSED$/);
        expect(await d.lease(`${name}-job`), describeStep(at, phase)).toMatchObject({ state: 'CLOSED' });
        expect(d.simulator.sessions(), describeStep(at, phase)).toEqual([]);
      }
    }
    expect(await d.leaks()).toEqual([]);
  });
});
