import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { apiToken, authToken } from '../../../lib/core/model.ts';

describe.each([
  ['an API token', apiToken, '[API token]'],
  ['an auth token', authToken, '[auth token]'],
])('%s', (_, make, shown) => {
  const token = make('T-secret');

  it('returns its value only from reveal()', () => {
    expect(token.reveal()).toBe('T-secret');
  });

  it('shows its kind instead of its value everywhere else', () => {
    const texts = [`${token}`, String(token), JSON.parse(JSON.stringify(token)), inspect(token), token.toJSON()];
    expect(texts).toEqual(texts.map(() => shown));
    expect(inspect({ token }, { showHidden: true, depth: 9 })).toContain(shown);
    expect(JSON.stringify({ token, ...token })).not.toContain('T-secret');
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(token)).toBe(true);
  });
});
