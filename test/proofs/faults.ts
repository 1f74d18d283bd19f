/** Faults: whatever the array or AWS does, every function responds in time, no session is forgotten, and no token appears anywhere. */
import type { Fault as ArrayFault } from '../../simulator/index.ts';
import { type Deployment, type DeployOptions, deploy } from '../kit/deploy.ts';
import { OPERATIONS } from '../kit/operations.ts';
import { unknownSessions } from '../packaged/functions/unknown-sessions.ts';

const TIMEOUT_MS = 8000;
/** Every call ends half a second before the timeout. A busy machine may need most of that to deliver the response. */
const LEFT_MS = 100;
/** The longest that can be configured, so that only the function's own deadline limits each call. */
const ENV = { CONNECT_TIMEOUT_MS: '60000', FIRST_BYTE_TIMEOUT_MS: '60000', ANSWER_TIMEOUT_MS: '120000' };

type Fault = { readonly name: string; readonly hangs: boolean; readonly arrange: (d: Deployment) => void };

const ofArray = (name: string, fault: ArrayFault, hangs = false): Fault => ({
  name: `array: ${name}`,
  hangs,
  arrange: (d) => void d.simulator.faults.add(fault),
});

const ARRAY_FAULTS: readonly Fault[] = [
  ofArray('refuses connections', { kind: 'refuse' }),
  ofArray('resets connections', { kind: 'reset-at-accept' }),
  ofArray('does not speak TLS', { kind: 'plain-text' }),
  ofArray('resets the connection after acting', { kind: 'reset' }),
  ofArray('cuts its response after 30 bytes', { kind: 'cut', afterBytes: 30 }),
  ofArray('returns garbage', { kind: 'garbage' }),
  ofArray('returns 429', { kind: 'answer', act: false, status: 429 }),
  ofArray('returns 500', { kind: 'answer', act: false, status: 500 }),
  ofArray('returns 503', { kind: 'answer', act: false, status: 503 }),
  ofArray('redirects', { kind: 'answer', act: false, status: 302, headers: { location: 'https://127.0.0.1:1/' } }),
  ofArray('hangs at connect', { kind: 'hang-at-accept' }, true),
  ofArray('hangs in the TLS handshake', { kind: 'hang-in-handshake' }, true),
  ofArray('hangs before the headers', { kind: 'hang', at: 'before-headers' }, true),
  ofArray('hangs in the headers', { kind: 'hang', at: 'in-headers' }, true),
  ofArray('hangs in the body', { kind: 'hang', at: 'in-body' }, true),
  ofArray('trickles its response', { kind: 'trickle', intervalMs: 90 }, true),
];

const SERVICES = ['secretsmanager', 'kms', 'dynamodb'] as const;
const KINDS = ['throttle', 'deny', 'reset', 'garbage', 'lost answer', 'hang'] as const;
const AWS_FAULTS: readonly Fault[] = SERVICES.flatMap((service) =>
  [...KINDS.map((kind) => ({ kind })), { kind: 'slow', ms: 3000 } as const].map((fault) => ({
    name: `${service}: ${fault.kind}`,
    hangs: fault.kind === 'hang' || fault.kind === 'slow',
    arrange: (d) => d.aws.faults.add({ ...fault, service }),
  })),
);

export const FAULT_KINDS = ARRAY_FAULTS.length + AWS_FAULTS.length / SERVICES.length;

/** The operations that callers and the schedule invoke. */
export const ATTACKED = ['login', 'logout', 'call-array, after a lost session', 'renew', 'sweep-sessions'] as const;
export type Attacked = (typeof ATTACKED)[number];
export const ATTACKED_FUNCTIONS = ATTACKED.map((name) => OPERATIONS[name].of);

export type Case = { readonly name: Attacked; readonly fault: Fault };

/** Every fault combined with every operation. */
export const ALL_CASES: readonly Case[] = ATTACKED.flatMap((name) =>
  [...ARRAY_FAULTS, ...AWS_FAULTS].map((fault) => ({ name, fault })),
);

/**
 * Proves the cases, with the operations in parallel. `bundles` replace the product's. `leastLeftMs`: how much of its timeout the slowest
 * function had left.
 */
export async function proveFaults(cases: readonly Case[], bundles: DeployOptions['bundles'] = {}) {
  const wrong: string[] = [];
  let leastLeftMs = TIMEOUT_MS;

  async function proveOne(d: Deployment, { name, fault }: Case, leaseId: string): Promise<void> {
    const { of, prepare, event } = OPERATIONS[name];
    d.addArray(leaseId);
    await prepare(d, leaseId);
    fault.arrange(d);
    const startedAt = performance.now();
    const outcome = await d.invoke(of, event(leaseId), { timeoutMs: TIMEOUT_MS });
    const leftMs = TIMEOUT_MS - (performance.now() - startedAt);
    leastLeftMs = Math.min(leastLeftMs, leftMs);
    await d.simulator.faults.clear();
    d.aws.faults.clear();
    const unknown = (await unknownSessions(d)).length;
    const answered =
      'result' in outcome || ('error' in outcome && !outcome.timedOut && isOurs(outcome.error.errorType));
    if (!answered) wrong.push(`${name}, ${fault.name}: ${JSON.stringify(outcome)}`);
    if (leftMs < LEFT_MS) wrong.push(`${name}, ${fault.name}: responded ${Math.round(leftMs)} ms before its timeout`);
    if (unknown > 0) wrong.push(`${name}, ${fault.name}: ${unknown} unknown sessions`);
  }

  async function proveOperation(own: readonly Case[]): Promise<void> {
    const d = await deploy({ functions: ATTACKED_FUNCTIONS, env: ENV, bundles });
    try {
      // A warm-up, so that the cases measure the waiting and not the start of the process.
      await d.invoke(OPERATIONS[own[0]?.name ?? 'login'].of, {});
      for (const [index, one] of own.entries()) await proveOne(d, one, `case-${index}`);
      wrong.push(...(await d.leaks()).map((where) => `${own[0]?.name}: a token appears in ${where}`));
    } finally {
      await d.stop();
    }
  }

  await Promise.all([...Map.groupBy(cases, ({ name }) => name).values()].map(proveOperation));
  return { cases: cases.length, leastLeftMs: Math.round(leastLeftMs), wrong };
}

const isOurs = (errorType: string): boolean => /^[A-Z]+(_[A-Z]+)+$/.test(errorType);
