/** Sends many hostile inputs to every parser. Each input is accepted or refused with an error of ours, and nothing else happens. */
import fc from 'fast-check';
import { isFlashBladeError } from '../../../lib/core/errors.ts';
import { TARGETS, type Target } from './targets.ts';
import { CANARY } from './values.ts';

export type Summary = {
  readonly inputs: number;
  /** Per parser, how many inputs it accepted and how many it refused. */
  readonly taken: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  /** One line per parser that failed: its smallest input, and how to reproduce it. */
  readonly wrong: readonly string[];
};

const PIECES = Array.from({ length: CANARY.length - 7 }, (_, at) => CANARY.slice(at, at + 8).toLowerCase());
const UNTOUCHED = Object.getOwnPropertyNames(Object.prototype).length;

/**
 * Tries `count` inputs per parser. The same seed gives the same inputs and the same smallest counterexample. `endOnFailure`: stop
 * at the first counterexample.
 */
export function tryInputs(
  seed: number,
  count: number,
  endOnFailure = false,
  targets: Readonly<Record<string, Target>> = TARGETS,
): Summary {
  const taken: Record<string, number> = {};
  const refused: Record<string, number> = {};
  const wrong: string[] = [];
  let inputs = 0;
  for (const [name, target] of Object.entries(targets)) {
    const property = fc.property(target.input, (input) => {
      const counts = judge(target, input) ? taken : refused;
      counts[name] = (counts[name] ?? 0) + 1;
    });
    const { failed, counterexample, errorInstance, numRuns } = fc.check(property, {
      seed,
      numRuns: count,
      endOnFailure,
    });
    inputs += numRuns;
    if (failed) wrong.push(failure(name, seed, errorInstance, counterexample?.[0]));
  }
  return { inputs, taken, refused, wrong };
}

export function failure(name: string, seed: number, error: unknown, smallest: unknown): string {
  const what = error instanceof Error ? error.message : 'it fails';
  return `${name}: ${what}, by ${fc.stringify(smallest)}; see it: npm run prove -- --inputs --seed ${seed}`;
}

/** Returns whether the input was accepted. Throws unless it was accepted or refused with a typed error that contains no token. */
function judge({ parse, codes, wrong }: Target, input: unknown): boolean {
  const outcome = outcomeOf(() => parse(input));
  if (Object.getOwnPropertyNames(Object.prototype).length !== UNTOUCHED)
    throw new Error('Object.prototype was changed');
  if ('result' in outcome) {
    const what = wrong?.(input, outcome.result);
    if (what !== undefined) throw new Error(what);
    return true;
  }
  const { error } = outcome;
  if (!isFlashBladeError(error, ...codes) || codes.length === 0) throw new Error(`it threw ${error}`);
  const printed = `${error.message}\n${error.stack}\n${JSON.stringify(error)}`.toLowerCase();
  if (PIECES.some((piece) => printed.includes(piece))) throw new Error('its error tells the token');
  return false;
}

function outcomeOf(parse: () => unknown): { readonly result: unknown } | { readonly error: unknown } {
  try {
    return { result: parse() };
  } catch (error) {
    return { error };
  }
}
