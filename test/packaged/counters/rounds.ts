/**
 * Counts sequential round trips without a clock. Steps that are expected together are answered only when all of them have
 * arrived. A caller that waits for the first before it sends the second gets no response.
 */
import type { Deployment } from '../../kit/deploy.ts';
import type { Outcome } from '../../kit/lambda/lambda.ts';
import { OPERATIONS, type OperationName } from '../../kit/operations.ts';
import { onStep } from '../functions/steps.ts';

/** Rounds follow each other; the steps of one round are sent together, in any order. */
export type Rounds = readonly (readonly string[])[];

/** `rounds`: the complete rounds, each sorted. `others`: steps that arrived outside their round, in order. */
export type Seen = { readonly rounds: Rounds; readonly others: readonly string[] };

export function gateOf(expected: Rounds) {
  const gates = expected.map((steps) => ({ missing: [...steps], complete: Promise.withResolvers<void>() }));
  const others: string[] = [];
  let current = 0;

  /** Resolves when the step may be answered: at once, if it is not expected now. */
  async function arrive(step: string): Promise<void> {
    const gate = gates[current];
    const index = gate?.missing.indexOf(step) ?? -1;
    if (gate === undefined || index < 0) return void others.push(step);
    gate.missing.splice(index, 1);
    if (gate.missing.length === 0) {
      current += 1;
      gate.complete.resolve();
    }
    await gate.complete.promise;
  }

  /** Releases all waiting steps and returns what arrived. */
  function end(): Seen {
    for (const { complete } of gates) complete.resolve();
    return { rounds: expected.slice(0, current).map((steps) => steps.toSorted()), others };
  }

  return { arrive, end };
}

/** Lets a function proceed only in rounds, and returns what it saw. */
export async function inRounds(
  d: Pick<Deployment, 'aws' | 'watchArray'>,
  expected: Rounds,
  work: () => Promise<unknown>,
): Promise<Seen> {
  const gate = gateOf(expected);
  const leave = onStep(d, (name, phase) => (phase === 'received' ? gate.arrive(name) : undefined));
  try {
    await work();
  } finally {
    leave();
    gate.end();
  }
  return gate.end();
}

const INTENT = ['GenerateDataKey', 'GetItem refusal', 'PutItem lease OPENING', 'UpdateItem array'];
export const OPEN: Rounds = [INTENT, ['POST /api/login'], ['PutItem lease OPEN']];
export const HOLD: Rounds = [['GetItem lease'], ['Decrypt']];
export const CLOSE: Rounds = [
  ['GetItem lease'],
  ['Decrypt', 'PutItem lease CLOSING'],
  ['POST /api/logout'],
  ['PutItem lease CLOSED', 'UpdateItem array'],
];

/** All partitions of the index at once: the one of version 0.1.0, and sixteen shards. */
const DUE: readonly string[] = Array(17).fill('Query');

/** The round trips of each function when it is warm. */
export const ROUNDS = {
  login: OPEN,
  logout: CLOSE,
  'call-array': [...HOLD, ['GET /api/2.15/arrays']],
  renew: [
    ['GetItem lease'],
    ...HOLD,
    ['GET /api/api_version'],
    ['GET /api/2.26/arrays'],
    ['GetItem lease'],
    ['PutItem lease OPEN'],
  ],
  'session-events': [INTENT, ['GetItem owner', 'POST /api/login'], ['PutItem lease OPEN'], ['PutEvents']],
  'session-events, a release': [...CLOSE, ['PutEvents']],
  'sweep-sessions': [DUE, ...CLOSE],
  'check-fleet': [
    DUE,
    ['GET /api/api_version'],
    ...OPEN,
    ...HOLD,
    ['GET /api/2.26/arrays'],
    ['GET /api/2.26/admins/api-tokens'],
    ['GET /api/2.26/sessions'],
    ...CLOSE,
  ],
} as const satisfies Partial<Record<OperationName, Rounds>>;

export type CountedName = keyof typeof ROUNDS;
export const COUNTED_NAMES = Object.keys(ROUNDS) as CountedName[];

/** The only array of the fleet. */
export const ARRAY = 'fb1';

/**
 * Prepares the operation, lets `around` run the invocation, and closes what is left open. Throws if the invocation or the
 * operation failed, because its round trips would be meaningless.
 */
export async function perform<T>(
  d: Deployment,
  name: CountedName,
  leaseId: string,
  around: (invoke: () => Promise<Outcome>) => Promise<T>,
): Promise<T> {
  const { of, prepare, event } = OPERATIONS[name];
  await prepare(d, leaseId, ARRAY);
  let outcome: Outcome | undefined;
  const result = await around(async () => {
    outcome = await d.invoke(of, event(leaseId, ARRAY));
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
