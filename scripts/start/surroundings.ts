/** The demonstration's environment: an array, local stand-ins for AWS, and the packaged functions, which run as they do in Lambda. */
import { mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stop as stopEsbuild } from 'esbuild';
import { apiVersions, closeConnections, createPorts, type Ports, readConfig } from '../../lib/index.ts';
import { createClock } from '../../test/kit/clock.ts';
import { type Deployment, deploy } from '../../test/kit/deploy.ts';
import { buildFunctions } from '../build.ts';
import { packageFunctions } from '../package.ts';
import type { Command } from './arguments.ts';
import { type DemoArray, realArray } from './array.ts';
import { type Calls, countCalls } from './calls.ts';
import { type Functions, functionsOf } from './functions.ts';
import { IGNORE_TERMINAL_SIGNALS } from './interruption.ts';
import type { Say } from './screen.ts';
import { likeReal, type SimulatedArray, simulatedArray } from './simulated.ts';

/** Without profiles, the demonstration cannot reach the user's own AWS account. */
const NO_PROFILE = { AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull };

export type Surroundings = {
  readonly array: DemoArray | SimulatedArray;
  readonly deployment: Deployment;
  readonly functions: Functions;
  readonly ports: Ports;
  readonly apiVersions: typeof apiVersions;
  readonly calls: Calls;
  /** Moves the clock forward for the AWS stand-ins, the simulated arrays and the functions. */
  readonly putForward: (ms: number) => void;
};

/**
 * Builds and packages the functions in a directory that `stack` removes. Returns the directory with the zips. `checkpoint` is called
 * after the build and can throw an error to prevent packaging.
 */
export async function packageNow(stack: AsyncDisposableStack, checkpoint: () => void): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flashblade-start-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const bundles = join(directory, 'bundles');
  try {
    await buildFunctions({ outdir: bundles });
  } finally {
    await stopEsbuild();
  }
  checkpoint();
  const { template } = await packageFunctions({ bundles, outdir: join(directory, 'zips') });
  return dirname(template);
}

/** Starts the environment. `stack` stops everything that was started. Throws if anything fails to start. */
export async function surround(
  { name, secret }: Command,
  packaged: string,
  stack: AsyncDisposableStack,
  say: Say,
): Promise<Surroundings> {
  const { putForward, ...clock } = createClock();
  const deployment = await deploy({
    functions: ['login', 'logout', 'session-events', 'sweep-sessions', 'check-fleet'],
    array: { name, ...likeReal() },
    env: { ...NO_PROFILE, NODE_OPTIONS: IGNORE_TERMINAL_SIGNALS },
    clock,
    packaged: resolve(packaged),
  });
  stack.defer(deployment.stop);
  const { addArray, aws, env } = deployment;
  const array = secret === undefined ? simulatedArray(name, deployment) : realArray(name);
  if (secret === undefined) addArray(name);
  else aws.secrets.put(`${env['SECRET_PREFIX']}${name}`, secret);
  useStandIns({ ...aws.env, ...NO_PROFILE });
  stack.defer(closeConnections);
  const calls = countCalls(deployment, secret === undefined ? 'simulated' : 'real');
  say(`${name}: ${array.what}; local stand-ins for AWS`);
  return {
    array,
    deployment,
    functions: functionsOf(deployment),
    ports: withCountedCalls(createPorts(readConfig(env), ignore), calls),
    apiVersions: calls.counted(apiVersions),
    calls,
    putForward,
  };
}

/** Ignores the library's reports, because every caller handles the thrown errors. */
const ignore = (): void => undefined;

/** Replaces this process's AWS variables, so that the SDK uses the stand-ins and never the user's own AWS account. */
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
