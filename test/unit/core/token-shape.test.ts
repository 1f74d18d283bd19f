import { describe, expect, it, test } from 'vitest';
import {
  containsApiToken,
  isHostLikeApiToken,
  maskApiTokens,
  maskUuids,
  redactApiTokens,
} from '../../../lib/core/redact.ts';

const UUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';
const TOKEN = `T-${UUID}`;

const TOKENS = [
  TOKEN,
  TOKEN.toUpperCase(),
  TOKEN.toLowerCase(),
  `x${TOKEN}`,
  `job-${TOKEN}`,
  `fb1:${TOKEN}:2`,
  `${TOKEN}0`,
  `_${TOKEN}`,
  `9${TOKEN}`,
];
const NAMES = [
  UUID,
  `export-${UUID}`,
  `REPORT-${UUID.toUpperCase()}`,
  `arn:aws:states:eu-west-1:1:execution:nightly:${UUID}`,
  `T${UUID}`,
  `T-${UUID.slice(1)}`,
  'T-shirt',
];

describe('an API token', () => {
  it.each(TOKENS)('is found in %s', (text) => {
    expect(containsApiToken(text)).toBe(true);
    expect(maskApiTokens(text, '…').toLowerCase()).not.toContain(UUID);
  });

  it.each(NAMES)('is not found in the name %s', (text) => {
    expect(containsApiToken(text)).toBe(false);
    expect(maskApiTokens(text, '…')).toBe(text);
  });

  it('is masked at every occurrence', () => {
    expect(maskApiTokens(`a ${TOKEN} b ${TOKEN} ${UUID}`, '…')).toBe(`a … b … ${UUID}`);
    expect(maskUuids(`a ${TOKEN} b ${UUID} export-${UUID}`, '…')).toBe('a … b … expor…');
  });
});

test.each([`x%3D${TOKEN}`, `x%2F${TOKEN.toLowerCase()}`, `x\\u003a${TOKEN}`, TOKEN.replaceAll('-', '%2D')])(
  'an escaped API token is found in %s',
  (text) => {
    expect(containsApiToken(text)).toBe(true);
  },
);

test.each([`A${TOKEN}`, `x-${UUID}`, `api-token-${UUID}`, `${TOKEN}.example.com`, `a${TOKEN}.example.com`, UUID])(
  'the host %s looks like an API token',
  (host) => {
    for (const spelling of [host, `${host}:443`, `${host}.`]) expect(isHostLikeApiToken(spelling)).toBe(true);
  },
);

test.each(['fb1', 'fb-prod-01.example.com', `${UUID}.eu.example.com`, `fb-${UUID}.example.com`, '192.0.2.1'])(
  'the host %s does not look like an API token',
  (host) => {
    expect(isHostLikeApiToken(host)).toBe(false);
  },
);

describe('a text from an array', () => {
  it.each(TOKENS)('loses the API token in %s', (text) => {
    expect(redactApiTokens(text)).toContain('[API token]');
    expect(containsApiToken(redactApiTokens(text))).toBe(false);
  });

  it.each(NAMES)('keeps the name %s', (text) => {
    expect(redactApiTokens(text)).toBe(text);
  });
});
