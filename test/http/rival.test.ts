/** The product's HTTP against Node's, by thousands of answers and requests of one seed. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { brokenCopy } from '../proofs/controls.ts';
import { tell } from '../proofs/program.ts';
import { tryAnswers } from './try-answers.ts';
import { tryRequests } from './try-requests.ts';

vi.setConfig({ testTimeout: 120_000 });

const COUNT = 2000;

it('an answer as it should be is read for what it means, and no other is read otherwise than by Node', async () => {
  const { inputs, taken, refused, stricter, wrong } = await tryAnswers(1, COUNT);
  expect(wrong).toEqual([]);
  expect(inputs).toBe(2 * COUNT);
  for (const count of [taken, refused, stricter]) expect(count).toBeGreaterThan(COUNT / 100);
});

it('a request that is written is heard by Node as that one request, and leaves nothing behind', async () => {
  const { inputs, written, refused, wrong } = await tryRequests(1, COUNT);
  expect(wrong).toEqual([]);
  expect(inputs).toBe(COUNT);
  for (const count of [written, refused]) expect(count).toBeGreaterThan(COUNT / 10);
});

it('the same seed tries the same', async () => {
  expect(await tryAnswers(3, 50)).toEqual(await tryAnswers(3, 50));
  expect(await tryAnswers(3, 50)).not.toEqual(await tryAnswers(4, 50));
});

describe('found out is a client', () => {
  it.each([
    [
      'that takes a length beside chunks',
      'http-body',
      'coding !== undefined && length !== undefined',
      'false',
      'spoilt',
    ],
    ['that reads a length as far as it goes', 'http-body', '/^\\d{1,15}$/', '/^\\d/', 'spoilt'],
    ['that takes any transfer coding', 'http-body', "coding.toLowerCase() !== 'chunked'", 'false', 'spoilt'],
    ['that takes any extension of a chunk', 'http-body', '!EXTENSIONS.test(extensions)', 'false', 'spoilt'],
    ['that takes any trailer', 'http-body', '!TRAILER.test(line)', 'false', 'spoilt'],
    ['that leaves bytes for the next answer', 'http-answer', 'input.bytes.length > 0', 'false', 'spoilt'],
    [
      'that trims what is no blank',
      'http-answer',
      'withoutBlanks(fields, colon + 1, end)',
      'fields.slice(colon + 1, end).trim()',
      'answer',
    ],
    ['that keeps the last of two values', 'http-answer', 'Object.hasOwn(headers, name) ?', 'false ?', 'answer'],
    ['that takes a piece for the whole', 'http-input', 'missing === 0', 'part.length > 0 || missing === 0', 'answer'],
    [
      'that asks with line ends in a value',
      'http-request',
      '!NAME.test(name) || !VALUE.test(value)',
      'false',
      'request',
    ],
    ['that asks with blanks in a path', 'http-request', '!TARGET.test(path) ||', '', 'request'],
    ['that sends a body without its length', 'http-request', " || body !== ''", '', 'request'],
    ['that counts characters for bytes', 'http-request', 'Buffer.byteLength(body)', 'body.length', 'request'],
  ] satisfies [string, string, string, string, string][])('%s', async (_, file, find, replace, kind) => {
    const broken = await brokenCopy('test/http/program.ts', [
      { file: `lib/edges/flashblade/${file}.ts`, find, replace },
    ]);
    onTestFinished(broken.remove);
    const wrong = await tell<string[]>(broken.path, [kind === 'request' ? 'requests' : 'answers', 1, COUNT]);
    expect(wrong).toEqual(expect.arrayContaining([expect.stringMatching(new RegExp(`^${kind}`))]));
  });
});
