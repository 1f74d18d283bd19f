/** Deploys the packaged functions on loopback, with their zips under AWS's runtime client, stand-ins for AWS, and simulated arrays. */
import { basename, dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { SQSBatchResponse } from 'aws-lambda';
import type { Message } from '../../lib/leases/dispatch.ts';
import { type OnRequest, type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.ts';
import { type Aws, startAws } from './aws/index.ts';
import { sqsEventOf } from './aws/sqs-event.ts';
import { canaries } from './canary.ts';
import { type Clock, createClock } from './clock.ts';
import { type InvokeOptions, type Lambda, type Outcome, startLambda } from './lambda/lambda.ts';
import { resultOf } from './lambda/outcome.ts';
import { finderOf, leaksIn, tokensOf } from './leaks.ts';
import { configurationOf, type FunctionName, template, type Variables, zipOf } from './packaged.ts';

const TABLE = 'leases';
const BUS = 'sessions';
const QUEUE = 'dead-letters';

/** A ledger item, with the fields for every kind of item. */
export type Item = Partial<{
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly leaseId: string;
  readonly attemptId: string;
  readonly version: string;
  readonly target: { readonly name: string; readonly host: string; readonly port: number };
  readonly sealed: string;
  readonly tries: number;
  /** Seconds since the epoch. */
  readonly dueAt: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly owner: string;
  readonly live: Readonly<Record<string, number>>;
}>;

export type DeployOptions = {
  /** Default: login and logout. A function's process starts on the first invocation. */
  readonly functions?: readonly FunctionName[];
  /** Options for the simulated array. By default, the array's tokens are canaries. */
  readonly array?: Omit<SimulatorOptions, 'onRequest'>;
  /** Variables that add to or replace those from the template and AWS. Empty variables are treated as absent. */
  readonly env?: Variables;
  /** Paths to bundles that run instead of the packaged functions. */
  readonly bundles?: Partial<Record<FunctionName, string>>;
  /** The clock for AWS, arrays and functions. Default: the machine's clock. */
  readonly clock?: Clock;
  /** False: does not keep what AWS was sent, which takes gigabytes for many sessions. Then `leaks` does not see it. Default: true. */
  readonly keepsTraffic?: boolean;
  /** The output directory from `npm run package`. Default: the project's directory. */
  readonly packaged?: string;
};

export type Deployment = Awaited<ReturnType<typeof deploy>>;

const stopOf = ({ stop }: { readonly stop: () => Promise<void> }): Promise<void> => stop();

/** Starts everything with an empty fleet. The deployment runs until you call `stop`. If one part fails to start, the others are stopped. */
export async function deploy(options: DeployOptions = {}) {
  const {
    functions = ['login', 'logout'],
    bundles = {},
    clock = createClock(),
    keepsTraffic = true,
    packaged,
  } = options;
  await using ifFailed = new AsyncDisposableStack();
  const parts = ifFailed.use(new AsyncDisposableStack());
  const newToken = canaries();
  let watcher: OnRequest | undefined;
  const outcomes: string[] = [];
  const sentToAws: string[] = [];
  const apiTokens = new Set<string>();
  const simulators: Simulator[] = [];
  const lambdas = new Map<FunctionName, Lambda>();

  const aws = parts.adopt(await startAws(), stopOf);
  aws.onCall((phase, { head, body }) => {
    if (keepsTraffic && phase === 'received') sentToAws.push(`${head} ${JSON.stringify(body)}`);
  });
  const { credentials, env: awsEnv } = aws;
  const clientOptions = { endpoint: awsEnv.AWS_ENDPOINT_URL_DYNAMODB, region: awsEnv.AWS_REGION, credentials };
  const dynamodb = parts.adopt(new DynamoDBClient(clientOptions), (client) => client.destroy());
  await aws.dynamodb.createTable(template(packaged).Resources['LeaseTable']?.Properties ?? {}, TABLE);
  aws.events.createBus(BUS);
  const all = { ...awsEnv, ...options.env };
  /** Names and ARNs of the stack's resources, keyed by logical id. A queue URL has the address that the functions use. */
  const physical = {
    LeaseTable: TABLE,
    LeaseKey: aws.kms.createKey().arn,
    EventBus: BUS,
    FailedEventQueue: aws.sqs.createQueue(QUEUE).replace(awsEnv.AWS_ENDPOINT_URL_SQS, all.AWS_ENDPOINT_URL_SQS),
  };
  /** Variables for a program that uses the library with the same ledger and fleet. */
  const env: Aws['env'] & Variables = { ...configurationOf('login', physical, packaged).variables, ...awsEnv };

  async function simulate(arrayOptions: SimulatorOptions): Promise<Simulator> {
    const tokens = { users: [{ username: 'pureuser', apiToken: newToken() }], newAuthToken: newToken };
    const simulator = await startSimulator({ ...tokens, now: clock.now, ...arrayOptions });
    simulators.push(parts.adopt(simulator, stopOf));
    return simulator;
  }
  const simulator = await simulate({ ...options.array, onRequest: (phase, request) => watcher?.(phase, request) });

  /**
   * Starts a function, even if another copy is running. `bundle`: the path to a bundle that runs instead of the function's zip. `more`:
   * variables for this copy.
   */
  async function startFunction(name: FunctionName, bundle?: string, more: Variables = {}): Promise<Lambda> {
    const { variables, handler, ...names } = configurationOf(name, physical, packaged);
    const code =
      bundle === undefined
        ? { zip: zipOf(name, packaged), handler }
        : { directory: dirname(bundle), handler: `${basename(bundle, '.mjs')}.handler` };
    const lambda = await startLambda({
      ...names,
      ...code,
      aheadMs: clock.aheadMs,
      env: { ...variables, ...all, ...more },
    });
    return parts.adopt(lambda, stopOf);
  }
  for (const name of functions) lambdas.set(name, await startFunction(name, bundles[name]));

  function lambdaOf(name: FunctionName): Lambda {
    const lambda = lambdas.get(name);
    if (lambda === undefined) throw new Error(`This deployment has no ${name}. Add the name to the functions option`);
    return lambda;
  }

  async function invoke(name: FunctionName, event: unknown, invocation?: InvokeOptions): Promise<Outcome> {
    const outcome = await lambdaOf(name).invoke(event, invocation);
    outcomes.push(JSON.stringify(outcome));
    // Output that the process wrote before it responded is read in this event loop turn, possibly after the response.
    await turn();
    return outcome;
  }

  /** Invokes session-events with a batch. Returns the sorted ids of the messages that SQS must redeliver. */
  async function deliver(messages: readonly Message[]): Promise<string[]> {
    const { batchItemFailures } = resultOf<SQSBatchResponse>(
      await invoke('session-events', sqsEventOf(messages, clock.now())),
    );
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort();
  }

  /** Adds an array to the fleet under this name. `fields` replace fields in the simulated array's secret. Returns the version id. */
  function addArray(
    name: string,
    fields: object = {},
    { certificate: ca, port, users }: Simulator = simulator,
  ): string {
    const secret = { host: `127.0.0.1:${port}`, apiToken: users[0]?.apiToken, trust: { ca }, ...fields };
    if (typeof secret.apiToken === 'string') apiTokens.add(secret.apiToken);
    return aws.secrets.put(`${env['SECRET_PREFIX']}${name}`, secret);
  }

  /** Starts another simulated array and adds it to the fleet. */
  async function startArray(name: string, arrayOptions: SimulatorOptions = {}): Promise<Simulator> {
    const another = await simulate({ name, ...arrayOptions });
    addArray(name, {}, another);
    return another;
  }

  /** Writes a ledger item that no function would write. */
  async function tamper(item: Item): Promise<void> {
    await dynamodb.send(new PutItemCommand({ TableName: TABLE, Item: marshall(item) }));
  }

  const items = (): Promise<Item[]> => aws.dynamodb.scan(TABLE);

  /** Every current and former API token and auth token. */
  function tokens(): string[] {
    const own = simulators.flatMap((one) => [one.apiToken, ...tokensOf(one)]);
    return [...new Set([...own, ...apiTokens])].filter((token) => token !== '');
  }

  /** Append-only output, keyed by location. */
  const growing = (): Record<string, string> => ({
    ...Object.fromEntries([...lambdas].map(([name, { output }]) => [`what ${name} wrote`, output])),
    'results and errors': outcomes.join('\n'),
    'what AWS was sent': sentToAws.join('\n'),
  });

  /** All output from the deployment, keyed by location. */
  const visible = async (): Promise<Record<string, string>> => ({
    ...growing(),
    'the ledger': JSON.stringify(await items()),
    'events on the bus': JSON.stringify(aws.events.sent),
    'dead letters': JSON.stringify(aws.sqs.queue(QUEUE).messages),
  });

  ifFailed.move();
  return {
    ...{ aws, simulator, simulators: simulators as readonly Simulator[], env, physical, lambdaOf, invoke, deliver },
    ...{ addArray, startArray, startFunction, tamper, items, tokens, growing, visible },
    login: (event: unknown, invocation?: InvokeOptions) => invoke('login', event, invocation),
    logout: (event: unknown, invocation?: InvokeOptions) => invoke('logout', event, invocation),
    lease: async (leaseId: string) => (await items()).find(({ id }) => id === `lease#${leaseId}`),
    suspects: async (leaseId: string) =>
      (await items()).filter((item) => item.kind === 'suspect' && item.leaseId === leaseId),
    /** Returns every place in `more` and in the deployment's output where a token or a piece of one appears. */
    leaks: async (more: Readonly<Record<string, string>> = {}): Promise<string[]> =>
      leaksIn({ ...(await visible()), ...more }, finderOf(tokens())),
    /** Calls `next` before and after `simulator` acts on each request. The array waits for `next`. Replaces the previous watcher. */
    watchArray: (next: OnRequest | undefined): void => {
      watcher = next;
    },
    stop: () => parts.disposeAsync(),
  };
}
