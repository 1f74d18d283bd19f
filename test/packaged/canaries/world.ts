/** Every packaged function with verbose logging, an array that repeats tokens, and a relay in front of AWS. Records all output. */
import { setImmediate as turn } from 'node:timers/promises';
import { type Lambda, type Outcome, startLambda } from '../../kit/lambda/lambda.ts';
import { zipOf } from '../../kit/packaged.ts';
import { configurationOf } from '../functions/configuration.ts';
import { deploy } from '../functions/deployment.ts';
import { type Find, finderOf } from '../functions/secrecy.ts';
import { startEchoArray } from './array.ts';
import { canaries } from './canary.ts';
import { startRelay } from './relay.ts';

export const FUNCTIONS = [
  'login',
  'logout',
  'call-array',
  'renew',
  'session-events',
  'sweep-sessions',
  'check-fleet',
] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** Variables that make a function log more, except those that make Node itself print headers. */
export const TALKATIVE = {
  AWS_LAMBDA_LOG_LEVEL: 'TRACE',
  NODE_OPTIONS: '--trace-warnings --trace-deprecation --trace-uncaught',
};
/** Short time-outs, so that a silent array ends a case soon. */
const HASTY = { FIRST_BYTE_TIMEOUT_MS: '1000', ANSWER_TIMEOUT_MS: '1500', SECRET_CACHE_SECONDS: '0' };
const BUS = 'sessions';
const QUEUE = 'dead-letters';
/** The number of the first canary. Lower numbers belong to the deployment's own simulator. */
const FIRST = 1000;

export type Mark = Readonly<Record<string, number>>;
export type World = Awaited<ReturnType<typeof startWorld>>;

/** There is no array in the fleet before `addArray`. All of it lives until `stop`. */
export async function startWorld(env: Readonly<Record<string, string>> = TALKATIVE) {
  const newToken = canaries(FIRST);
  const apiToken = newToken();
  const d = await deploy();
  const [array, relay] = await Promise.all([startEchoArray(newToken), startRelay(d.env)]);
  d.aws.events.createBus(BUS);
  const physical = {
    ...{ LeaseTable: d.env.LEASE_TABLE, LeaseKey: d.env.LEASE_KEY, EventBus: BUS },
    DeadLetterQueue: d.aws.sqs.createQueue(QUEUE).replace(d.env.AWS_ENDPOINT_URL_SQS, relay.url),
  };
  const outcomes: string[] = [];
  let names = 0;
  const lambdas = Object.fromEntries(
    await Promise.all(FUNCTIONS.map(async (name) => [name, await start(name)] as const)),
  );

  function start(name: FunctionName): Promise<Lambda> {
    const { handler, variables, timeoutMs } = configurationOf(name, physical);
    const all = { ...variables, ...d.env, ...relay.env, ...HASTY, ...env };
    return startLambda({ zip: zipOf(name), handler, functionName: name, timeoutMs, env: all });
  }

  async function invoke(name: FunctionName, event: unknown): Promise<Outcome> {
    const outcome = await (lambdas[name] as Lambda).invoke(event);
    outcomes.push(JSON.stringify(outcome));
    // What the process wrote before it responded is read in this turn of the event loop, possibly after the response.
    await turn();
    return outcome;
  }

  /** Adds the array to the fleet under this name. `fields` replace those of a valid secret. */
  function addArray(name: string, fields: object = {}): void {
    const { host, certificate: ca } = array;
    d.aws.secrets.put(`flashblade/${name}`, { host, apiToken, trust: { ca }, ...fields });
  }

  /** Output that only grows, by where it appears. */
  const growing = (): Record<string, string> => ({
    ...Object.fromEntries(FUNCTIONS.map((name) => [`what ${name} wrote`, lambdas[name]?.output ?? ''])),
    'results and errors': outcomes.join('\n'),
    'what AWS was sent': relay.sent(),
    'what the array was sent beside tokens': array.heard(),
  });

  /** All output that anyone can see, by where it appears. */
  const visible = async (): Promise<Record<string, string>> => ({
    ...growing(),
    'the ledger': JSON.stringify(await d.items()),
    'events on the bus': JSON.stringify(d.aws.events.sent),
    'dead letters': JSON.stringify(d.aws.sqs.queue(QUEUE).messages),
  });

  const finder = (): Find => finderOf([apiToken, ...array.opened]);

  /** Where the API token, an auth token, or a piece of one appears. */
  const leaks = async (): Promise<string[]> => leaksIn(await visible(), finder());

  /** A moment, as the length of all output at that time. */
  const mark = (): Mark => Object.fromEntries(Object.entries(growing()).map(([where, { length }]) => [where, length]));

  /** Where a token appeared between two moments. */
  const leaksBetween = (from: Mark, to: Mark, find = finder()): string[] =>
    leaksIn(
      Object.fromEntries(Object.entries(growing()).map(([where, text]) => [where, text.slice(from[where], to[where])])),
      find,
    );

  return {
    ...{ d, apiToken, array, relay, invoke, addArray, visible, leaks, mark, leaksBetween, finder },
    /** A name that no array and no lease uses yet. */
    newName: (): string => `case-${names++}`,
    lambda: (name: FunctionName): Lambda => lambdas[name] as Lambda,
    putSecret: (name: string, text: string): void => void d.aws.secrets.put(`flashblade/${name}`, text),
    stop: async (): Promise<void> => {
      await Promise.all(Object.values(lambdas).map((lambda) => lambda.stop()));
      await Promise.all([array.stop(), relay.stop()]);
      await d.stop();
    },
  };
}

const leaksIn = (texts: Readonly<Record<string, string>>, find: Find): string[] =>
  Object.entries(texts).flatMap(([where, text]) => (find(text).length > 0 ? [where] : []));
