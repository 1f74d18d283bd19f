/** The functions' operations, each as one invocation with its own lease. */
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import type { Deployment } from '../../kit/deploy.ts';
import type { Outcome } from '../../kit/lambda/lambda.ts';
import { resultOf } from '../../kit/lambda/outcome.ts';
import { released, requested } from '../../kit/memory/messages.ts';
import type { FunctionName } from '../../kit/packaged.ts';
import { expire } from '../../proofs/operations.ts';

type Operation = {
  readonly of: FunctionName;
  /** Sets up what the operation needs. */
  readonly prepare?: (d: Deployment, leaseId: string) => Promise<unknown>;
  readonly event: (leaseId: string) => unknown;
};

/** The only array of the fleet. */
export const ARRAY = 'fb1';

const open = async (d: Deployment, leaseId: string) => resultOf(await d.login({ array: ARRAY, leaseId }));
const inHalfAnHour = (): number => Math.floor(Date.now() / 1000) + 1800;

export const OPERATIONS = {
  login: { of: 'login', event: (leaseId) => ({ array: ARRAY, leaseId }) },
  logout: { of: 'logout', prepare: open, event: (leaseId) => ({ leaseId }) },
  'call-array': {
    of: 'call-array',
    prepare: open,
    event: (leaseId) => ({ leaseId, method: 'GET', path: '/api/2.15/arrays' }),
  },
  renew: { of: 'renew', prepare: open, event: (leaseId) => ({ leaseId, expiresAt: inHalfAnHour() }) },
  'session-events, a request': {
    of: 'session-events',
    event: (leaseId) => sqsEventOf([requested({ array: ARRAY, leaseId, owner: 'job' }, leaseId)]),
  },
  'session-events, a release': {
    of: 'session-events',
    prepare: open,
    event: (leaseId) => sqsEventOf([released({ leaseId }, leaseId)]),
  },
  'sweep-sessions, one lease': {
    of: 'sweep-sessions',
    prepare: async (d, leaseId) => {
      await open(d, leaseId);
      await expire(d, leaseId);
    },
    event: () => ({}),
  },
  'check-fleet, one array': { of: 'check-fleet', event: () => ({ arrays: [ARRAY] }) },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

/**
 * Prepares the operation, lets `around` run the invocation, and closes what is left open. Throws if the invocation or the
 * operation failed, because its round trips would be meaningless.
 */
export async function perform<T>(
  d: Deployment,
  name: OperationName,
  leaseId: string,
  around: (invoke: () => Promise<Outcome>) => Promise<T>,
): Promise<T> {
  const { of, prepare, event }: Operation = OPERATIONS[name];
  await prepare?.(d, leaseId);
  let outcome: Outcome | undefined;
  const result = await around(async () => {
    outcome = await d.invoke(of, event(leaseId));
    return outcome;
  });
  if (outcome === undefined || !('result' in outcome)) throw new Error(`${name}: ${JSON.stringify(outcome)}`);
  if (of === 'session-events' && JSON.stringify(outcome.result) !== '{"batchItemFailures":[]}') {
    throw new Error(`${name}: its message would be delivered again`);
  }
  await d.logout({ leaseId });
  const left = d.simulator.sessions().length;
  if (left > 0) throw new Error(`${name}: ${left} sessions are left open`);
  return result;
}
