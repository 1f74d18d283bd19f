/** Everything that the demonstration runs in: an array, AWS on loopback, the packaged functions as Lambda runs them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stop as stopEsbuild } from 'esbuild';
import { apiVersions, closeConnections, createPorts, type Ports, readConfig } from '../../lib/index.ts';
import { type Aws, startAws } from '../../test/kit/aws/index.ts';
import { readTemplate } from '../../test/packaged/infra/template.ts';
import { buildFunctions } from '../build.ts';
import { packageFunctions } from '../package.ts';
import type { Command } from './arguments.ts';
import { type DemoArray, realArray } from './array.ts';
import { type Calls, countCalls } from './calls.ts';
import { type Clock, createClock } from './clock.ts';
import { type Deployed, startFunction } from './deployed.ts';
import { type Functions, functionsOf } from './functions.ts';
import type { Say } from './screen.ts';
import { type SimulatedArray, type SimulatedFleet, simulatedFleet } from './simulated.ts';

const TABLE = 'leases';
const BUS = 'sessions';

export type Surroundings = {
  readonly array: DemoArray | SimulatedArray;
  readonly aws: Aws;
  readonly functions: Functions;
  readonly ports: Ports;
  readonly apiVersions: typeof apiVersions;
  readonly calls: Calls;
  /** Every item of the ledger. */
  readonly ledger: () => Promise<Record<string, unknown>[]>;
  /** Of the simulated arrays and of AWS. */
  readonly clock: Clock;
  /** Starts one more function by the clock as it stands. */
  readonly start: (name: string) => Promise<Deployed>;
  /** Puts one more simulated array into the fleet. */
  readonly addArray: (name: string) => Promise<SimulatedArray>;
  /** Live sessions on all simulated arrays. */
  readonly sessions: SimulatedFleet['sessions'];
};

/**
 * Builds and packages the functions in a directory that goes away with `stack`; returns where the zips are. `goOn` is called in
 * between, and ends it by throwing.
 */
export async function packageNow(stack: AsyncDisposableStack, goOn: () => void): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flashblade-start-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const bundles = join(directory, 'bundles');
  try {
    await buildFunctions({ outdir: bundles });
  } finally {
    await stopEsbuild();
  }
  goOn();
  const { template } = await packageFunctions({ bundles, outdir: join(directory, 'zips') });
  return dirname(template);
}

/** Starts it all; `stack` ends it all. Throws if a part does not start. */
export async function surround(
  command: Command,
  packaged: string,
  stack: AsyncDisposableStack,
  say: Say,
): Promise<Surroundings> {
  const template = await readTemplate(resolve(packaged, 'cloudformation-template-update-stack.json'));
  const clock = createClock();
  const fleet = simulatedFleet(clock, stack);
  const { name, secret } = command;
  const array = secret === undefined ? await fleet.add(name) : realArray(name, secret);
  const aws = stack.adopt(await startAws({ now: () => clock.now() / 1000 }), ({ stop }) => stop());
  await aws.dynamodb.createTable(template.Resources['LeaseTable']?.Properties ?? {}, TABLE);
  const env = { ...aws.env, AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull };
  const deployment = { packaged, template, physical: physicalOf(aws), env };

  const start = async (functionName: string) =>
    stack.adopt(await startFunction(deployment, functionName, clock.aheadMs()), ({ lambda }) => lambda.stop());
  const [login, logout] = [await start('login'), await start('logout')];

  const config = readConfig(login.variables);
  const register = (one: DemoArray) => aws.secrets.put(config.SECRET_PREFIX + one.name, one.secret);
  register(array);
  useStandIns(env);
  stack.defer(closeConnections);
  const calls = countCalls(aws, [login, logout], secret === undefined ? fleet.requests : undefined);
  say(`${array.name}: ${array.what}; AWS on loopback`);
  return {
    array,
    aws,
    functions: functionsOf(login, logout),
    ports: withCountedCalls(createPorts(config, ignore), calls),
    apiVersions: calls.counted(apiVersions),
    calls,
    ledger: () => aws.dynamodb.scan(TABLE),
    clock,
    start,
    addArray: async (another) => {
      const added = await fleet.add(another);
      register(added);
      return added;
    },
    sessions: fleet.sessions,
  };
}

/** What the stack's own resources are called here. */
function physicalOf({ events, kms, sqs }: Aws): Record<string, string> {
  events.createBus(BUS);
  return {
    LeaseTable: TABLE,
    LeaseKey: kms.createKey('alias/leases').arn,
    EventBus: BUS,
    DeadLetterQueue: sqs.createQueue('dead-letters'),
  };
}

/** What a call throws is told where it is caught. */
const ignore = (): void => undefined;

/** The SDK finds the stand-ins in the environment, and nothing that leads to the person's own AWS account. */
function useStandIns(variables: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, variables);
}

const withCountedCalls = (ports: Ports, { counted }: Calls): Ports => ({
  ...ports,
  flashblade: {
    login: counted(ports.flashblade.login),
    logout: counted(ports.flashblade.logout),
    apiVersions: counted(ports.flashblade.apiVersions),
    request: counted(ports.flashblade.request),
  },
});
