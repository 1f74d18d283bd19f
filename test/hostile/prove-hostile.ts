/** Hostile inputs in the numbers of the proof. */
import { tryInputs } from './inputs.ts';
import { tryWire } from './wire.ts';

const SEEDS = 10;
const PER_PARSER = 1000;
const PER_AIM = 50;

export type HostileResult = { readonly inputs: number; readonly sent: number; readonly wrong: readonly string[] };

/** The inputs of one seed: always the same, and if one fails, always the same smallest one. */
export async function hostileSeed(seed: number): Promise<HostileResult> {
  const parsed = tryInputs(seed, PER_PARSER);
  const aimed = await tryWire(seed, PER_AIM);
  return { inputs: parsed.inputs, sent: aimed.inputs, wrong: [...parsed.wrong, ...aimed.wrong] };
}

/** The inputs of all seeds. */
export async function proveHostile(): Promise<HostileResult> {
  let [inputs, sent] = [0, 0];
  const wrong: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await hostileSeed(seed);
    inputs += result.inputs;
    sent += result.sent;
    wrong.push(...result.wrong);
  }
  return { inputs, sent, wrong };
}
