/**
 * Counts sequential round trips without a clock. Steps that are expected together are answered only when all of them have
 * arrived. A caller that waits for the first before it sends the second gets no response.
 */

import type { Deployment } from '../../kit/deploy.ts';
import { stepOf } from '../functions/steps.ts';

/** Rounds follow each other; the steps of one round are sent together, in any order. */
export type Rounds = readonly (readonly string[])[];

/** `rounds`: the complete rounds, each sorted. `others`: steps that arrived outside their round, in order. */
export type Seen = { readonly rounds: Rounds; readonly others: readonly string[] };

export function gateOf(expected: Rounds) {
  const gates = expected.map((steps) => ({ missing: [...steps], complete: Promise.withResolvers<void>() }));
  const others: string[] = [];
  let current = 0;

  /** Resolves when the step may be answered: at once, if it is not expected now. */
  async function arrive(step: string): Promise<void> {
    const gate = gates[current];
    const index = gate?.missing.indexOf(step) ?? -1;
    if (gate === undefined || index < 0) return void others.push(step);
    gate.missing.splice(index, 1);
    if (gate.missing.length === 0) {
      current += 1;
      gate.complete.resolve();
    }
    await gate.complete.promise;
  }

  /** Releases all waiting steps and returns what arrived. */
  function end(): Seen {
    for (const { complete } of gates) complete.resolve();
    return { rounds: expected.slice(0, current).map((steps) => steps.toSorted()), others };
  }

  return { arrive, end };
}

/** Lets a function proceed only in rounds, and returns what it saw: AWS calls as `stepOf` names them, and array requests. */
export async function inRounds(
  d: Pick<Deployment, 'aws' | 'watchArray'>,
  expected: Rounds,
  work: () => Promise<unknown>,
): Promise<Seen> {
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
