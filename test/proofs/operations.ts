/** The operations that callers and the schedule invoke, each on its own lease. */
import type { Deployment } from '../kit/deploy.ts';
import { resultOf } from '../kit/lambda/outcome.ts';

/** `name` is both the array name and the lease id of one case. */
export type Operation = {
  readonly prepare: (d: Deployment, name: string) => Promise<void>;
  readonly event: (name: string) => unknown;
};

const open = async (d: Deployment, name: string): Promise<void> => {
  resultOf(await d.login({ array: name, leaseId: name }));
};

/** Makes an open lease look expired. */
export async function expire(d: Deployment, leaseId: string): Promise<void> {
  const past = Math.floor(Date.now() / 1000) - 1;
  await d.tamper({ ...(await d.lease(leaseId)), expiresAt: past, dueAt: past });
}

/** Ends the session, so that a call needs a relogin. */
const loseSession = async (d: Deployment, name: string): Promise<void> => {
  await open(d, name);
  const attemptId = (await d.lease(name))?.attemptId;
  const session = d.simulator.sessions().find(({ requestId }) => requestId === attemptId);
  if (!session || !d.simulator.endSession(session.authToken)) throw new Error(`lease ${name} has no session`);
};

export const OPERATIONS = {
  login: { prepare: async () => {}, event: (name) => ({ array: name, leaseId: name }) },
  logout: { prepare: open, event: (name) => ({ leaseId: name }) },
  'call-array': {
    prepare: loseSession,
    event: (name) => ({ leaseId: name, method: 'GET', path: '/api/2.15/arrays' }),
  },
  renew: {
    prepare: open,
    event: (name) => ({ leaseId: name, expiresAt: Math.floor(Date.now() / 1000) + 1800 }),
  },
  'sweep-sessions': {
    prepare: async (d, name) => {
      await open(d, name);
      await expire(d, name);
    },
    event: () => ({}),
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];
