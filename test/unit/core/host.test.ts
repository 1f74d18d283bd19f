import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { bareHostFault, hostFault, parseHost } from '../../../lib/core/host.ts';
import { readArray } from '../../../scripts/contracts/environment.ts';
import { readCommand as readSecret } from '../../../scripts/secret/arguments.ts';
import { readCommand as readStart } from '../../../scripts/start/arguments.ts';
import { readCommand as readTrust } from '../../../scripts/trust/arguments.ts';

const PIN = 'ab'.repeat(32);
const TOKEN = 'T-00000000-1111-2222-3333-444444444444';

/** Everything that reads a host with an optional port. Each throws an error that contains `hostFault`. */
const READERS: Readonly<Record<string, (host: string) => unknown>> = {
  'the secret': (host) =>
    parseSecret('fb1', 'flashblade/fb1', { SecretString: JSON.stringify({ host, apiToken: TOKEN }) }),
  'npm run secret': (host) => readSecret(['fb1', `--host=${host}`], {}),
  'npm run trust': (host) => readTrust(['--', host]),
  'npm start': (host) => readStart([`--host=${host}`, '--secret-file=/dev/null']),
  FLASHBLADE_HOST: (host) =>
    readArray({
      FLASHBLADE_HOST: host,
      FLASHBLADE_API_TOKEN: TOKEN,
      FLASHBLADE_USERNAME: 'pureuser',
      FLASHBLADE_FINGERPRINT: PIN,
    }),
};

/** Wrong hosts, with words from the sentence that fits. */
const WRONG: readonly (readonly [host: string, sentence: string])[] = [
  ['', 'It is empty'],
  ...['https://fb1.example.com', 'http://fb1', 'HTTPS://fb1:443/api', 'ssh://fb1', 'https:\\\\fb1'].map(
    (host) => [host, 'It looks like a URL'] as const,
  ),
  ...['fb1/', 'fb1.example.com/api', 'fb1?x', 'fb1#x', '10.1.2.3/24', 'fb1\\share', '[::1]/'].map(
    (host) => [host, 'Remove the path'] as const,
  ),
  ...['user@fb1', 'pureuser@fb1.example.com:443', '@fb1'].map((host) => [host, 'Remove the user name'] as const),
  ...[' fb1', 'fb1 ', 'fb1\n', 'fb1\tx', 'fb1 fb2', 'fb1\u00a0', '\ufefffb1'].map(
    (host) => [host, 'Remove the spaces'] as const,
  ),
  ...['"fb1"', "'fb1'", '“fb1”', '`fb1`'].map((host) => [host, 'Remove the quotation marks'] as const),
  ...[
    'fb1:',
    'fb1:0',
    'fb1:00000',
    'fb1:65536',
    'fb1:99999',
    'fb1:-1',
    'fb1:https',
    'fb1:443:443',
    '[::1]:0',
    ':443',
  ].map((host) => [host, 'The port must be a number from 1 to 65535'] as const),
  ...['::1', '2001:db8::1', '2001:db8::1:443', '::ffff:10.1.2.3', 'FE80::1', '::1]'].map(
    (host) => [host, 'Put an IPv6 address in brackets'] as const,
  ),
  ...['[fb1]', '[10.1.2.3]', '[::1', '[]', '[[::1]]', '[::g]'].map(
    (host) => [host, 'Use brackets only around an IPv6 address'] as const,
  ),
  ...['fe80::1%eth0', '[fe80::1%eth0]', '[fe80::1%25eth0]:443', 'fb1%2eexample'].map(
    (host) => [host, 'Zones such as %eth0 are not supported'] as const,
  ),
  ...[
    '10.1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '010.1.2.3',
    '10.01.2.3',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    'fb.1',
  ].map((host) => [host, 'An IPv4 address has four numbers'] as const),
  ...['*.fb1', '*', 'fb*.example.com'].map((host) => [host, 'A wildcard is not a host'] as const),
  ...['münchen.example', 'fb1．example', 'ｆｂ１', 'fb1–2', 'fb1\0'].map((host) => [host, 'ASCII'] as const),
  ...['fb1.', 'fb1.example.com.', 'fb1.:443'].map((host) => [host, 'Remove the dot at the end'] as const),
  ...['.fb1', 'fb1..example'].map((host) => [host, 'Remove the extra dot'] as const),
  ...['-fb1', 'fb1-', 'fb1.-x.example', 'a-.example'].map((host) => [host, 'start or end with a hyphen'] as const),
  ['x'.repeat(64), 'at most 63 characters'],
  ...['undefined', 'undefined:443', 'null', 'None', 'string'].map((host) => [host, 'a missing value'] as const),
  ...['$HOST', `\${HOST}`, `\${HOST}:443`, '%HOST%'].map((host) => [host, 'a variable that was not replaced'] as const),
  ...['{{ host }}', '<host>', 'fb{n}.example.com'].map((host) => [host, 'a template that was not rendered'] as const),
  ...['fb1,fb2', 'fb1;fb2'].map((host) => [host, 'Use a single host'] as const),
];

/** Arguments and environment variables cannot contain a NUL. */
const possible = (reader: string, host: string): boolean => reader === 'the secret' || !host.includes('\0');

describe('a wrong host', () => {
  it.each(WRONG)('%j gets the sentence that fits: %s', (host, sentence) => {
    expect(parseHost(host)).toBeUndefined();
    expect(hostFault(host)).toContain(sentence);
  });

  it.each(Object.entries(READERS))('gets the same sentence from %s', (reader, read) => {
    for (const [host] of WRONG) {
      if (!possible(reader, host)) continue;
      expect(() => read(host), host).toThrow(hostFault(host));
    }
  });

  it('is never quoted, whatever it is', () => {
    const word = fc.constantFrom(
      'fb1',
      'https://',
      ':',
      '443',
      '@',
      '/',
      '[',
      ']',
      '::1',
      '%',
      '*',
      '.',
      ' ',
      '-',
      'é',
      '\n',
    );
    const host = fc.oneof(
      fc.array(word, { maxLength: 6 }).map((words) => words.join('')),
      fc.string(),
      fc.webAuthority(),
    );
    fc.assert(
      fc.property(host, (text) => {
        const fault = hostFault(`zq${text}zq`);
        expect(fault === undefined).toBe(parseHost(`zq${text}zq`) !== undefined);
        expect(fault ?? '').not.toContain('zq');
      }),
      { numRuns: 2000 },
    );
  });

  it('is one that Node or a resolver could read differently', () => {
    const part = fc.oneof(fc.nat(300).map(String), fc.constantFrom('0x7f', '0177', '0', '00', 'fb1', 'x', '_'));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const text = parts.join('.');
        const url = `https://${text}/`;
        // A URL parser expands "10.1" and "0x7f.1", as resolvers do.
        const expanded = !URL.canParse(url) || new URL(url).hostname !== text;
        if (expanded) expect(parseHost(text)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a host', () => {
  it.each([
    ['fb_1', 'fb_1'],
    ['_fb1', '_fb1'],
    ['FB_1.Lab_2.Example', 'fb_1.lab_2.example'],
    ['fb1._tcp_', 'fb1._tcp_'],
  ])('may contain an underscore: %s', (text, host) => {
    expect(parseHost(text)).toEqual({ host, port: 443 });
    expect(bareHostFault(text)).toBeUndefined();
  });

  it('with an underscore can be verified by Node', () => {
    const certificate = { subjectaltname: 'DNS:fb_1.example.com, DNS:*.lab_2.example' } as PeerCertificate;
    expect(checkServerIdentity('fb_1.example.com', certificate)).toBeUndefined();
    expect(checkServerIdentity('fb_1.lab_2.example', certificate)).toBeUndefined();
    expect(checkServerIdentity('fb_2.example.com', certificate)).toBeInstanceOf(Error);
  });

  it.each(['fb1', 'FB1.example.com', '10.1.2.3', '::1', '2001:db8::1', '::ffff:10.1.2.3'])(
    'whose port has a field of its own may be %s',
    (host) => {
      expect(bareHostFault(host)).toBeUndefined();
    },
  );

  it.each([
    ['fb1:443', 'Move the port to the field "port"'],
    ['10.1.2.3:443', 'Move the port to the field "port"'],
    ['[::1]', 'Remove the brackets'],
    ['[::1]:443', 'Remove the brackets'],
    ['fe80::1%eth0', 'Zones such as %eth0 are not supported'],
    [TOKEN, 'looks like an API token'],
  ])('whose port has a field of its own is not %s', (host, sentence) => {
    expect(bareHostFault(host)).toContain(sentence);
  });

  it('whose port has a field of its own follows the same rules otherwise', () => {
    for (const [host, sentence] of WRONG) {
      if (!host.includes('::') || host.includes('[')) expect(bareHostFault(host), host).toContain(sentence);
    }
  });
});
