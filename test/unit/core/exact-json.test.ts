import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isExactNumber, parseExactJson } from '../../../lib/core/json.ts';
import { mapTexts } from '../../../lib/core/redact.ts';

/** What callers get: parsed, redacted, and written again. */
const throughUs = (text: string): string => JSON.stringify(mapTexts(parseExactJson(text), (value) => value));

/** The exact value of a number's text, as an integer and a power of ten. */
function exactly(text: string): [number: bigint, power: bigint, isNegative: boolean] {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(-?\d+))?$/.exec(text) ?? [];
  let number = BigInt(whole + fraction);
  let power = BigInt(exponent) - BigInt(fraction.length);
  while (number !== 0n && number % 10n === 0n) {
    number /= 10n;
    power += 1n;
  }
  return [number, number === 0n ? 0n : power, sign === '-'];
}

const NUMBERS = [
  ...['0', '-0', '-0.0', '0e0', '1', '-1', '1.0', '1.50', '0.1', '1e5', '1E+5', '1e-5', '100000000000000000000'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '12345678901234567890'],
  ...['1.0000000000000000001', '0.1000000000000000055511151231257827', '123456789.123456789', '0.00000000000000001'],
  ...['1e400', '-1e400', '1e-400', '5e-325', '1.7976931348623159e308', '4.9e-324', '1e21', '123456789012345.678'],
];
const AROUND: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `[${text}]`,
  (text) => `{"a":${text}}`,
  (text) => `{"a":[1,{"b": ${text}}]}`,
  (text) => `[\n\t${text} ,"x"]`,
  (text) => `["a",${text},${text}]`,
];
const numbersIn = (text: string): string[] => [...text.matchAll(/-?\d[\d.eE+-]*/g)].map(([found]) => found);

describe('JSON with exact numbers', () => {
  it.each(NUMBERS)('keeps the value of %s, wherever it is', (text) => {
    for (const around of AROUND) {
      const written = throughUs(around(text));
      expect(numbersIn(written).map(exactly)).toEqual(numbersIn(around(text)).map(exactly));
    }
  });

  it('keeps the value of every number', () => {
    const digits = (min: number, max: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max });
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        digits(1, 22).map((text) => text.replace(/^0+(?=\d)/, '')),
        fc.oneof(
          fc.constant(''),
          digits(1, 22).map((text) => `.${text}`),
        ),
        fc.oneof(
          fc.constant(''),
          fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), digits(1, 3)).map((parts) => parts.join('')),
        ),
      )
      .map((parts) => parts.join(''));
    const property = fc.property(number, fc.constantFrom(...AROUND), (text, around) => {
      expect(numbersIn(throughUs(around(text))).map(exactly)).toEqual(numbersIn(around(text)).map(exactly));
    });
    fc.assert(property, { seed: 1, numRuns: 2000 });
  });

  it('is otherwise parsed like any JSON', () => {
    const property = fc.property(fc.json({ maxDepth: 4 }), (text) => {
      const changed = (_: string, value: unknown) => (isExactNumber(value) ? Number(JSON.stringify(value)) : value);
      const plain = (value: unknown): unknown =>
        JSON.parse(JSON.stringify(value, changed), (_, one) => (Object.is(one, -0) ? 0 : one));
      expect(plain(parseExactJson(text))).toEqual(plain(JSON.parse(text)));
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });

  it.each([
    '1',
    '[9007199254740991,0.5,-1]',
    '{"at":1700000000000,"id":"0e1c-4e5f","b":"1e5"}',
    '"12345678901234567890"',
  ])('leaves %s as it is, without an exact number', (text) => {
    const found: unknown[] = [];
    JSON.stringify(parseExactJson(text), (_, value) => (isExactNumber(value) ? found.push(value) : value));
    expect(found).toEqual([]);
    expect(throughUs(text)).toBe(text);
  });

  it.each(['', '{', '01', '[1e400', '.5', '1e', 'NaN'])('is not %j', (text) => {
    expect(() => parseExactJson(text)).toThrow(SyntaxError);
  });

  it('cannot change a prototype', () => {
    const value = parseExactJson('{"__proto__":{"polluted":1e400}}');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(throughUs('{"__proto__":{"a":1e400}}')).toBe('{"__proto__":{"a":1e400}}');
  });

  it.each([
    ':1'.repeat(500_000),
    `:${'1'.repeat(1_000_000)}`,
    `:${'1.'.repeat(500_000)}`,
    ' '.repeat(1_000_000),
    '-'.repeat(1_000_000),
  ])('of 1 MB is searched in a moment (%#)', (text) => {
    const startedAt = performance.now();
    expect(throughUs(JSON.stringify(text))).toBe(JSON.stringify(text));
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
