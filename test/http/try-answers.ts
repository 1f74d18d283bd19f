/** Answers in large numbers against the product's reader and Node's: whatever ours takes, Node takes for the same. */

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { failure } from '../hostile/inputs.ts';
import { lengths, spoilt, written } from './answers.ts';
import { nodeReads, weRead } from './reads.ts';

export type AnswersSummary = {
  readonly inputs: number;
  /** Of the spoilt answers, how many were taken, refused by both readers, and refused by ours alone. */
  readonly taken: number;
  readonly refused: number;
  readonly stricter: number;
  readonly wrong: readonly string[];
};

/** Why ours alone refuses. */
const STRICTER = [
  'it changes the protocol, which nobody asked for',
  'it does not say where it ends',
  'it is broken HTTP: its head announces a body that its status has not',
  'it is no HTTP/1.1',
  'more bytes follow than belong to it',
  'it is broken HTTP: its transfer coding is none that was agreed',
  'it is broken HTTP: its trailer says where its body ends',
  'it is broken HTTP: one of its chunks has an extension that cannot be read',
];
const CONTROL_IN_REASON = /^HTTP\/1\.[01] \d{3} [^\r\n]*(?![\t\r\n])\p{Cc}/mu;

/** Tries `count` answers as they should be and as many that are not. */
export async function tryAnswers(seed: number, count: number, endOnFailure = false): Promise<AnswersSummary> {
  let [inputs, taken, refused, stricter] = [0, 0, 0, 0];
  const wrong: string[] = [];
  const proper = fc.property(written, lengths, ({ text, means }, pieces) => {
    const { read } = weRead(text, pieces);
    if (!isDeepStrictEqual(read, means)) throw new Error(`it was read as ${JSON.stringify(read)}`);
  });
  const changed = fc.asyncProperty(spoilt, lengths, async (text, pieces) => {
    const { read } = weRead(text);
    const { read: again } = weRead(text, pieces);
    if (!isDeepStrictEqual(read, again) && !('refused' in read && 'refused' in again))
      throw new Error(`in pieces it was read as ${JSON.stringify(again)}`);
    const theirs = await nodeReads(text);
    if (!('refused' in read) && !isDeepStrictEqual(read, theirs))
      throw new Error(`Node read it as ${JSON.stringify(theirs)}`);
    if (!('refused' in read)) taken++;
    else if ('refused' in theirs) refused++;
    else if (STRICTER.includes(read.refused) || CONTROL_IN_REASON.test(text)) stricter++;
    else throw new Error(`it was refused (${read.refused}), and Node takes it`);
  });
  const options = { seed, numRuns: count, endOnFailure };
  for (const [name, run] of [
    ['answer', fc.check(proper, options)],
    ['spoilt answer', await fc.check(changed, options)],
  ] as const) {
    inputs += run.numRuns;
    if (run.failed) wrong.push(failure(name, seed, run.errorInstance, run.counterexample?.[0]));
  }
  return { inputs, taken, refused, stricter, wrong };
}
