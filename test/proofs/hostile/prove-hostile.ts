/** Hostile inputs in the numbers that `npm run prove` uses. */
import { tryAnswers } from '../http/try-answers.ts';
import { tryRequests } from '../http/try-requests.ts';
import { tryInputs } from './inputs.ts';
import { tryWire } from './wire.ts';

const SEEDS = 10;
const PER_PARSER = 1000;
const PER_AIM = 50;
const PER_READER = 5000;

/** The inputs of one seed: always the same, with the same smallest counterexample if one fails. `compared`: Node parsed them as well. */
export async function hostileSeed(seed: number) {
  const parsed = tryInputs(seed, PER_PARSER);
  const aimed = await tryWire(seed, PER_AIM);
  const [answers, requests] = [await tryAnswers(seed, PER_READER), await tryRequests(seed, PER_READER)];
  const wrong = [parsed, aimed, answers, requests].flatMap((one) => one.wrong);
  return { inputs: parsed.inputs, sent: aimed.inputs, compared: answers.inputs + requests.inputs, wrong };
}

/** The inputs of all seeds. */
export async function proveHostile() {
  const all = { inputs: 0, sent: 0, compared: 0, wrong: [] as string[] };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { inputs, sent, compared, wrong } = await hostileSeed(seed);
    all.inputs += inputs;
    all.sent += sent;
    all.compared += compared;
    all.wrong.push(...wrong);
  }
  return all;
}
