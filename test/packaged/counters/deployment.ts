/** Every packaged function over one ledger and one simulated array, with counters of their connections. */

import { type Lambda, startLambda } from '../../kit/lambda/lambda.ts';
import { zipOf } from '../../kit/packaged.ts';
import { configurationOf } from '../functions/configuration.ts';
import { type Deployment, deploy } from '../functions/deployment.ts';
import { startRelay } from './relay.ts';

const BUS = 'sessions';
const ENDPOINTS = [
  'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  'AWS_ENDPOINT_URL_KMS',
  'AWS_ENDPOINT_URL_DYNAMODB',
  'AWS_ENDPOINT_URL_EVENTBRIDGE',
] as const;
const OTHERS = ['call-array', 'renew', 'session-events', 'sweep-sessions', 'check-fleet'] as const;

export type FunctionName = 'login' | 'logout' | (typeof OTHERS)[number];
/** The only array of the fleet. */
export const ARRAY = 'fb1';

export type Everything = Deployment & {
  readonly lambdas: Readonly<Record<FunctionName, Lambda>>;
  /** How many connections the functions have opened to AWS so far. */
  readonly awsConnections: () => number;
};

export async function deployEverything(): Promise<Everything> {
  const relays = await Promise.all(ENDPOINTS.map(startRelay));
  const env = Object.fromEntries(ENDPOINTS.map((name, index) => [name, relays[index]?.url ?? '']));
  const d = await deploy({ env });
  for (const [index, relay] of relays.entries()) relay.to(d.aws.env[ENDPOINTS[index] ?? ENDPOINTS[0]]);
  d.addArray(ARRAY);
  d.aws.events.createBus(BUS);
  const { LEASE_TABLE: LeaseTable, LEASE_KEY: LeaseKey } = d.env;
  const physical = { LeaseTable, LeaseKey, EventBus: BUS, DeadLetterQueue: d.aws.sqs.createQueue('dead-letters') };
  const start = async (functionName: (typeof OTHERS)[number]) => {
    const { handler, timeoutMs, variables } = configurationOf(functionName, physical);
    const all = { ...variables, ...d.env, ...env };
    const lambda = await startLambda({ zip: zipOf(functionName), handler, functionName, timeoutMs, env: all });
    return [functionName, lambda] as const;
  };
  const others = Object.fromEntries(await Promise.all(OTHERS.map(start))) as Record<(typeof OTHERS)[number], Lambda>;
  return {
    ...d,
    lambdas: { ...d.functions, ...others },
    awsConnections: () => relays.reduce((sum, relay) => sum + relay.connections(), 0),
    stop: async () => {
      await Promise.all(Object.values(others).map((lambda) => lambda.stop()));
      await d.stop();
      await Promise.all(relays.map((relay) => relay.stop()));
    },
  };
}
