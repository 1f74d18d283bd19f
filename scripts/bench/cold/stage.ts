/** Where functions start cold: as packaged, under Lambda's runtime client, beside an array and AWS on loopback. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { AWS_CALL_MS } from '../../../lib/aws/client.ts';
import { createLeaseStore } from '../../../lib/aws/lease-store.ts';
import { deploy } from '../../../test/kit/deploy.ts';
import { type Lambda, type Outcome, startLambda } from '../../../test/kit/lambda/lambda.ts';
import { configurationOf, type Variables } from '../../../test/kit/packaged.ts';
import type { Usage } from '../compare.ts';
import { cpuMsOf } from './cpu.ts';
import type { Empty, Login } from './parts.ts';

export type Stage = {
  /** Each starts a process, lets it do one invocation and ends it. Rejects unless it did what it should. */
  readonly startEmpty: () => Promise<Empty>;
  readonly startLogin: () => Promise<Login>;
  /** The same on an array that never had a lease. */
  readonly startFirstLogin: () => Promise<Login>;
  /** What the template and its surroundings put into the environment of a function. */
  readonly variablesOf: (name: string) => Variables;
};

/** `packaged`: directory of the zips and the template. All of it lives until the end of `stack`. */
export async function openStage(packaged: string, stack: AsyncDisposableStack): Promise<Stage> {
  // Throws here and not later, where the system does not tell.
  cpuMsOf(process.pid);
  const seen = watchPoints();
  const d = stack.adopt(await deploy({ functions: ['login'], packaged: resolve(packaged) }), ({ stop }) => stop());
  const { aws, simulator } = d;
  d.watchArray((phase, { path }) => {
    if (phase === 'done' && path === '/api/login') seen.reach('session');
  });
  aws.onCall((phase, { service }) => {
    if (phase === 'done') seen.reach(service === 'secretsmanager' ? 'secret' : 'intent');
  });
  const variablesOf = (name: string) => ({
    ...configurationOf(name, d.physical, resolve(packaged)).variables,
    ...aws.env,
  });
  const login = d.lambdaOf('login');
  // One process environment for both: what differs is the code.
  const what = { directory: import.meta.dirname, handler: 'empty.handler', env: variablesOf('login') };
  const empty = stack.adopt(await startLambda(what), ({ stop }) => stop());

  const client = new DynamoDBClient({
    endpoint: aws.env.AWS_ENDPOINT_URL_DYNAMODB,
    region: aws.env.AWS_REGION,
    credentials: aws.credentials,
  });
  stack.defer(() => client.destroy());
  const store = createLeaseStore(client, d.physical.LeaseTable, randomUUID);
  let arrays = 0;
  // For each login one of its own: an array has so many slots.
  const newArray = (): string => {
    const array = `fb${++arrays}`;
    d.addArray(array);
    return array;
  };
  const startLoginOn = async (array: string): Promise<Login> => {
    const before = simulator.sessions().length;
    const { outcome, reached } = await seen.during(login, { array });
    checkLease(outcome, { array, opened: simulator.sessions().length - before });
    return complete(reached, 'asked', 'secret', 'intent', 'session', 'done');
  };
  return {
    variablesOf,
    startEmpty: again(async () => {
      const { outcome, reached } = await seen.during(empty, {});
      if (!('result' in outcome)) throw new Error(`the empty handler failed: ${JSON.stringify(outcome)}`);
      return complete(reached, 'asked', 'done');
    }),
    startLogin: again(async () => {
      const array = newArray();
      const slot = { attemptId: 'earlier', leaseId: 'earlier', until: 0 };
      await store.takeSlot(array, slot, 1, Date.now() + AWS_CALL_MS);
      await store.freeSlot(array, slot, Date.now() + AWS_CALL_MS);
      return startLoginOn(array);
    }),
    startFirstLogin: again(() => startLoginOn(newArray())),
  };
}

/** Throws unless a login was answered with a lease, and the array has the one more session that it is for. */
export function checkLease(
  outcome: Outcome,
  { array, opened }: { readonly array: string; readonly opened: number },
): void {
  const result = 'result' in outcome ? outcome.result : undefined;
  const { leaseId, array: of } = (result ?? {}) as { leaseId?: unknown; array?: unknown };
  if (typeof leaseId !== 'string' || of !== array) throw new Error(`login gave no lease: ${JSON.stringify(outcome)}`);
  if (opened !== 1) throw new Error(`the array has ${opened} more sessions, not one`);
}

const TRIES = 5;

/** On a machine that is very busy, calls run into their time limits: such a start is repeated, not measured. */
function again<Result>(start: () => Promise<Result>): () => Promise<Result> {
  const attempt = (tries: number): Promise<Result> =>
    start().catch((error) => {
      if (tries === TRIES) throw error;
      return attempt(tries + 1);
    });
  return () => attempt(1);
}

type Point = keyof Login;
type Reached = Partial<Record<Point, Usage>>;

/** When it last called the Runtime API: as it asked for work, or answered. */
const usedBy = ({ cpuMs }: Lambda): number => cpuMs ?? Number.NaN;

/** Notes what a process has used at each point that it reaches. */
function watchPoints() {
  let reach = (_: Point): void => {};

  async function during(lambda: Lambda, request: object): Promise<{ outcome: Outcome; reached: Reached }> {
    const reached: Reached = {};
    const startedAt = performance.now();
    const wallMs = () => performance.now() - startedAt;
    let endedThreadsMs = 0;
    reach = (point) => {
      // The ledger is called again after the login; the intent is what came before.
      if (point === 'intent' && reached.session !== undefined) return;
      try {
        reached[point] = { wallMs: wallMs(), cpuMs: endedThreadsMs + cpuMsOf(lambda.pid ?? 0) };
      } catch {
        // The process has ended, and the outcome says why.
      }
    };
    // An event becomes JSON in the moment in which the process asks for it.
    const toJSON = () => {
      reach('asked');
      if (reached.asked === undefined) return request;
      // `node:tls` reads certificates in a thread, which has ended by now: only the process itself knows of its time.
      endedThreadsMs = Math.max(0, usedBy(lambda) - reached.asked.cpuMs);
      reached.asked = { wallMs: wallMs(), cpuMs: usedBy(lambda) };
      return request;
    };
    const outcome = await lambda.invoke({ toJSON });
    reached.done = { wallMs: wallMs(), cpuMs: usedBy(lambda) };
    await lambda.kill();
    return { outcome, reached };
  }

  return { during, reach: (point: Point): void => reach(point) };
}

function complete<Needed extends Point>(reached: Reached, ...points: Needed[]): Readonly<Record<Needed, Usage>> {
  const missing = points.filter((point) => !Number.isFinite(reached[point]?.cpuMs));
  if (missing.length > 0) throw new Error(`a cold start did not come to: ${missing.join(', ')}`);
  return reached as Record<Needed, Usage>;
}
