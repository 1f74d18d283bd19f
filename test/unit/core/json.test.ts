import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultIndex, jsonFault, parseJson } from '../../../lib/core/json.ts';

/** Whether some text that begins with this prefix is JSON. */
const canContinue = (prefix: string): boolean => ENDINGS.some((ending) => parseJson(prefix + ending) !== undefined);
const CLOSED = [
  '',
  '1',
  '"',
  '0"',
  '00"',
  '000"',
  '0000"',
  'u0000"',
  'n"',
  '":1',
  '"x":1',
  ':1',
  'e',
  'rue',
  'ue',
  'alse',
  'lse',
  'se',
  'ull',
  'll',
  'l',
];
const BRACKETS = ['', '}', ']', '}}', ']]', '}]', ']}', '}}}', '}}]', '}]}', '}]]', ']}}', ']}]', ']]}', ']]]'];
const ENDINGS = CLOSED.flatMap((one) => ['', ':1'].flatMap((value) => BRACKETS.map((end) => one + value + end)));

const valid = fc
  .tuple(
    fc.json({ maxDepth: 2, stringUnit: fc.constantFrom('a', 'é', '"', '\\', '\n', '/', '😀', ' ') }),
    fc.constantFrom(undefined, 1, '\t'),
  )
  .map(([json, indent]) => JSON.stringify(JSON.parse(json), undefined, indent));

describe('the place where a text stops being JSON', () => {
  it('is the end of the longest beginning that could still become JSON', () => {
    const spoiled = fc.tuple(
      valid,
      fc.nat(),
      fc.constantFrom('', "'", '"', ',', '}', ']', ':', '\n', 'x', '0', '-', '.', '\\', '//', '\ufeff'),
      fc.nat(2),
    );
    fc.assert(
      fc.property(spoiled, ([json, at, insert, drop]) => {
        const from = at % (json.length + 1);
        const text = json.slice(0, from) + insert + json.slice(from + drop);
        if (parseJson(text) !== undefined) return;
        const index = faultIndex(text);
        // A number, a word or an escape is one token, so the fault is at its beginning.
        const token = /^(?:\\u?[\dA-Fa-f]{0,4}|[\w.+-]*)/.exec(text.slice(index))?.[0] ?? '';
        expect(canContinue(text.slice(0, index)), JSON.stringify([text, index])).toBe(true);
        if (index + token.length < text.length)
          expect(canContinue(text.slice(0, index + token.length + 1)), JSON.stringify([text, index])).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['', 1, 1, 'It is empty'],
    [' \n ', 2, 2, 'It is empty'],
    ['T-secret', 1, 1, 'It must begin with {'],
    ['{', 1, 2, 'It ends too early'],
    ['{"host":"fb1"', 1, 14, 'It ends too early'],
    ['{"host":"fb1', 1, 13, 'It ends too early'],
    ['{\n  "host": "fb1",\n  "apiToken": "x",\n}', 4, 1, 'Remove the comma'],
    ['{\n  "host": "fb1"\n  "apiToken": "x"\n}', 3, 3, undefined],
    ['{"trust":{"ca":"-----BEGIN CERTIFICATE-----\nMII"}}', 1, 44, 'write a line break as \\n'],
    ["{'host':'fb1'}", 1, 2, 'straight double quotation marks'],
    ['{“host”:“fb1”}', 1, 2, 'straight double quotation marks'],
    ['\ufeff{"host":"fb1"}', 1, 1, 'byte order mark'],
    ['{"host":"fb1"} // mine', 1, 16, 'does not allow comments'],
    ['{"host":"fb1",# mine\n"a":1}', 1, 15, 'does not allow comments'],
    ['{host:"fb1"}', 1, 2, undefined],
    ['{"a":"C:\\x"}', 1, 9, 'backslash'],
    ['{"a":01}', 1, 6, undefined],
    ['{"a":1}{"b":2}', 1, 8, undefined],
    ['{"a":None}', 1, 6, undefined],
  ])('of %j is line %i, column %i', (text, line, column, mistake) => {
    const fault = jsonFault(text);
    expect(fault).toMatch(new RegExp(`^ at line ${line}, column ${column}(\\. |$)`));
    if (mistake === undefined) expect(fault).not.toContain('. ');
    else expect(fault).toContain(mistake);
  });

  it('is described without the text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const text = `{"zq${before}zq":"zq${after}`;
        if (parseJson(text) === undefined) expect(jsonFault(text)).not.toContain('zq');
      }),
    );
  });

  it('is found in linear time', () => {
    for (const text of [
      '['.repeat(1e6),
      `{"a":"${'x'.repeat(1e6)}`,
      ' '.repeat(1e6),
      '\\'.repeat(1e6),
      `{"a":${'1'.repeat(1e6)}x`,
    ]) {
      const started = performance.now();
      jsonFault(text);
      expect(performance.now() - started).toBeLessThan(2000);
    }
  });
});
