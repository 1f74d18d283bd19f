import { describe, expect, it } from 'vitest';
import { redactApiTokens } from '../../lib/ground/redact.ts';
import { containsApiToken, maskApiTokens, maskUuids } from '../../lib/ground/token-shape.ts';

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

describe('what an array says', () => {
  it.each(TOKENS)('is redacted where no name may be: %s', (text) => {
    expect(redactApiTokens(text)).toContain('[API token]');
    expect(containsApiToken(redactApiTokens(text))).toBe(false);
  });

  it.each(NAMES)('is left as it is where a name may be: %s', (text) => {
    expect(redactApiTokens(text)).toBe(text);
  });
});
