/** One invocation of each function: what it needs before, and its event. Each has its own lease, and by default an array of that name. */
import { sqsEventOf } from './aws/sqs-event.ts';
import type { Deployment } from './deploy.ts';
import { resultOf } from './lambda/outcome.ts';
import { released, requested } from './memory/messages.ts';
import type { FunctionName } from './packaged.ts';

type Operation = {
  readonly of: FunctionName;
  /** Sets up what the operation needs. */
  readonly prepare: (d: Deployment, leaseId: string, array?: string) => Promise<void>;
  readonly event: (leaseId: string, array?: string) => unknown;
};

const nothing = async (): Promise<void> => {};
const open = async (d: Deployment, leaseId: string, array = leaseId): Promise<void> =>
  void resultOf(await d.login({ array, leaseId }));

/** Makes an open lease look expired. */
const openExpired = async (d: Deployment, leaseId: string, array?: string): Promise<void> => {
  await open(d, leaseId, array);
  const past = Math.floor(Date.now() / 1000) - 1;
  await d.tamper({ ...(await d.lease(leaseId)), expiresAt: past, dueAt: past });
};

/** The array ends the session, so that a call needs a relogin. */
const openLost = async (d: Deployment, leaseId: string, array?: string): Promise<void> => {
  await open(d, leaseId, array);
  const attemptId = (await d.lease(leaseId))?.attemptId;
  const session = d.simulator.sessions().find(({ requestId }) => requestId === attemptId);
  if (!session || !d.simulator.endSession(session.authToken)) throw new Error(`lease ${leaseId} has no session`);
};

const call = (leaseId: string) => ({ leaseId, method: 'GET', path: '/api/2.15/arrays' });

export const OPERATIONS = {
  login: { of: 'login', prepare: nothing, event: (leaseId, array = leaseId) => ({ array, leaseId }) },
  logout: { of: 'logout', prepare: open, event: (leaseId) => ({ leaseId }) },
  'call-array': { of: 'call-array', prepare: open, event: call },
  'call-array, after a lost session': { of: 'call-array', prepare: openLost, event: call },
  renew: {
    of: 'renew',
    prepare: open,
    event: (leaseId) => ({ leaseId, expiresAt: Math.floor(Date.now() / 1000) + 1800 }),
  },
  'session-events': {
    of: 'session-events',
    prepare: nothing,
    event: (leaseId, array = leaseId) => sqsEventOf([requested({ array, leaseId, owner: 'job' }, leaseId)]),
  },
  'session-events, a release': {
    of: 'session-events',
    prepare: open,
    event: (leaseId) => sqsEventOf([released({ leaseId }, leaseId)]),
  },
  'sweep-sessions': { of: 'sweep-sessions', prepare: openExpired, event: () => ({}) },
  'check-fleet': { of: 'check-fleet', prepare: nothing, event: (leaseId, array = leaseId) => ({ arrays: [array] }) },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
