import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { isFlashBladeError } from '../../../lib/core/errors.ts';
import { hostFault, parseHost } from '../../../lib/core/host.ts';
import { createAuthority } from '../../../simulator/certificates.ts';

const TOKEN = 'T-00000000-1111-2222-3333-444444444444';
const GOOD = { host: 'fb1.example.com', apiToken: TOKEN };
const PIN = 'ab'.repeat(32);
const parse = (secret: unknown) =>
  parseSecret('fb1', 'flashblade/fb1', {
    SecretString: typeof secret === 'string' ? secret : JSON.stringify(secret),
    VersionId: 'v1',
  });

let authority: Awaited<ReturnType<typeof createAuthority>>;
beforeAll(async () => {
  authority = await createAuthority();
});

describe('parseSecret', () => {
  it('accepts a private authority, or one or two fingerprints with or without colons', () => {
    expect(parse({ ...GOOD, trust: { ca: authority.certificate } }).array.trust).toEqual({
      kind: 'ca',
      ca: authority.certificate,
    });
    const colons = PIN.toUpperCase().match(/../g)?.join(':');
    expect(parse({ ...GOOD, trust: { fingerprints: [colons, PIN] } }).array.trust).toEqual({
      kind: 'fingerprints',
      fingerprints: [PIN, PIN],
    });
  });

  it.each([
    ['fb1', 'fb1', 443],
    ['FB1.Example.com:8443', 'fb1.example.com', 8443],
    ['10.1.2.3', '10.1.2.3', 443],
    ['[2001:db8::1]', '2001:db8::1', 443],
    ['a.b:1', 'a.b', 1],
    ['fb1:65535', 'fb1', 65_535],
    ['[2001:db8::1]:8443', '2001:db8::1', 8443],
  ])('accepts the host %s', (text, host, port) => {
    expect(parse({ ...GOOD, host: text }).array).toMatchObject({ host, port });
  });

  it.each([
    'user@fb1.example.com',
    'https://fb1.example.com',
    'fb1.example.com/api',
    'fb1.example.com?x',
    'fb1 ',
    'fb1\r\nx',
    'fb1\0',
    'fb1:0',
    'fb1:65536',
    'fb1:',
    ':443',
    '2001:db8::1',
    '[fb1]',
    '[::1',
    'fb1..com',
    '-fb1',
    'fb1-',
    '1.2.3',
    '0x7f.1',
    '0x7f.0x1',
    '999.1.1.1',
    'münchen.example',
    'fb1%2eexample',
    'x'.repeat(64),
    '',
    5,
    null,
    ['fb1'],
  ])('rejects the host %j', (host) => {
    expect(() => parse({ ...GOOD, host })).toThrow(/^secret flashblade\/fb1: host must be /);
  });

  const UUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';
  const SWAPPED = 'secret flashblade/fb1: host looks like an API token. Were host and apiToken swapped?';

  it.each([
    TOKEN,
    TOKEN.toLowerCase(),
    `T-${UUID.toUpperCase()}`,
    `${TOKEN}:443`,
    `${TOKEN}:`,
    `.${TOKEN}.`,
    `${TOKEN}.`,
    `${TOKEN}.example.com`,
    `fb1.${TOKEN}`,
    `x-${TOKEN}`,
    UUID,
    UUID.toUpperCase(),
    `${UUID}:8443`,
    `..${UUID}..`,
    UUID.replaceAll('-', ''),
    `t${UUID.replaceAll('-', '')}`,
    'a'.repeat(40),
  ])('rejects the host %j, which may be an API token, and does not quote it', (host) => {
    expect(() => parse({ ...GOOD, host, apiToken: 'fb1.example.com' })).toThrow(
      expect.objectContaining({ code: 'SECRET_INVALID', message: SWAPPED }),
    );
    expect(parseHost(host)).toBeUndefined();
    expect(hostFault(host)).toBe('looks like an API token. Were host and apiToken swapped?');
  });

  it.each([
    'fb1',
    'fb-prod-01.example.com',
    'deadbeef',
    'beef-cafe.example.com',
    `${UUID}.eu.example.com`,
    `fb1.${UUID}.eu.example.com:8443`,
    `export-${UUID}.example.com`,
    `array-${'a'.repeat(40)}`,
    '[2001:db8::1]:8443',
    '10.1.2.3',
  ])('accepts the host %s, which is not an API token', (host) => {
    expect(parse({ ...GOOD, host }).array.name).toBe('fb1');
    expect(hostFault(host)).toBeUndefined();
  });

  it.each([
    ['secret', 'secret'],
    ['SECRET', 'secret'],
    ['opaque-text', 'opaque-text.example.com'],
    ['Opaque-Text', 'fb1.opaque-text.example.com:8443'],
    [UUID, `${UUID}.eu.example.com`],
  ])('rejects a secret whose API token %s is part of its host %s', (apiToken, host) => {
    expect(() => parse({ host, apiToken })).toThrow(
      expect.objectContaining({
        code: 'SECRET_INVALID',
        message: 'secret flashblade/fb1: host contains the apiToken. Correct the host',
      }),
    );
  });

  it('accepts a host that contains a short API token by chance', () => {
    expect(parse({ host: 'fb1.example.com', apiToken: 'fb1' }).array.host).toBe('fb1.example.com');
  });

  it.each([
    ['trust', {}],
    ['trust', 'none'],
    ['trust', null],
    ['trust.ca', { ca: 'x', fingerprints: [PIN] }],
    ['trust.ca', { ca: '' }],
    ['trust.ca', { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }],
    ['trust.ca', { ca: 5 }],
    ['trust.fingerprints', { fingerprints: [] }],
    ['trust.fingerprints', { fingerprints: [PIN, PIN, PIN] }],
    ['trust.fingerprints', { fingerprints: PIN }],
    ['trust.fingerprints.0', { fingerprints: [PIN.slice(2)] }],
    ['trust.fingerprints.1', { fingerprints: [PIN, `${PIN}00`] }],
    ['trust', { verify: false }],
  ])('rejects a malformed %s before anything is sent', (field, trust) => {
    const call = () => parse({ ...GOOD, trust });
    expect(call).toThrow(expect.objectContaining({ code: 'SECRET_INVALID' }));
    expect(call).toThrow(new RegExp(`^secret flashblade/fb1: ${field.replaceAll('.', '\\.')} (must|has|cannot)`));
  });

  it('rejects both a private authority and fingerprints', () => {
    const trust = { ca: authority.certificate, fingerprints: [PIN] };
    expect(() => parse({ ...GOOD, trust })).toThrow('trust must have either ca or fingerprints');
  });

  it('rejects a private key next to the certificate', () => {
    const ca = `${authority.certificate}\n${authority.key}`;
    expect(() => parse({ ...GOOD, trust: { ca } })).toThrow(
      'trust.ca contains a private key. Remove it, keep only the certificates, and treat the key as exposed',
    );
  });

  it('keeps the text of a private authority unchanged, because open leases are sealed with it', () => {
    const ca = `# root\n  ${authority.certificate}`;
    expect(parse({ ...GOOD, trust: { ca } }).array.trust).toEqual({ kind: 'ca', ca });
  });

  it('rejects the API token in a comment of the private authority, because the ledger stores the text', () => {
    const trust = { ca: `# ${GOOD.apiToken}\n${authority.certificate}` };
    const call = () => parse({ ...GOOD, trust });
    expect(call).toThrow('trust.ca contains the apiToken. Remove the token from the text');
    expect(call).not.toThrow(GOOD.apiToken);
    expect(parse({ ...GOOD, apiToken: 'T', trust }).array.trust).toEqual({ kind: 'ca', ca: trust.ca });
  });

  it.each(['', 'T x', 'T\n', 'é', 'a'.repeat(1025), 5])(
    'rejects an API token that cannot be a header: %j',
    (apiToken) => {
      expect(() => parse({ ...GOOD, apiToken })).toThrow(/apiToken must be the API token/);
    },
  );

  it('accepts an API token of any format, because newer ones are a bare UUID', () => {
    expect(parse({ ...GOOD, apiToken: '00000000-1111-2222-3333-444444444444' }).apiToken.reveal()).toHaveLength(36);
  });

  it.each(['', 'T-secret', '{"apiToken":"T-secret"', '[]', 'null', '"T-secret"'])(
    'rejects text that is not a JSON object, and does not quote it',
    (text) => {
      expect(() => parse(text)).toThrow('secret flashblade/fb1: must be a JSON object');
    },
  );

  it.each<[string, unknown, string]>([
    [
      'key/value pairs',
      { trust: JSON.stringify({ fingerprints: [PIN] }) },
      'trust must be a JSON object with ca or fingerprints. Key/value pairs',
    ],
    [
      'key/value pairs with a list',
      { trust: { fingerprints: JSON.stringify([PIN]) } },
      'fingerprints must be a list of one or two fingerprints',
    ],
    ['key/value pairs with a list', { trust: { fingerprints: JSON.stringify([PIN]) } }, 'edit the secret as plaintext'],
    ['one fingerprint as text', { trust: { fingerprints: PIN } }, 'Put the fingerprint in a list: ["…"]'],
    [
      'a fingerprint as the trust',
      { trust: PIN },
      'trust must be a JSON object with ca or fingerprints: { "fingerprints": ["…"] }',
    ],
    ['certificates as the trust', { trust: '-----BEGIN CERTIFICATE-----' }, 'fingerprints: { "ca": "…" }'],
    ['public', { trust: 'public' }, 'To trust public CAs, omit the field'],
    ['false', { trust: false }, 'To trust public CAs, omit the field'],
    ['none', { trust: 'none' }, 'Verification cannot be turned off'],
    ['a port of its own', { port: 8443 }, 'has an unknown field: port (allowed: host, apiToken, trust)'],
    ['another spelling', { api_token: 'x' }, 'has an unknown field: api_token (allowed: host, apiToken, trust)'],
    ['a token in quotation marks', { apiToken: `"${TOKEN}"` }, 'Remove the quotation marks'],
    ['a token with a line break', { apiToken: `${TOKEN}\n` }, 'Remove the spaces and line breaks around it'],
    ['a token in two lines', { apiToken: 'T-1\nT-2' }, 'Remove the spaces and line breaks in it'],
    ['a header', { apiToken: `api-token: ${TOKEN}` }, 'Keep only the token'],
    ['a header without a space', { apiToken: `api-token:${TOKEN}` }, 'Keep only the token'],
    ['a bearer token', { apiToken: `Bearer ${TOKEN}` }, 'Keep only the token'],
    ['a missing token', { apiToken: 'undefined' }, 'looks like a placeholder for a missing value'],
    ['a token reference', { apiToken: '{{resolve:ssm:/fb1}}' }, 'a template that was not rendered'],
    ['an empty token', { apiToken: '' }, 'It is empty'],
    ['a redacted token', { apiToken: '[API token]' }, 'placeholder for a token in logs'],
    ['a SHA-1 fingerprint', { trust: { fingerprints: ['ab'.repeat(20)] } }, 'It looks like a SHA-1 fingerprint'],
    [
      'a labeled fingerprint',
      { trust: { fingerprints: [`SHA256 Fingerprint=${PIN}`] } },
      'Remove everything before the digits',
    ],
    [
      'a fingerprint with spaces',
      { trust: { fingerprints: [PIN.match(/../g)?.join(' ')] } },
      'separators other than colons',
    ],
    ['a fingerprint as the CA', { trust: { ca: PIN } }, 'The text is a fingerprint. Put it in trust.fingerprints'],
    ['a file as the CA', { trust: { ca: '/etc/pki/ca.pem' } }, 'The text is a file name'],
    ['a CA without its markers', { trust: { ca: 'MIIBszCCAVmgAwIBAgIU' } }, 'The BEGIN and END lines are missing'],
    [
      'a certificate request',
      { trust: { ca: '-----BEGIN CERTIFICATE REQUEST-----\nMII' } },
      'contains a certificate request',
    ],
    ['half a CA', { trust: { ca: '-----BEGIN CERTIFICATE-----\nMII' } }, 'has no END line'],
  ])('names the usual mistake: %s', (_, changes, sentence) => {
    const call = () => parse({ ...GOOD, ...(changes as object) });
    expect(call).toThrow(
      expect.objectContaining({ code: 'SECRET_INVALID', message: expect.stringContaining(sentence) }),
    );
  });

  it.each<[string, (pem: string) => string]>([
    ['were lost', (pem) => pem.replaceAll('\n', '')],
    ['became spaces', (pem) => pem.replaceAll('\n', ' ')],
    ['were escaped twice', (pem) => pem.replaceAll('\n', '\\n')],
  ])('accepts a CA whose line breaks %s', (_, spoil) => {
    const ca = spoil(authority.certificate);
    expect(parse({ ...GOOD, trust: { ca } }).array.trust).toEqual({ kind: 'ca', ca });
  });

  it('names the line and the column if the text is not JSON', () => {
    const pasted = `{\n  "host": "fb1",\n  "apiToken": "${TOKEN}",\n  "trust": { "ca": "-----BEGIN CERTIFICATE-----\nMII" } }`;
    expect(() => parse(pasted)).toThrow(
      'secret flashblade/fb1: must be a JSON object, but is not valid JSON at line 4, column 48. In a string, write a line break as \\n',
    );
    expect(() => parse(TOKEN)).toThrow('not valid JSON at line 1, column 1. It must begin with {');
    expect(() => parse(JSON.stringify(JSON.stringify(GOOD)))).toThrow(
      'must be a JSON object, but is a string that contains one',
    );
  });

  it('rejects a binary secret', () => {
    expect(() => parseSecret('fb1', 'flashblade/fb1', {})).toThrow('must be text (SecretString), not binary');
  });

  it('returns an array or throws SECRET_INVALID for any input, and never quotes it', () => {
    const secretish = fc.record(
      {
        host: fc.oneof(fc.string(), fc.webAuthority(), fc.domain(), fc.ipV6(), fc.anything()),
        apiToken: fc.oneof(fc.constant(TOKEN), fc.anything()),
        trust: fc.anything(),
        [TOKEN]: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(secretish, fc.jsonValue(), fc.anything()), (value) => {
        try {
          const { array } = parse(JSON.stringify(value) ?? '');
          expect(parseHost(array.host.includes(':') ? `[${array.host}]` : array.host)).toMatchObject({
            host: array.host,
          });
        } catch (error) {
          if (!isFlashBladeError(error, 'SECRET_INVALID')) throw error;
          expect(error.message).not.toContain(TOKEN);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
