import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../lib/core/json.ts';
import { arrayName, callersId, check, fields, listOf, onlyFields, whole } from '../../../lib/core/validation.ts';

const TOKEN = 'T-3f2504e0-4f89-11d3-9a0c-0305e82c3301';
const refusal = (schema: Parameters<typeof check>[0], input: unknown): string => {
  try {
    check(schema, input, 'REQUEST_INVALID', 'request');
  } catch (error) {
    expect(error).toMatchObject({ code: 'REQUEST_INVALID' });
    return (error as Error).message;
  }
  return 'accepted';
};

describe('parseJson', () => {
  it('returns the value of JSON', () => {
    expect(parseJson('{"a":[1,null,"x"]}')).toEqual({ a: [1, null, 'x'] });
    expect(parseJson('null')).toBeNull();
  });

  it.each(['', '{', TOKEN, '{"apiToken":}', 'undefined'])('returns undefined for %j, and does not throw', (text) => {
    expect(parseJson(text)).toBeUndefined();
  });
});

describe('a refused input', () => {
  const schema = onlyFields({ array: arrayName, leaseId: callersId, seconds: whole(1, 9) });
  const VALID = { array: 'fb1', leaseId: 'job-1', seconds: 9 };

  it('is described by the first field that breaks a rule, and by the rule', () => {
    expect(check(schema, VALID, 'REQUEST_INVALID', 'request')).toEqual(VALID);
    expect(refusal(schema, { ...VALID, seconds: 10 })).toBe('request: seconds must be a whole number from 1 to 9');
    expect(refusal(schema, { ...VALID, leaseId: 'job 1', seconds: 0 })).toMatch(/^request: leaseId must be 1 to 512 /);
    expect(refusal(schema, [])).toBe('request: must be a JSON object');
  });

  it('is never quoted', () => {
    expect(refusal(schema, { ...VALID, array: TOKEN })).toBe(
      'request: array must not contain anything that looks like an API token',
    );
    expect(refusal(schema, { ...VALID, [TOKEN]: 1 })).toBe(
      'request: has an unknown field (allowed: array, leaseId, seconds)',
    );
    expect(refusal(schema, { ...VALID, host: TOKEN })).toBe(
      'request: has an unknown field: host (allowed: array, leaseId, seconds)',
    );
  });
});

it('a field of the prototype counts as missing', () => {
  const schema = fields({ array: arrayName });
  expect(refusal(schema, Object.create({ array: 'fb1' }))).toMatch(/^request: array must be an array name/);
  expect(check(schema, { array: 'fb1', other: 1 }, 'REQUEST_INVALID', 'request')).toEqual({ array: 'fb1' });
});

it('the length of a list is checked before its items', () => {
  const schema = listOf(whole(1, 9), 2, 'must be a list of 1 or 2 numbers');
  expect(check(schema, [1, 9], 'REQUEST_INVALID', 'request')).toEqual([1, 9]);
  for (const input of [[], ['x', 1, 2], 'x']) {
    expect(refusal(schema, input)).toBe('request: must be a list of 1 or 2 numbers');
  }
  expect(refusal(schema, [1, 'x'])).toBe('request: 1 must be a whole number from 1 to 9, not a string');
});
