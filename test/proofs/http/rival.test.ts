/** Compares the product's HTTP with Node's, using thousands of responses and requests from one seed. */
import { describe, expect, it, vi } from 'vitest';
import { brokenCopy, tell } from '../controls.ts';
import { type AnswersSummary, tryAnswers } from './try-answers.ts';
import { type RequestsSummary, tryRequests } from './try-requests.ts';

vi.setConfig({ testTimeout: 120_000 });

const COUNT = 400;
/** Some mistakes show only in rare responses. */
const COUNT_UNTIL_FOUND = 700;

it('a valid response is read correctly, and Node reads every accepted response in the same way', async () => {
  const { inputs, taken, refused, stricter, wrong } = await tryAnswers(1, COUNT);
  expect(wrong).toEqual([]);
  expect(inputs).toBe(2 * COUNT);
  for (const count of [taken, refused, stricter]) expect(count).toBeGreaterThan(COUNT / 100);
});

it('Node reads every written request as exactly that request, with nothing left over', async () => {
  const { inputs, written, refused, wrong } = await tryRequests(1, COUNT);
  expect(wrong).toEqual([]);
  expect(inputs).toBe(COUNT);
  for (const count of [written, refused]) expect(count).toBeGreaterThan(COUNT / 10);
});

it('the same seed tries the same inputs', async () => {
  expect(await tryAnswers(3, 50)).toEqual(await tryAnswers(3, 50));
  expect(await tryAnswers(3, 50)).not.toEqual(await tryAnswers(4, 50));
});

describe('the comparison detects a client', () => {
  it.each([
    ['that accepts a length next to chunks', 'body', 'coding !== undefined && length !== undefined', 'false', 'spoilt'],
    ['that reads only the first digits of a length', 'body', '/^\\d{1,15}$/', '/^\\d/', 'spoilt'],
    ['that accepts any transfer coding', 'body', "coding.toLowerCase() !== 'chunked'", 'false', 'spoilt'],
    ['that accepts any chunk extension', 'body', '!EXTENSIONS.test(extensions)', 'false', 'spoilt'],
    ['that accepts any trailer', 'body', '!TRAILER.test(line)', 'false', 'spoilt'],
    ['that leaves bytes for the next response', 'response', 'input.bytes.length > 0', 'false', 'spoilt'],
    [
      'that trims more than spaces and tabs',
      'response',
      'withoutBlanks(fields, colon + 1, end)',
      'fields.slice(colon + 1, end).trim()',
      'answer',
    ],
    ['that keeps only the last of two values', 'response', 'Object.hasOwn(headers, name) ?', 'false ?', 'answer'],
    ['that treats a piece as the whole', 'input', 'missing === 0', 'part.length > 0 || missing === 0', 'answer'],
    ['that writes line ends in a value', 'request', '!NAME.test(name) || !VALUE.test(value)', 'false', 'request'],
    ['that writes spaces in a path', 'request', '!TARGET.test(path) ||', '', 'request'],
    ['that sends a body without its length', 'request', " || body !== ''", '', 'request'],
    ['that counts characters instead of bytes', 'request', 'Buffer.byteLength(body)', 'body.length', 'request'],
  ] satisfies [string, string, string, string, string][])('%s', async (_, file, find, replace, kind) => {
    const [module, name] = kind === 'request' ? ['try-requests', 'tryRequests'] : ['try-answers', 'tryAnswers'];
    const patch = { file: `lib/flashblade/http/${file}.ts`, find, replace };
    await using broken = await brokenCopy(`test/proofs/http/${module}.ts`, [patch]);
    const { wrong } = await tell<AnswersSummary | RequestsSummary>(broken.path, name, [1, COUNT_UNTIL_FOUND, true]);
    expect(wrong).toEqual(expect.arrayContaining([expect.stringMatching(new RegExp(`^${kind}`))]));
  });
});
