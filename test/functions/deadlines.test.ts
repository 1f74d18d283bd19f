import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Deployment, deploy, errorOf, resultOf } from './deployment.ts';
import { stepOf } from './steps.ts';
import { unknownSessions } from './unknown-sessions.ts';

// All stand-ins live in one process: with more cases at a time, they would be what is waited for.
vi.setConfig({ testTimeout: 120_000, maxConcurrency: 6 });

const TIMEOUT_MS = 10_000;
/** Every call ends half a second before the time-out. A busy machine may take most of that to bring the answer. */
const LEFT_MS = 100;
/** As long as can be configured: it is the function's own time that must bound each call. */
const ENV = { CONNECT_TIMEOUT_MS: '60000', FIRST_BYTE_TIMEOUT_MS: '60000', ANSWER_TIMEOUT_MS: '120000' };

type Case = {
  readonly of: 'login' | 'logout';
  readonly hangs: string;
  readonly code: string;
  readonly arrange: (d: Deployment) => void;
};

const array = (fault: Parameters<Deployment['simulator']['faults']['add']>[0]) => (d: Deployment) =>
  void d.simulator.faults.add(fault);
const service = (name: 'secretsmanager' | 'kms' | 'dynamodb') => (d: Deployment) =>
  d.aws.faults.add({ kind: 'hang', service: name });
/** DynamoDB answers until this step. */
const ledgerFrom = (step: string) => (d: Deployment) =>
  void d.aws.onCall((phase, call) => {
    if (phase === 'received' && stepOf(call) === step) d.aws.faults.add({ kind: 'hang', service: 'dynamodb' });
  });
const both =
  (...arrangements: Case['arrange'][]): Case['arrange'] =>
  (d) => {
    for (const arrange of arrangements) arrange(d);
  };
const logoutHangs = array({ kind: 'hang', at: 'before-headers', path: '/api/logout' });

const CASES: readonly Case[] = [
  { of: 'login', hangs: 'array, at connect', code: 'ARRAY_UNREACHABLE', arrange: array({ kind: 'hang-at-accept' }) },
  { of: 'login', hangs: 'array, in TLS', code: 'ARRAY_UNREACHABLE', arrange: array({ kind: 'hang-in-handshake' }) },
  {
    of: 'login',
    hangs: 'array, silent',
    code: 'LOGIN_UNKNOWN',
    arrange: array({ kind: 'hang', at: 'before-headers' }),
  },
  {
    of: 'login',
    hangs: 'array, in its head',
    code: 'LOGIN_UNKNOWN',
    arrange: array({ kind: 'hang', at: 'in-headers' }),
  },
  {
    of: 'login',
    hangs: 'array, in all bodies',
    code: 'LOGIN_UNKNOWN',
    arrange: array({ kind: 'hang', at: 'in-body' }),
  },
  {
    of: 'login',
    hangs: 'array, drop by drop',
    code: 'LOGIN_UNKNOWN',
    arrange: array({ kind: 'trickle', intervalMs: 90 }),
  },
  { of: 'login', hangs: 'Secrets Manager', code: 'SECRET_UNAVAILABLE', arrange: service('secretsmanager') },
  { of: 'login', hangs: 'KMS', code: 'AWS_UNAVAILABLE', arrange: service('kms') },
  { of: 'login', hangs: 'DynamoDB', code: 'AWS_UNAVAILABLE', arrange: service('dynamodb') },
  {
    of: 'login',
    hangs: 'DynamoDB, from the recording on',
    code: 'AWS_UNAVAILABLE',
    arrange: ledgerFrom('PutItem lease OPEN'),
  },
  {
    of: 'login',
    hangs: 'DynamoDB from the recording on, and the array at logout',
    code: 'LOGIN_UNKNOWN',
    arrange: both(ledgerFrom('PutItem lease OPEN'), logoutHangs),
  },
  { of: 'logout', hangs: 'array, at connect', code: 'ARRAY_UNREACHABLE', arrange: array({ kind: 'hang-at-accept' }) },
  { of: 'logout', hangs: 'array, in TLS', code: 'ARRAY_UNREACHABLE', arrange: array({ kind: 'hang-in-handshake' }) },
  { of: 'logout', hangs: 'array, silent', code: 'ARRAY_UNREACHABLE', arrange: logoutHangs },
  {
    of: 'logout',
    hangs: 'array, in its head',
    code: 'ARRAY_UNREACHABLE',
    arrange: array({ kind: 'hang', at: 'in-headers' }),
  },
  {
    of: 'logout',
    hangs: 'array, in its body',
    code: 'ARRAY_UNREACHABLE',
    arrange: array({ kind: 'hang', at: 'in-body' }),
  },
  { of: 'logout', hangs: 'KMS', code: 'AWS_UNAVAILABLE', arrange: service('kms') },
  { of: 'logout', hangs: 'DynamoDB', code: 'AWS_UNAVAILABLE', arrange: service('dynamodb') },
  {
    of: 'logout',
    hangs: 'DynamoDB, from the claim on',
    code: 'AWS_UNAVAILABLE',
    arrange: ledgerFrom('PutItem lease CLOSING'),
  },
  {
    of: 'logout',
    hangs: 'array, and then DynamoDB',
    code: 'ARRAY_UNREACHABLE',
    arrange: (d) => {
      logoutHangs(d);
      d.watchArray(() => d.aws.faults.add({ kind: 'hang', service: 'dynamodb' }));
    },
  },
];

const deployments = new Map<Case, Deployment>();

async function start(one: Case): Promise<void> {
  const d = await deploy({ env: ENV });
  deployments.set(one, d);
  d.addArray('fb1');
  d.addArray('fb2');
  // The process has done the same before: what is measured afterwards is the waiting.
  resultOf(await d.login({ array: 'fb1', leaseId: 'warm' }));
  if (one.of === 'logout') {
    resultOf(await d.login({ array: 'fb1', leaseId: 'job' }));
    resultOf(await d.logout({ leaseId: 'warm' }));
  }
  one.arrange(d);
}

beforeAll(async () => {
  // A few at a time: a process that waits for a core is not one that hangs.
  for (let index = 0; index < CASES.length; index += 3) await Promise.all(CASES.slice(index, index + 3).map(start));
});

afterAll(async () => {
  await Promise.all([...deployments.values()].map((d) => d.stop()));
});

test.concurrent.each(CASES)('$of ends in time with $code if this hangs: $hangs', async (one) => {
  const d = deployments.get(one) as Deployment;
  const startedAt = performance.now();
  // Another array than before: its secret is in no cache.
  const request = one.of === 'login' ? { array: 'fb2', leaseId: 'job' } : { leaseId: 'job' };
  const outcome = await d[one.of](request, { timeoutMs: TIMEOUT_MS });
  const leftMs = TIMEOUT_MS - (performance.now() - startedAt);
  expect(errorOf(outcome).errorType).toBe(one.code);
  expect(leftMs).toBeGreaterThan(LEFT_MS);
  d.aws.faults.clear();
  expect(await unknownSessions(d)).toEqual([]);
  expect(await d.leaks()).toEqual([]);
});
