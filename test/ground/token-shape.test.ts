import { describe, expect, it, test } from 'vitest';
import { redactApiTokens } from '../../lib/ground/redact.ts';
import { containsApiToken, isHostLikeApiToken, maskApiTokens, maskUuids } from '../../lib/ground/token-shape.ts';

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

  it('is masked wherever and however often it occurs', () => {
    expect(maskApiTokens(`a ${TOKEN} b ${TOKEN} ${UUID}`, '…')).toBe(`a … b … ${UUID}`);
    expect(maskUuids(`a ${TOKEN} b ${UUID} export-${UUID}`, '…')).toBe('a … b … expor…');
  });
});

test.each([`x%3D${TOKEN}`, `x%2F${TOKEN.toLowerCase()}`, `x\\u003a${TOKEN}`, TOKEN.replaceAll('-', '%2D')])(
  'an API token that is escaped is found in %s',
  (text) => {
    expect(containsApiToken(text)).toBe(true);
  },
);

test.each([`A${TOKEN}`, `x-${UUID}`, `api-token-${UUID}`, `${TOKEN}.example.com`, `a${TOKEN}.example.com`, UUID])(
  'the host %s looks like an API token',
  (host) => {
    for (const spelt of [host, `${host}:443`, `${host}.`]) expect(isHostLikeApiToken(spelt)).toBe(true);
  },
);

test.each(['fb1', 'fb-prod-01.example.com', `${UUID}.eu.example.com`, `fb-${UUID}.example.com`, '192.0.2.1'])(
  'the host %s does not look like an API token',
  (host) => {
    expect(isHostLikeApiToken(host)).toBe(false);
  },
);

describe('what an array says', () => {
  it.each(TOKENS)('is redacted where no name may be: %s', (text) => {
    expect(redactApiTokens(text)).toContain('[API token]');
    expect(containsApiToken(redactApiTokens(text))).toBe(false);
  });

  it.each(NAMES)('is left as it is where a name may be: %s', (text) => {
    expect(redactApiTokens(text)).toBe(text);
  });
});
