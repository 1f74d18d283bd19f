/** Tries many responses with the product's reader and Node's: Node must read every response that ours accepts in the same way. */

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { lengths, spoilt, written } from '../../unit/flashblade/http/answers.ts';
import { nodeReads, weRead } from '../../unit/flashblade/http/reads.ts';
import { failuresOf } from '../hostile/inputs.ts';

export type AnswersSummary = Awaited<ReturnType<typeof tryAnswers>>;

/** Reasons for which ours alone refuses a response. */
const STRICTER = [
  'it switches protocols without being asked to',
  'it has neither Content-Length nor Transfer-Encoding',
  'invalid HTTP (a response with this status must not have a body)',
  'it is not HTTP/1.1',
  'it is followed by extra bytes',
  'invalid HTTP (unsupported transfer coding)',
  'invalid HTTP (the trailer contains Content-Length or Transfer-Encoding)',
  'invalid HTTP (a chunk has a malformed extension)',
];
const CONTROL_IN_REASON = /^HTTP\/1\.[01] \d{3} [^\r\n]*(?![\t\r\n])\p{Cc}/mu;

/** Tries `count` valid responses and as many spoilt ones. */
export async function tryAnswers(seed: number, count: number, endOnFailure = false) {
  // How many of the spoilt responses were accepted, refused by both readers, and refused by ours alone.
  let [taken, refused, stricter] = [0, 0, 0];
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
  const [whole, spoiled] = [fc.check(proper, options), await fc.check(changed, options)];
  const wrong = [...failuresOf('answer', whole), ...failuresOf('spoilt answer', spoiled)];
  return { inputs: whole.numRuns + spoiled.numRuns, taken, refused, stricter, wrong };
}
