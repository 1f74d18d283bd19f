/** Hostile inputs in large numbers against every parser: each is taken or refused by our own error, and nothing else happens. */
import fc from 'fast-check';
import { isFlashBladeError } from '../../lib/core/errors.ts';
import { TARGETS, type Target } from './targets.ts';
import { CANARY } from './values.ts';

export type Summary = {
  readonly inputs: number;
  /** Per parser, how many inputs it took and how many it refused. */
  readonly taken: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  /** One line per parser that failed: its smallest input, and how to see it again. */
  readonly wrong: readonly string[];
};

const PIECES = Array.from({ length: CANARY.length - 7 }, (_, at) => CANARY.slice(at, at + 8).toLowerCase());
const UNTOUCHED = Object.getOwnPropertyNames(Object.prototype).length;

/** Tries `count` inputs per parser. The same seed tries the same ones, and ends in the same smallest counterexample; `endOnFailure`: in the first. */
export function tryInputs(
  seed: number,
  count: number,
  targets: Readonly<Record<string, Target>> = TARGETS,
  endOnFailure = false,
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

/** Whether the input was taken. Throws if anything but that or a typed error that tells nothing came of it. */
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
  const told = `${error.message}\n${error.stack}\n${JSON.stringify(error)}`.toLowerCase();
  if (PIECES.some((piece) => told.includes(piece))) throw new Error('its error tells the token');
  return false;
}

function outcomeOf(parse: () => unknown): { readonly result: unknown } | { readonly error: unknown } {
  try {
    return { result: parse() };
  } catch (error) {
    return { error };
  }
}
