/** Every packaged function with verbose logging, an array that repeats tokens, and a relay in front of AWS. Records all output. */
import { canaries } from '../../kit/canary.ts';
import { deploy } from '../../kit/deploy.ts';
import { type Find, finderOf, leaksIn } from '../../kit/leaks.ts';
import { FUNCTIONS } from '../../kit/packaged.ts';
import { startEchoArray } from './array.ts';
import { startRelay } from './relay.ts';

/** Variables that make a function log more, except those that make Node itself print headers. */
const TALKATIVE = {
  AWS_LAMBDA_LOG_LEVEL: 'TRACE',
  NODE_OPTIONS: '--trace-warnings --trace-deprecation --trace-uncaught',
};
/** Short time-outs, so that a silent array ends a case soon. */
const HASTY = { FIRST_BYTE_TIMEOUT_MS: '1000', ANSWER_TIMEOUT_MS: '1500', SECRET_CACHE_SECONDS: '0' };
/** The number of the first canary. Lower numbers belong to the deployment's own simulator. */
const FIRST = 1000;

export type Mark = Readonly<Record<string, number>>;
export type World = Awaited<ReturnType<typeof startWorld>>;

/** There is no array in the fleet before `addArray`. All of it lives until `stop`. */
export async function startWorld() {
  const newToken = canaries(FIRST);
  const apiToken = newToken();
  const [array, relay] = await Promise.all([startEchoArray(newToken), startRelay()]);
  const d = await deploy({ functions: FUNCTIONS, env: { ...relay.env, ...HASTY, ...TALKATIVE } });
  relay.to(d.aws.env);
  let names = 0;

  /** Adds the array to the fleet under this name. `fields` replace those of a valid secret. */
  function addArray(name: string, fields: object = {}): void {
    const { host, certificate: ca } = array;
    d.addArray(name, { host, apiToken, trust: { ca }, ...fields });
  }

  /** Output that only grows, by where it appears. */
  const growing = (): Record<string, string> => ({
    ...d.growing(),
    'what AWS was sent': relay.sent(),
    'what the array was sent beside tokens': array.heard(),
  });

  /** All output that anyone can see, by where it appears. */
  const visible = async (): Promise<Record<string, string>> => ({ ...(await d.visible()), ...growing() });

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
    ...{ d, apiToken, array, relay, invoke: d.invoke, addArray, visible, leaks, mark, leaksBetween, finder },
    /** A name that no array and no lease uses yet. */
    newName: (): string => `case-${names++}`,
    putSecret: (name: string, text: string): void => void d.aws.secrets.put(`flashblade/${name}`, text),
    stop: async (): Promise<void> => {
      await d.stop();
      await Promise.all([array.stop(), relay.stop()]);
    },
  };
}
