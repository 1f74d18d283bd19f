import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { errorOf, resultOf } from '../../kit/lambda/outcome.ts';
import { stepOf } from './steps.ts';
import { unknownSessions } from './unknown-sessions.ts';

// All stand-ins share one process: with more cases at a time, the stand-ins themselves would be slow.
vi.setConfig({ testTimeout: 120_000, maxConcurrency: 6 });

const TIMEOUT_MS = 10_000;
/** Every call ends half a second before the timeout. A busy machine may need most of that to deliver the response. */
const LEFT_MS = 100;
/** The longest configurable timeouts, so that only the function's own deadline limits each call. */
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
/** DynamoDB responds until this step. */
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
  {
    of: 'login',
    hangs: 'the array, before it accepts the connection',
    code: 'ARRAY_UNREACHABLE',
    arrange: array({ kind: 'hang-at-accept' }),
  },
  {
    of: 'login',
    hangs: 'the array, in the TLS handshake',
    code: 'ARRAY_UNREACHABLE',
    arrange: array({ kind: 'hang-in-handshake' }),
  },
  {
    of: 'login',
    hangs: 'the array, before its response',
    code: 'LOGIN_UNKNOWN',
    arrange: array({ kind: 'hang', at: 'before-headers' }),
  },
  {
    of: 'login',
    hangs: 'the array, in the response head',
    code: 'LOGIN_UNKNOWN',
    arrange: array({ kind: 'hang', at: 'in-headers' }),
  },
  {
    of: 'login',
    hangs: 'the array, in every response body',
    code: 'LOGIN_UNKNOWN',
    arrange: array({ kind: 'hang', at: 'in-body' }),
  },
  {
    of: 'login',
    hangs: 'the array, which sends one byte at a time',
    code: 'LOGIN_UNKNOWN',
    arrange: array({ kind: 'trickle', intervalMs: 90 }),
  },
  { of: 'login', hangs: 'Secrets Manager', code: 'SECRET_UNAVAILABLE', arrange: service('secretsmanager') },
  { of: 'login', hangs: 'KMS', code: 'AWS_UNAVAILABLE', arrange: service('kms') },
  { of: 'login', hangs: 'DynamoDB', code: 'AWS_UNAVAILABLE', arrange: service('dynamodb') },
  {
    of: 'login',
    hangs: 'DynamoDB, from the recording of the session on',
    code: 'AWS_UNAVAILABLE',
    arrange: ledgerFrom('PutItem lease OPEN'),
  },
  {
    of: 'login',
    hangs: 'DynamoDB, from the recording of the session on, and the array at logout',
    code: 'LOGIN_UNKNOWN',
    arrange: both(ledgerFrom('PutItem lease OPEN'), logoutHangs),
  },
  {
    of: 'logout',
    hangs: 'the array, before it accepts the connection',
    code: 'ARRAY_UNREACHABLE',
    arrange: array({ kind: 'hang-at-accept' }),
  },
  {
    of: 'logout',
    hangs: 'the array, in the TLS handshake',
    code: 'ARRAY_UNREACHABLE',
    arrange: array({ kind: 'hang-in-handshake' }),
  },
  { of: 'logout', hangs: 'the array, before its response', code: 'ARRAY_UNREACHABLE', arrange: logoutHangs },
  {
    of: 'logout',
    hangs: 'the array, in the response head',
    code: 'ARRAY_UNREACHABLE',
    arrange: array({ kind: 'hang', at: 'in-headers' }),
  },
  {
    of: 'logout',
    hangs: 'the array, in the response body',
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
    hangs: 'the array, and then DynamoDB',
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
  // Warm up the process, so that the test measures only the waiting.
  resultOf(await d.login({ array: 'fb1', leaseId: 'warm' }));
  if (one.of === 'logout') {
    resultOf(await d.login({ array: 'fb1', leaseId: 'job' }));
    resultOf(await d.logout({ leaseId: 'warm' }));
  }
  one.arrange(d);
}

beforeAll(async () => {
  // A few at a time: a process that waits for a core looks like one that hangs.
  for (let index = 0; index < CASES.length; index += 3) await Promise.all(CASES.slice(index, index + 3).map(start));
});

afterAll(async () => {
  await Promise.all([...deployments.values()].map((d) => d.stop()));
});

test.concurrent.each(CASES)('$of ends before its timeout with $code if this hangs: $hangs', async (one) => {
  const d = deployments.get(one) as Deployment;
  const startedAt = performance.now();
  // Not the array of the warm-up: its secret must not be cached.
  const request = one.of === 'login' ? { array: 'fb2', leaseId: 'job' } : { leaseId: 'job' };
  const outcome = await d[one.of](request, { timeoutMs: TIMEOUT_MS });
  const leftMs = TIMEOUT_MS - (performance.now() - startedAt);
  expect(errorOf(outcome).errorType).toBe(one.code);
  expect(leftMs).toBeGreaterThan(LEFT_MS);
  d.aws.faults.clear();
  expect(await unknownSessions(d)).toEqual([]);
  expect(await d.leaks()).toEqual([]);
});
