/**
 * How many round trips come one after the other, without a clock: steps that are said to go out together are answered only
 * when all of them have arrived. Whoever waits for the first before it sends the second gets no answer.
 */
import { stepOf } from '../functions/steps.ts';
import type { Everything } from './deployment.ts';

/** One round after the other; the steps of a round together, in any order. */
export type Rounds = readonly (readonly string[])[];

/** `rounds`: those that came completely, sorted. `others`: steps that came in no round of theirs, in order. */
export type Seen = { readonly rounds: Rounds; readonly others: readonly string[] };

export function gateOf(expected: Rounds) {
  const gates = expected.map((steps) => ({ missing: [...steps], complete: Promise.withResolvers<void>() }));
  const others: string[] = [];
  let current = 0;

  /** Resolves when the step may be answered: at once, if nobody expects it now. */
  async function arrive(step: string): Promise<void> {
    const gate = gates[current];
    const place = gate?.missing.indexOf(step) ?? -1;
    if (gate === undefined || place < 0) return void others.push(step);
    gate.missing.splice(place, 1);
    if (gate.missing.length === 0) {
      current += 1;
      gate.complete.resolve();
    }
    await gate.complete.promise;
  }

  /** What came, and nobody waits any longer. */
  function end(): Seen {
    for (const { complete } of gates) complete.resolve();
    return { rounds: expected.slice(0, current).map((steps) => steps.toSorted()), others };
  }

  return { arrive, end };
}

type Watched = { readonly aws: Pick<Everything['aws'], 'onCall'>; readonly watchArray: Everything['watchArray'] };

/** Lets a function go on in rounds only, and tells how it went: AWS calls as `stepOf` names them, and the array's requests. */
export async function inRounds(d: Watched, expected: Rounds, work: () => Promise<unknown>): Promise<Seen> {
  const gate = gateOf(expected);
  const unwatch = d.aws.onCall((phase, call) => (phase === 'received' ? gate.arrive(stepOf(call)) : undefined));
  d.watchArray((phase, { method, path }) => (phase === 'received' ? gate.arrive(`${method} ${path}`) : undefined));
  try {
    await work();
  } finally {
    unwatch();
    d.watchArray(undefined);
    gate.end();
  }
  return gate.end();
}
