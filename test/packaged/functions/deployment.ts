/** The deployed product on loopback: its zips under AWS's runtime client, stand-ins for AWS, a simulated array. */
import { setImmediate as turn } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type OnRequest, type SimulatorOptions, startSimulator } from '../../../simulator/index.ts';
import { startAws } from '../../kit/aws/index.ts';
import { type InvokeOptions, type Lambda, type Outcome, startLambda } from '../../kit/lambda/lambda.ts';
import { LEASE_TABLE } from '../../kit/lease-table.ts';
import { zipOf } from '../../kit/packaged.ts';
import { canaries } from '../canaries/canary.ts';
import { configurationOf } from './configuration.ts';
import { finderOf } from './secrecy.ts';

const TABLE = 'leases';

/** An item of the ledger, with the fields of every kind of item. */
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
/** What login and logout return. */
export type Result = Partial<{
  readonly leaseId: string;
  readonly array: string;
  readonly username: string;
  readonly expiresAt: number;
  readonly outcome: string;
}>;
export type Deployment = Awaited<ReturnType<typeof deploy>>;

export type DeployOptions = {
  /** The trust in the secrets. Default: `ca`. */
  readonly trust?: 'ca' | 'fingerprints';
  readonly array?: SimulatorOptions;
  /** Variables that add to or replace those of the template. An empty variable counts as absent. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the template's. */
  readonly timeoutMs?: number;
  /** Directory of a bundle `login.mjs` that runs instead of the packaged login. */
  readonly loginBundle?: string;
};

/** Starts everything. The fleet has no array before `addArray`. Everything lives until `stop`. */
export async function deploy(options: DeployOptions = {}) {
  let watcher: OnRequest | undefined;
  const onRequest: OnRequest = (phase, request) => watcher?.(phase, request);
  const newToken = canaries();
  const users = [{ username: 'pureuser', apiToken: newToken() }];
  const array: SimulatorOptions = { users, newAuthToken: newToken, ...options.array, onRequest };
  const [aws, simulator] = await Promise.all([startAws(), startSimulator(array)]);
  await aws.dynamodb.createTable(LEASE_TABLE, TABLE);
  const physical = { LeaseTable: TABLE, LeaseKey: aws.kms.createKey().arn };
  const dynamodb = new DynamoDBClient({
    endpoint: aws.env.AWS_ENDPOINT_URL_DYNAMODB,
    region: aws.env.AWS_REGION,
    credentials: aws.credentials,
  });
  const [login, logout] = await Promise.all([
    startFunction('login', physical, aws.env, options),
    startFunction('logout', physical, aws.env, options),
  ]);
  const outcomes: Outcome[] = [];
  const apiTokens = new Set<string>();
  const sentToAws: string[] = [];
  aws.onCall((phase, { body }) => {
    if (phase === 'received') sentToAws.push(JSON.stringify(body));
  });
  const items = (): Promise<Item[]> => aws.dynamodb.scan(TABLE);

  async function invoke(lambda: Lambda, event: unknown, invocation?: InvokeOptions): Promise<Outcome> {
    const outcome = await lambda.invoke(event, invocation);
    outcomes.push(outcome);
    // What the process wrote before it responded is read in this turn of the event loop, possibly after the response.
    await turn();
    return outcome;
  }

  /** Adds the simulated array to the fleet under this name. `fields` replace those of a valid secret. Returns the secret's version id. */
  function addArray(name: string, fields: object = {}): string {
    const { certificate: ca, fingerprint, port, users } = simulator;
    const trust = options.trust === 'fingerprints' ? { fingerprints: [fingerprint] } : { ca };
    const secret = { host: `127.0.0.1:${port}`, apiToken: users[0]?.apiToken, trust, ...fields };
    if (typeof secret.apiToken === 'string' && secret.apiToken !== '') apiTokens.add(secret.apiToken);
    return aws.secrets.put(`flashblade/${name}`, secret);
  }

  /** Writes an item into the ledger that no function would write. */
  async function tamper(item: Item): Promise<void> {
    await dynamodb.send(new PutItemCommand({ TableName: TABLE, Item: marshall(item) }));
  }

  /** Every current and former API token and auth token. */
  function tokens(): string[] {
    const { users, apiToken, history } = simulator;
    const all = [apiToken, ...users.map((user) => user.apiToken), ...history.map(({ authToken }) => authToken)];
    return [...new Set([...all, ...apiTokens])].filter((token) => token !== '');
  }

  /** Where a token, or a piece of one, appears in `more` and in the output of the deployment. Empty if nowhere. */
  async function leaks(more: Readonly<Record<string, string>> = {}): Promise<string[]> {
    const find = finderOf(tokens());
    const outputs = {
      'what login wrote': login.output,
      'what logout wrote': logout.output,
      'results and errors': JSON.stringify(outcomes),
      'the ledger': JSON.stringify(await items()),
      'what AWS was sent': sentToAws.join('\n'),
      ...more,
    };
    return Object.entries(outputs).flatMap(([where, text]) => (find(text).length > 0 ? [where] : []));
  }

  async function stop(): Promise<void> {
    dynamodb.destroy();
    await Promise.all([login.stop(), logout.stop()]);
    await Promise.all([simulator.stop(), aws.stop()]);
  }

  return {
    aws,
    simulator,
    /** Variables of a program that uses the library on the same ledger and fleet. */
    env: { ...aws.env, LEASE_TABLE: TABLE, LEASE_KEY: physical.LeaseKey },
    functions: { login, logout },
    login: (event: unknown, invocation?: InvokeOptions) => invoke(login, event, invocation),
    logout: (event: unknown, invocation?: InvokeOptions) => invoke(logout, event, invocation),
    addArray,
    /** All items of the ledger. */
    items,
    lease: async (leaseId: string) => (await items()).find(({ id }) => id === `lease#${leaseId}`),
    suspects: async (leaseId: string) =>
      (await items()).filter((item) => item.kind === 'suspect' && item.leaseId === leaseId),
    tamper,
    tokens,
    leaks,
    /** Sees every request to the array before and after the array acts on it; the array waits for it. Replaces the previous watcher. */
    watchArray: (next: OnRequest | undefined): void => {
      watcher = next;
    },
    stop,
  };
}

function startFunction(
  name: 'login' | 'logout',
  physical: Readonly<Record<string, string>>,
  aws: Readonly<Record<string, string>>,
  { env, timeoutMs, loginBundle }: DeployOptions,
): Promise<Lambda> {
  const configuration = configurationOf(name, physical);
  const common = {
    functionName: name,
    timeoutMs: timeoutMs ?? configuration.timeoutMs,
    env: { ...configuration.variables, ...aws, ...env },
  };
  return name === 'login' && loginBundle !== undefined
    ? startLambda({ ...common, directory: loginBundle, handler: 'login.handler' })
    : startLambda({ ...common, zip: zipOf(name), handler: configuration.handler });
}

/** The result of an invocation. Throws if there is none. */
export function resultOf(outcome: Outcome): Result {
  if ('result' in outcome) return outcome.result as Result;
  throw new Error(`No result, but ${JSON.stringify(outcome)}`);
}

/** The error of an invocation. Throws if there is none. */
export function errorOf(outcome: Outcome): { readonly errorType: string; readonly errorMessage: string } {
  if ('error' in outcome) return outcome.error;
  throw new Error(`No error, but ${JSON.stringify(outcome)}`);
}
