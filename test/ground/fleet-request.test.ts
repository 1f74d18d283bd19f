import { describe, expect, it } from 'vitest';
import { parseFleetRequest } from '../../lib/ground/requests.ts';

describe('a request for a check of the fleet', () => {
  it('names arrays, each once, or none for all of them', () => {
    expect(parseFleetRequest({})).toEqual({});
    expect(parseFleetRequest({ arrays: ['fb1', 'fb2', 'fb1'] })).toEqual({ arrays: ['fb1', 'fb2'] });
  });

  it.each([
    [undefined, 'must be a JSON object'],
    [{ arrays: [] }, 'arrays must be a list'],
    [{ arrays: 'fb1' }, 'arrays must be a list'],
    [{ arrays: Array(10_001).fill('fb1') }, 'arrays must be a list'],
    [{ arrays: ['fb1', '../fb2'] }, 'arrays.1 must be the name of an array'],
    [{ array: 'fb1' }, 'not known: array'],
  ])('%j is refused, naming field and rule', (input, told) => {
    expect(() => parseFleetRequest(input)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    expect(() => parseFleetRequest(input)).toThrow(told);
  });
});
