/** Hostile inputs in the numbers that `npm run prove` uses. */
import { tryAnswers } from '../http/try-answers.ts';
import { tryRequests } from '../http/try-requests.ts';
import { tryInputs } from './inputs.ts';
import { tryWire } from './wire.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const PER_PARSER = 1000;
const PER_AIM = 50;
const PER_READER = 5000;

/** The inputs of these seeds: always the same, with the same smallest counterexample if one fails. `compared`: Node parsed them as well. */
export async function proveHostile(seeds: readonly number[] = SEEDS) {
  const all = { inputs: 0, sent: 0, compared: 0, wrong: [] as string[] };
  for (const seed of seeds) {
    const parsed = tryInputs(seed, PER_PARSER);
    const aimed = await tryWire(seed, PER_AIM);
    const [answers, requests] = [await tryAnswers(seed, PER_READER), await tryRequests(seed, PER_READER)];
    all.inputs += parsed.inputs;
    all.sent += aimed.inputs;
    all.compared += answers.inputs + requests.inputs;
    all.wrong.push(...[parsed, aimed, answers, requests].flatMap(({ wrong }) => wrong));
  }
  return all;
}
