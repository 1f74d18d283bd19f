import { describe, expect, it } from 'vitest';
import { apiToken, authToken } from '../../../lib/core/model.ts';
import { mapTexts, redact, redactApiTokens } from '../../../lib/core/redact.ts';

const VALUE = 'T-0a1B2c3d-1111-2222-3333-4444555566ff';
const TOKEN = apiToken(VALUE);

const spellEach = (value: string, spell: (hex: string, character: string) => string): string =>
  [...value].map((one) => spell(one.charCodeAt(0).toString(16).padStart(2, '0'), one)).join('');

const SPELLINGS: Readonly<Record<string, (value: string) => string>> = {
  'as it is': (value) => value,
  'in upper case': (value) => value.toUpperCase(),
  'in lower case': (value) => value.toLowerCase(),
  'escaped by JSON': (value) => spellEach(value, (hex) => `\\u00${hex}`),
  'escaped by JSON in JSON, in upper case': (value) =>
    spellEach(value.toUpperCase(), (hex) => `\\\\u00${hex.toUpperCase()}`),
  'escaped in part': (value) => spellEach(value, (hex, one) => (one === '-' ? `\\u00${hex}` : one)),
  'escaped by a URL': (value) => spellEach(value, (hex) => `%${hex}`),
  'escaped by a URL twice': (value) => spellEach(value, (hex) => `%25${hex.toUpperCase()}`),
};

describe('in a text that repeats a token', () => {
  it.each(Object.entries(SPELLINGS))('the token is redacted %s', (_, spell) => {
    expect(redact(`no user for ${spell(VALUE)}, ${spell(VALUE)}!`, [TOKEN])).toBe(
      'no user for [API token], [API token]!',
    );
    expect(redactApiTokens(`${spell(VALUE)} and ${spell(VALUE)}`)).toBe('[API token] and [API token]');
  });

  it.each(['%3D', '%3a', '%2F', '%253D', '\\u003D', '\\n', '\\\\t', '\\"'])(
    'the token is redacted after %s',
    (before) => {
      for (const value of [VALUE, VALUE.toLowerCase()]) {
        expect(redactApiTokens(`x${before}${value}`)).toBe(`x${before}[API token]`);
      }
    },
  );

  it('a token with the usual punctuation is redacted', () => {
    const token = authToken('ab+/c._~=');
    for (const spelling of ['ab+/c._~=', 'ab+\\/c._~=', 'ab\\+\\/c._~\\=', 'ab%2b%2Fc%2e_~=']) {
      expect(redact(`<${spelling}>`, [token])).toBe('<[auth token]>');
    }
  });

  it('a token with unusual characters is redacted', () => {
    const odd = String.raw`$1"(\u0041%41.*`;
    expect(redact(`<${odd}>`, [authToken(odd)])).toBe('<[auth token]>');
    expect(redact('$1"(uA%41.*', [authToken(odd)])).toBe('$1"(uA%41.*');
  });

  it('two tokens are redacted even if one contains the other', () => {
    const both = [apiToken('T-api'), authToken('T-api.and-more')];
    expect(redact('T-api.and-more, T-api', both)).toBe('[auth token], [API token]');
  });

  it('JSON stays JSON', () => {
    const json = JSON.stringify({ a: VALUE, b: { [VALUE]: [`\\${VALUE}`, `"${VALUE}"`] } });
    expect(JSON.parse(redact(json, [TOKEN]))).toEqual({
      a: '[API token]',
      b: { '[API token]': ['\\[API token]', '"[API token]"'] },
    });
  });
});

describe('a text that repeats no token', () => {
  it.each(['', 'T-0a1B2c3d', 'nginx', '50%', 'C:\\temp', VALUE.slice(0, -1), `${VALUE.slice(0, -1)}g`])(
    'stays as it is: %s',
    (text) => {
      expect(redact(text, [TOKEN])).toBe(text);
      expect(redactApiTokens(text)).toBe(text);
    },
  );

  it('stays as it is if a token is empty', () => {
    expect(redact('text', [authToken('')])).toBe('text');
  });

  it('stays as it is if no tokens are given', () => {
    expect(redact(VALUE, [])).toBe(VALUE);
  });
});

it('no text and no token that an array chooses makes the search slow', () => {
  const texts = [
    'a',
    '/',
    '\\/',
    '\\',
    '%',
    '%25',
    '\\u00',
    '\\u0054',
    'T-',
    'T-0a1B2c3d-',
    '\\\\\\\\\\\\\\\\u0075',
    'u0075',
    '\\%54',
  ];
  const long = ['a'.repeat(1023).concat('b'), 'b'.concat('a'.repeat(1023)), '/'.repeat(1023).concat('b')];
  const tokens = [
    ...long,
    VALUE,
    '\\'.repeat(36),
    '%25'.repeat(12),
    'u0075'.repeat(8),
    '\\u0075'.repeat(6),
    '/'.repeat(36),
  ];
  const startedAt = performance.now();
  for (const text of texts) {
    const searched = `${text.repeat(Math.ceil(200_000 / text.length))}\\`;
    redactApiTokens(searched);
    for (const token of tokens) redact(`${searched}x`, [apiToken(token)]);
  }
  // 143 searches of 200,000 characters.
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

it('mapTexts changes all texts of a JSON value, including field names, and nothing else', () => {
  const value = [1, true, null, 'a', { a: 'a', __proto__: null, deep: [{ a: 'a' }] }];
  expect(mapTexts(value, (text) => `${text}!`)).toEqual([
    1,
    true,
    null,
    'a!',
    { 'a!': 'a!', 'deep!': [{ 'a!': 'a!' }] },
  ]);
});
