import { describe, expect, it } from 'vitest';
import { parseFleetRequest } from '../../../lib/leases/requests.ts';

describe('a fleet request', () => {
  it('a fleet request names arrays, or none to check all; a name that is repeated counts once', () => {
    expect(parseFleetRequest({})).toEqual({});
    expect(parseFleetRequest({ arrays: ['fb1', 'fb2', 'fb1'] })).toEqual({ arrays: ['fb1', 'fb2'] });
  });

  it.each([
    [undefined, 'must be a JSON object'],
    [{ arrays: [] }, 'arrays must be a list'],
    [{ arrays: 'fb1' }, 'arrays must be a list'],
    [{ arrays: Array(10_001).fill('fb1') }, 'arrays must be a list'],
    [{ arrays: ['fb1', '../fb2'] }, 'arrays.1 must be an array name'],
    [{ array: 'fb1' }, 'has an unknown field: array'],
  ])('%j is refused with the field and the rule', (input, rule) => {
    expect(() => parseFleetRequest(input)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    expect(() => parseFleetRequest(input)).toThrow(rule);
  });
});
