/** The ways in which people join, paste, indent and comment certificates. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import { readPem } from '../../../lib/flashblade/pem.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { createAuthority, selfSigned } from '../../../simulator/certificates.ts';
import { arrayAt, reply, startServer } from './servers.ts';

const authorities = await Promise.all(['A', 'B', 'C'].map((name) => createAuthority({ name })));
const [first, second, third] = authorities.map(({ certificate }) => `${certificate.trim()}\n`) as [
  string,
  string,
  string,
];
const intermediate = await (authorities[0] as (typeof authorities)[0]).subordinate('Between');
const leaf = (await (authorities[0] as (typeof authorities)[0]).issue()).certificate;
const self = (await selfSigned()).certificate;
const all = first + second + third;
const fingerprints = [first, second, third].map((pem) => new X509Certificate(pem).fingerprint256);

const body = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
const wrapped = (pem: string, width: number): string =>
  `-----BEGIN CERTIFICATE-----\n${body(pem).replaceAll(new RegExp(`.{${width}}`, 'g'), '$&\n')}\n-----END CERTIFICATE-----\n`;
const lines = (change: (line: string) => string, breaks = '\n'): string =>
  all.trimEnd().split('\n').map(change).join(breaks);
const each = (change: (pem: string) => string): string => [first, second, third].map(change).join('');

/** Three certificates in one text. */
const ACCEPTED: Readonly<Record<string, string>> = {
  'as they come': all,
  'without a last line break': all.trimEnd(),
  'without any line break': all.replaceAll('\n', ''),
  'with spaces instead of line breaks': all.replaceAll('\n', ' '),
  'without a line break between END and BEGIN': all.replaceAll('-----\n-----', '----------'),
  'with END and BEGIN that share their dashes': all.replaceAll('-----\n-----', '-----'),
  'with Windows line breaks': all.replaceAll('\n', '\r\n'),
  'with old Mac line breaks': all.replaceAll('\n', '\r'),
  'with line breaks that are encoded twice': all.replaceAll('\n', '\\n'),
  'with Windows line breaks that are encoded twice': all.replaceAll('\n', '\\r\\n'),
  'with line breaks that are encoded three times': all.replaceAll('\n', '\\\\n'),
  'with empty lines': all.replaceAll('\n', '\n\n'),
  'with empty lines around': `\n\n${all}\n \n`,
  'with spaces before lines': lines((line) => `    ${line}`),
  'with tabs before and spaces after lines': lines((line) => `\t${line}  `),
  'with no-break spaces before lines': lines((line) => `\u00A0\u00A0${line}`),
  'on one line each': each((pem) => wrapped(pem, 100_000)),
  'with lines of 10 characters': each((pem) => wrapped(pem, 10)),
  'with lines of 76 characters': each((pem) => wrapped(pem, 76)),
  'with lines of 200 characters': each((pem) => wrapped(pem, 200)),
  'with a byte order mark': `\uFEFF${all}`,
  'with a byte order mark before each': each((pem) => `\uFEFF${pem}`),
  'with zero-width spaces': all.replaceAll('\n', '\u200B\n'),
  'in UTF-16 that was read as UTF-8': `\uFFFD\uFFFD${[...all].join('\0')}`,
  'with comments': each((pem) => `# Root CA of the company, 2024\n${pem}# end\n`),
  'with comments of other kinds': each((pem) => `// root\n; root\n${pem}`),
  'with a comment after END': each((pem) => pem.replace(/\n$/, ' # root\n')),
  'with bag attributes': each(
    (pem) =>
      `Bag Attributes\n    friendlyName: Root\n    localKeyID: 54 69 6D 65 20 31 \nsubject=C = DE, O = Example\n\nissuer=C = DE, O = Example\n\n${pem}`,
  ),
  'with bag attributes, without line breaks': each((pem) => `Bag Attributes subject=O = Example ${pem}`).replaceAll(
    '\n',
    ' ',
  ),
  'with a text dump': each(
    (pem) =>
      `Certificate:\n    Data:\n        Version: 3 (0x2)\n        Serial: 04:00:00\n        --- X.509 ---\n${pem}`,
  ),
  'with fingerprints': each(
    (pem) => `SHA256 Fingerprint=${new X509Certificate(pem).fingerprint256}\n${'5e1f'.repeat(16)}\n${pem}`,
  ),
  'with titles as in the CA bundle of curl': each((pem) => `\nGlobal Root\n===========\n${pem}`),
  'with a title between dashes': each((pem) => `--- Begin of a root ---\n${pem}--- End of a root ---\n`),
  'with YAML around': `ca: |\n${lines((line) => `  ${line}`)}\n`,
  'in quotes': `"${all}"`,
  'with commas between': `${first},${second},${third}`,
  'under the old label': all.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'),
  'with spaces inside of the dashes': all.replaceAll(/-----([A-Z ]+)-----/g, '----- $1 -----'),
  'with four dashes': all.replaceAll('-----', '----'),
  'with dashes of a word processor': all.replaceAll('-----', '–––––'),
  'with long dashes of a word processor': all.replaceAll('-----', '—————'),
  'with a line break in the BEGIN line': all.replaceAll('BEGIN ', 'BEGIN\n'),
  'in lower-case BEGIN and END lines': all.replaceAll(/-----[A-Z ]+-----/g, (line) => line.toLowerCase()),
};

/** The fault of a text with an obstacle in the second of three certificates, or with something else beside them. */
const REFUSED: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a truncated text': [first + second.slice(0, 300), /certificate 2 has no END line\. Was the text cut off\?$/],
  'a text that begins too late': [all.slice(40), /certificate 1 has no BEGIN line$/],
  'a lost BEGIN line': [first + second.replace(/.*\n/, '') + third, /certificate 2 has no BEGIN line$/],
  'a lost END line': [first + second.replace(/-----END.*\n/, '') + third, /certificate 2 has no END line/],
  'a lost BEGIN and END line': [first + body(second) + third, /certificate 2 has no BEGIN line$/],
  'a lost BEGIN and END line at the end': [`${first}${second}${body(third)}`, /certificate 3 has no BEGIN line$/],
  'a damaged dash': [first + second.replace('-----BEGIN', '--BEGIN') + third, /certificate 2 has no BEGIN line$/],
  'a missing character': [first + second.replace('MII', 'MI') + third, /certificate 2 is damaged or incomplete/],
  'a missing line': [first + second.replace(/\n.*\n(?=.*\n-)/, '\n') + third, /certificate 2 is damaged or incomplete/],
  'padding in the middle': [
    first + second.replace('\nMII', '\nMI==') + third,
    /certificate 2 is damaged or incomplete/,
  ],
  'an empty certificate': ['-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----', /certificate 1 is empty$/],
  'bytes that are no certificate': [
    `${first}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`,
    /certificate 2 is damaged/,
  ],
  'two certificates in one block': [
    wrapped(Buffer.concat([first, second].map((pem) => Buffer.from(body(pem), 'base64'))).toString('base64'), 64),
    /certificate 1 is followed by other data in the same block/,
  ],
  'a certificate that is commented out': [first + second.replaceAll(/^/gm, '# '), /certificate 2 is commented out/],
  'a certificate with comments before BEGIN and END only': [
    first + second.replaceAll('-----B', '#-----B').replaceAll('-----E', '#-----E'),
    /certificate 2 is commented out/,
  ],
  'a comment inside': [
    first + second.replace('\nMII', '\n# root\nMII'),
    /certificate 2 is commented out, or contains a comment/,
  ],
  'a comment whose line break was lost': [
    `# Root CA ${first}`,
    /certificate 1 is commented out, or contains a comment/,
  ],
  'a header inside': [
    first + second.replace('\nMII', '\nProc-Type: 4,CLEAR\n\nMII'),
    /certificate 2 contains a header/,
  ],
  'HTML entities': [
    first + second.replaceAll('+', '&#43;').replace('\nMII', '&#10;MII'),
    /certificate 2 contains HTML/,
  ],
  'HTML tags': [all.replaceAll('\n', '<br>'), /certificate 1 contains HTML/],
  'a quoted email': [all.replaceAll(/^/gm, '> '), /certificate 1 contains HTML or a quoted email/],
  'percent-encoding': [encodeURIComponent(all).replaceAll('%20', ' '), /certificate 1 is URL-encoded/],
  'JSON in JSON': [
    all.replaceAll('MII', '\\u004dII'),
    /certificate 1 contains backslashes\. Was the JSON encoded twice\?$/,
  ],
  dots: ['-----BEGIN CERTIFICATE-----\nMIID...\n-----END CERTIFICATE-----', /certificate 1 is abbreviated with dots/],
  'an ellipsis': [
    '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----',
    /certificate 1 is abbreviated with dots/,
  ],
  'another character': [first + second.replace('MII', 'M!I'), /certificate 2 contains characters that are not base64/],
  'a private key': [all + privateKey('PRIVATE KEY'), /^contains a private key\. Remove it/],
  'a private key before damaged certificates': [
    privateKey('RSA PRIVATE KEY') + all.slice(40),
    /^contains a private key\. Remove it/,
  ],
  'an encrypted private key': [all + privateKey('ENCRYPTED PRIVATE KEY'), /^contains a private key/],
  'a private key of OpenSSH': [privateKey('OPENSSH PRIVATE KEY') + all, /^contains a private key/],
  'a private key without its END line': [privateKey('EC PRIVATE KEY').slice(0, 60), /^contains a private key/],
  'a certificate request': [all + privateKey('CERTIFICATE REQUEST'), /^contains a certificate request/],
  'an old certificate request': [all + privateKey('NEW CERTIFICATE REQUEST'), /^contains a certificate request/],
  'a public key': [all + privateKey('PUBLIC KEY'), /^contains a public key/],
  'a revocation list': [all + privateKey('X509 CRL'), /^contains a revocation list/],
  'a PKCS #7 bundle': [privateKey('PKCS7'), /^contains a PKCS #7 bundle/],
  parameters: [all + privateKey('DH PARAMETERS'), /^contains a PEM block that is not a certificate/],
  'a certificate with conditions': [
    all.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'),
    /^contains a TRUSTED CERTIFICATE/,
  ],
  nothing: ['', /END CERTIFICATE\. The text is empty$/],
  'white space': [' \n', /END CERTIFICATE\. The text is empty$/],
  'other text': [
    'my authority',
    /^must be one or more certificates as PEM text, each from BEGIN CERTIFICATE to END CERTIFICATE$/,
  ],
  'base64 without BEGIN and END': [body(first), /The BEGIN and END lines are missing$/],
  'PEM in base64': [Buffer.from(all).toString('base64'), /The text is base64-encoded PEM/],
  DER: [Buffer.from(body(first), 'base64').toString(), /The text is DER/],
  'a file name': ['/etc/ssl/company-ca.pem', /The text is a file name/],
  'a fingerprint': [fingerprints[0] as string, /The text is a fingerprint\. Put it in trust\.fingerprints instead$/],
  "a server's certificate": [leaf, /^contains a server's certificate, but no CA/],
  'an intermediate authority': [intermediate.certificate, /^contains an intermediate CA, but no root/],
  "an intermediate authority and a server's certificate": [
    intermediate.certificate + leaf,
    /^contains an intermediate/,
  ],
};

function privateKey(label: string): string {
  return `-----BEGIN ${label}-----\n${'MC4CAQAwBQYDK2Vw'.repeat(8)}\n-----END ${label}-----\n`;
}

const read = (pem: string): string[] | string => {
  const { certificates, fault } = readPem(pem);
  return fault ?? certificates.map(({ fingerprint256 }) => fingerprint256);
};

describe('a PEM text contains every certificate', () => {
  it.for(Object.entries(ACCEPTED))('%s, and each authority is trusted', async ([_, text]) => {
    onTestFinished(closeConnections);
    expect(read(text)).toEqual(fingerprints);
    for (const authority of authorities) {
      const server = await startServer(reply(200), await authority.issue());
      const array = arrayAt(server, { trust: { kind: 'ca', ca: text } });
      expect(await exchange(array, { method: 'GET', path: '/api/api_version' })).toMatchObject({ status: 200 });
    }
  });

  it('even if one appears twice', () => {
    expect(read(all + first)).toEqual([...fingerprints, fingerprints[0]]);
  });

  it("even if servers' or intermediate certificates are among them", () => {
    expect(read(leaf + intermediate.certificate + first)).toHaveLength(3);
  });

  it('if a server issued its own certificate', () => {
    expect(read(self)).toEqual([new X509Certificate(self).fingerprint256]);
  });
});

describe('a PEM text is refused, with the reason and without a quotation, for', () => {
  it.each(Object.entries(REFUSED))('%s', (_, [text, fault]) => {
    const found = read(text);
    expect(found).toMatch(fault);
    expect(found).not.toMatch(/MII|MC4C|company/);
  });
});

it('a text from which characters are missing never yields fewer certificates', () => {
  let refused = 0;
  for (const length of [1, 2, 30, 64, 300]) {
    for (let at = 0; at + length < all.length; at += 5) {
      const found = read(all.slice(0, at) + all.slice(at + length));
      if (typeof found === 'string') refused += 1;
      else expect(found).toEqual(fingerprints);
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

it.each([
  ['dashes', '-'.repeat(65_536)],
  ['BEGIN lines', '-----BEGIN '.repeat(6000)],
  ['spaces after BEGIN', `-----BEGIN${' '.repeat(65_000)}`],
  ['base64', `MI${'A'.repeat(65_000)}`],
  ['comments', '#\n'.repeat(30_000)],
])('a long text of %s is judged quickly', (_, text) => {
  const startedAt = performance.now();
  expect(typeof read(text)).toBe('string');
  expect(performance.now() - startedAt).toBeLessThan(500);
});
