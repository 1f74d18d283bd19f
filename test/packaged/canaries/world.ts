/** Every packaged function with verbose logging, an array that repeats tokens, and AWS that can. Records all output. */
import type { Service } from '../../kit/aws/index.ts';
import type { Answer } from '../../kit/aws/server.ts';
import { canaries } from '../../kit/canary.ts';
import { deploy } from '../../kit/deploy.ts';
import { finderOf, leaksIn } from '../../kit/leaks.ts';
import { FUNCTIONS } from '../../kit/packaged.ts';
import { startEchoArray } from './array.ts';
import type { Case } from './cases.ts';

/** Variables that make a function log more, except those that make Node itself print headers. */
const TALKATIVE = {
  AWS_LAMBDA_LOG_LEVEL: 'TRACE',
  NODE_OPTIONS: '--trace-warnings --trace-deprecation --trace-uncaught',
};
/** Short timeouts, so that a silent array ends a case soon. */
const HASTY = { FIRST_BYTE_TIMEOUT_MS: '1000', ANSWER_TIMEOUT_MS: '1500', SECRET_CACHE_SECONDS: '0' };
/** The number of the first canary. Lower numbers belong to the deployment's own simulator. */
const FIRST = 1000;
/** On a busy machine, an AWS call sometimes runs out of time and the request of a case is never sent. */
const TRIES = 3;

type Mark = Readonly<Record<string, number>>;
export type World = Awaited<ReturnType<typeof startWorld>>;

/** There is no array in the fleet before `addArray`. All of it lives until `stop`. */
export async function startWorld() {
  const newToken = canaries(FIRST);
  const apiToken = newToken();
  const array = await startEchoArray(newToken);
  const d = await deploy({ functions: FUNCTIONS, env: { ...HASTY, ...TALKATIVE } });
  let names = 0;

  /** Adds the array to the fleet. Returns its name, which no array and no lease uses yet. */
  function addArray(): string {
    const name = `case-${names++}`;
    d.addArray(name, { host: array.host, apiToken, trust: { ca: array.certificate } });
    return name;
  }

  /** During `work`, sends this response to every call of the service. */
  async function awsAnswering(service: Service, answer: Answer, work: () => Promise<unknown>): Promise<void> {
    let calls = 0;
    const unwatch = d.aws.onCall((_, call) => {
      if (call.service === service) calls += 1;
    });
    d.aws.faults.add({ kind: 'answer', service, answer });
    try {
      await work();
      if (calls === 0) throw new Error(`${service} was not asked`);
    } finally {
      d.aws.faults.clear();
      unwatch();
    }
  }

  /** Output that only grows, by where it appears. */
  const growing = (): Record<string, string> => ({
    ...d.growing(),
    'what the array was sent beside tokens': array.heard(),
  });

  /** All output that anyone can see, by where it appears. */
  const visible = async (): Promise<Record<string, string>> => ({ ...(await d.visible()), ...growing() });

  const finder = () => finderOf([apiToken, ...array.opened]);

  /** Where the API token, an auth token, or a piece of one appears. */
  const leaks = async (): Promise<string[]> => leaksIn(await visible(), finder());

  /** A moment, as the length of all output at that time. */
  const mark = (): Mark => Object.fromEntries(Object.entries(growing()).map(([where, { length }]) => [where, length]));

  /** Where a token appeared between two moments. */
  const leaksBetween = (from: Mark = {}, to: Mark = {}, find = finder()): string[] =>
    leaksIn(
      Object.fromEntries(Object.entries(growing()).map(([where, text]) => [where, text.slice(from[where], to[where])])),
      find,
    );

  return {
    ...{ d, apiToken, array, invoke: d.invoke, addArray, awsAnswering, visible, leaks, mark, leaksBetween, finder },
    putSecret: (name: string, text: string): void => void d.aws.secrets.put(`flashblade/${name}`, text),
    stop: async (): Promise<void> => {
      await d.stop();
      await array.stop();
    },
  };
}

/**
 * Runs cases one after the other. One line for each case that leaked: the case and where. Searches all output at once, and the output of
 * each case only after a hit.
 */
export async function runCases(w: World, cases: readonly Case[]): Promise<string[]> {
  const marks = [w.mark()];
  for (const one of cases) {
    await runOne(w, one);
    marks.push(w.mark());
  }
  const find = w.finder();
  const all = w.leaksBetween(marks[0], w.mark(), find);
  if (all.length === 0) return [];
  const wrong = cases.flatMap(({ what }, index) => {
    const hits = w.leaksBetween(marks[index], marks[index + 1], find);
    return hits.length > 0 ? [`${what}: told in ${hits.join(', ')}`] : [];
  });
  return wrong.length > 0 ? wrong : [`between two cases: told in ${all.join(', ')}`];
}

const runOne = (w: World, { what, run }: Case, left = TRIES): Promise<unknown> =>
  run(w, w.addArray()).catch((error) => {
    if (left === 1) throw new Error(`${what}: ${error}`);
    return runOne(w, { what, run }, left - 1);
  });
