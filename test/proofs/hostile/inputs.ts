/** Sends many hostile inputs to every parser. Each input is accepted or refused with an error of ours, and nothing else happens. */
import fc from 'fast-check';
import { isFlashBladeError } from '../../../lib/core/errors.ts';
import { TARGETS, type Target } from './targets.ts';
import { CANARY } from './values.ts';

export type Summary = ReturnType<typeof tryInputs>;

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
) {
  /** Per parser, how many inputs it accepted and how many it refused. */
  const taken: Record<string, number> = {};
  const refused: Record<string, number> = {};
  /** One line per parser that failed: its smallest input, and how to reproduce it. */
  const wrong: string[] = [];
  let inputs = 0;
  for (const [name, target] of Object.entries(targets)) {
    const property = fc.property(target.input, (input) => {
      const counts = judge(target, input) ? taken : refused;
      counts[name] = (counts[name] ?? 0) + 1;
    });
    const run = fc.check(property, { seed, numRuns: count, endOnFailure });
    inputs += run.numRuns;
    wrong.push(...failuresOf(name, run));
  }
  return { inputs, taken, refused, wrong };
}

/** What a run of fast-check found, as text: one failure, or none. */
export function failuresOf<Inputs>(name: string, run: fc.RunDetails<Inputs>): string[] {
  if (!run.failed) return [];
  const what = run.errorInstance instanceof Error ? run.errorInstance.message : 'it fails';
  return [
    `${name}: ${what}, by ${fc.stringify(run.counterexample)}; see it: npm run prove -- --inputs --seed ${run.seed}`,
  ];
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
