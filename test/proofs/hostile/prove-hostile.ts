/** Hostile inputs in the numbers that `npm run prove` uses. */

import { tryAnswers } from '../http/try-answers.ts';
import { tryRequests } from '../http/try-requests.ts';
import { tryInputs } from './inputs.ts';
import { tryWire } from './wire.ts';

const SEEDS = 10;
const PER_PARSER = 1000;
const PER_AIM = 50;
const PER_READER = 5000;

export type HostileResult = {
  readonly inputs: number;
  readonly sent: number;
  /** Responses and requests that Node parsed as well. */
  readonly compared: number;
  readonly wrong: readonly string[];
};

/** The inputs of one seed: always the same, with the same smallest counterexample if one fails. */
export async function hostileSeed(seed: number): Promise<HostileResult> {
  const parsed = tryInputs(seed, PER_PARSER);
  const aimed = await tryWire(seed, PER_AIM);
  const http = [await tryAnswers(seed, PER_READER), await tryRequests(seed, PER_READER)];
  return {
    inputs: parsed.inputs,
    sent: aimed.inputs,
    compared: http.reduce((sum, { inputs }) => sum + inputs, 0),
    wrong: [parsed, aimed, ...http].flatMap(({ wrong }) => wrong),
  };
}

/** The inputs of all seeds. */
export async function proveHostile(): Promise<HostileResult> {
  let [inputs, sent, compared] = [0, 0, 0];
  const wrong: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await hostileSeed(seed);
    inputs += result.inputs;
    sent += result.sent;
    compared += result.compared;
    wrong.push(...result.wrong);
  }
  return { inputs, sent, compared, wrong };
}
