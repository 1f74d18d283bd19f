/** Everything that the demonstration runs in: an array, AWS on loopback, the packaged functions as Lambda runs them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stop as stopEsbuild } from 'esbuild';
import { apiVersions, closeConnections, type Edges, edgesOf, readConfig } from '../../lib/index.ts';
import { type Aws, startAws } from '../../test/aws/index.ts';
import { at, type Json, readTemplate, resourcesOf, type Template } from '../../test/infra/template.ts';
import { startLambda } from '../../test/lambda/lambda.ts';
import { buildFunctions } from '../build.ts';
import { packageFunctions } from '../package.ts';
import type { Command } from './arguments.ts';
import { arrayOf, type DemoArray } from './array.ts';
import { type Calls, countCalls } from './calls.ts';
import { type Functions, functionsOf } from './functions.ts';
import { DEAF_TO_TERMINAL } from './interruption.ts';
import type { Say } from './screen.ts';

const TABLE = 'leases';

export type Surroundings = {
  readonly array: DemoArray;
  readonly aws: Aws;
  readonly functions: Functions;
  readonly edges: Edges;
  readonly apiVersions: typeof apiVersions;
  readonly calls: Calls;
  /** Every item of the ledger. */
  readonly ledger: () => Promise<Record<string, unknown>[]>;
};

/** Builds and packages the functions in a directory that goes away with `stack`; returns where the zips are. */
export async function packageNow(stack: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flashblade-start-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const bundles = join(directory, 'bundles');
  try {
    await buildFunctions({ outdir: bundles });
  } finally {
    await stopEsbuild();
  }
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
  const array = await arrayOf(command, stack);
  const aws = stack.adopt(await startAws(), ({ stop }) => stop());
  await aws.dynamodb.createTable(template.Resources['LeaseTable']?.Properties ?? {}, TABLE);
  const standIns = { ...aws.env, AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull };
  const ours = { LEASE_TABLE: TABLE, LEASE_KEY: aws.kms.createKey('alias/leases').arn };

  const start = async (name: string) => {
    const { functionName, handler, timeoutMs, variables } = functionOf(template, name);
    const env = { ...variables, ...ours, ...standIns, NODE_OPTIONS: DEAF_TO_TERMINAL };
    const options = { zip: resolve(packaged, `${name}.zip`), functionName, handler, timeoutMs, env };
    return { variables, lambda: stack.adopt(await startLambda(options), ({ stop }) => stop()) };
  };
  const [login, logout] = [await start('login'), await start('logout')];

  const config = readConfig({ ...login.variables, ...ours });
  aws.secrets.put(config.SECRET_PREFIX + array.name, array.secret);
  useStandIns(standIns);
  stack.defer(closeConnections);
  const calls = countCalls(aws, [login.lambda, logout.lambda]);
  say(`${array.name}: ${array.what}; Secrets Manager, DynamoDB and KMS on loopback`);
  return {
    array,
    aws,
    functions: functionsOf(login.lambda, logout.lambda),
    edges: withCountedCalls(edgesOf(config, ignore), calls),
    apiVersions: calls.counted(apiVersions),
    calls,
    ledger: () => aws.dynamodb.scan(TABLE),
  };
}

/** What a call throws is told where it is caught. */
const ignore = (): void => undefined;

/** The SDK finds the stand-ins in the environment, and nothing that leads to the person's own AWS account. */
function useStandIns(variables: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, variables);
}

const withCountedCalls = (edges: Edges, { counted }: Calls): Edges => ({
  ...edges,
  flashblade: {
    login: counted(edges.flashblade.login),
    logout: counted(edges.flashblade.logout),
    apiVersions: counted(edges.flashblade.apiVersions),
    request: counted(edges.flashblade.request),
  },
});

/** A function as it would be deployed. What the template computes is left out of its variables. */
function functionOf(template: Template, name: string) {
  const handler = `dist/functions/${name}.handler`;
  const resources = resourcesOf(template, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties);
  const properties = resources.find(({ Handler }) => Handler === handler);
  if (properties === undefined) throw new Error(`the packaged template has no function ${name}`);
  const variables = Object.entries((at(properties, 'Environment', 'Variables') ?? {}) as Record<string, Json>);
  return {
    functionName: String(properties['FunctionName']),
    handler,
    timeoutMs: Number(properties['Timeout']) * 1000,
    variables: Object.fromEntries(variables.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
  };
}
