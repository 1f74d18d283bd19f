/** The messages for a connection that could not be made. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { codeOf, connectionError, describeArray, unreachable, untrusted } from '../../../lib/flashblade/tls-errors.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import { arrayAt, certificate } from './servers.ts';

const array = arrayAt({ port: 443 }, { host: 'fb1.example.com' });
const failed = (code: string): Error => Object.assign(new Error('T-secret'), { code });
const presented = new X509Certificate(certificate.certificate).raw;

describe('an array that cannot be reached', () => {
  it.each([
    ['EAI_AGAIN', 'the name server does not respond; check DNS'],
    ['ECONNREFUSED', 'it refuses connections on this port; check that the management service is up'],
    ['ECONNRESET', 'the connection was cut before TLS was established'],
    ['EHOSTUNREACH', "there is no route to it; check the function's network"],
    ['ENETUNREACH', "there is no route to it; check the function's network"],
    ['ENOTFOUND', 'its host name is unknown; check DNS and "host" in its secret'],
    ['ENOBUFS', 'ENOBUFS'],
    ['EAI_FAIL', 'EAI_FAIL'],
  ])('is reported with the reason (%s) and with the fact that nothing was sent', (code, why) => {
    expect(connectionError(array, failed(code), 12.4)).toMatchObject({
      code: 'ARRAY_UNREACHABLE',
      message: `array fb1 (fb1.example.com:443) cannot be reached: ${why} (after 12 ms). Nothing was sent.`,
      facts: { sent: false },
    });
  });
});

describe('an array that is not trusted', () => {
  const authority = 'its certificate was not issued by a trusted authority';

  it.each([
    ['CERT_HAS_EXPIRED', "its certificate, or an issuer's, has expired"],
    ['CERT_NOT_YET_VALID', "its certificate, or an issuer's, is not valid yet"],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is self-signed, not issued by a trusted authority'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for a different name'],
    ['INVALID_PURPOSE', 'its certificate is not meant for servers'],
    ['SELF_SIGNED_CERT_IN_CHAIN', authority],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', authority],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', authority],
    ['CERT_UNTRUSTED', 'its certificate was not accepted'],
    ['EE_KEY_TOO_SMALL', 'its certificate was not accepted'],
  ])('is reported with the reason (%s) and with its certificate', (code, why) => {
    const { message, ...error } = connectionError(array, failed(code), 1, presented);
    expect(error).toMatchObject({ code: 'ARRAY_UNTRUSTED', facts: { sent: false } });
    expect(message).toContain(`array fb1 (fb1.example.com:443) is not trusted: ${why} (${code}). It presented a `);
    expect(message).toContain(
      `SHA-256 fingerprint ${new X509Certificate(presented).fingerprint256}. Nothing was sent.`,
    );
    expect(message).toContain(
      'If the certificate was replaced on purpose, update "trust" in the array\'s secret. Otherwise, find out which server',
    );
  });

  it.each(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER'])(
    'is reported as a failed handshake if it does not support the required TLS (%s)',
    (code) => {
      const { message } = connectionError(array, failed(code), 1);
      expect(message).toContain(`is not trusted: the TLS handshake failed (${code}). Nothing was sent.`);
    },
  );

  it('is reported with names, issuer and dates of its certificate, or with the subject if it has no names', async () => {
    const { message } = untrusted(array, 'why', new X509Certificate(presented));
    expect(message).toContain('a certificate for DNS:localhost, IP Address:127.0.0.1');
    expect(message).toMatch(/, issued by CN=Test Authority, valid from \w{3} .* GMT to \w{3} .* GMT, /);
    const nameless = await (await createAuthority()).issue({ names: [], addresses: [] });
    expect(untrusted(array, 'why', new X509Certificate(nameless.certificate)).message).toContain(
      'a certificate for CN=localhost, issued by',
    );
  });

  it('is reported with at most 200 characters of a name and without control characters', async () => {
    const authority = await createAuthority({ name: `evil\\0A\\0ATrust me ${'x'.repeat(300)}` });
    const issued = new X509Certificate((await authority.issue()).certificate);
    const { message } = untrusted(array, 'why', issued);
    const shown = /issued by (.*), valid from/.exec(message)?.[1] ?? '';
    expect(shown).toHaveLength(200);
    expect(message).not.toMatch(/\p{C}/u);
  });
});

describe('the code of an error that a library threw', () => {
  it('is returned if it looks like a code', () => {
    expect([codeOf(failed('ECONNRESET')), codeOf(failed('A1')), codeOf(failed('HPE_INVALID'))]).toEqual([
      'ECONNRESET',
      'A1',
      'HPE_INVALID',
    ]);
  });

  it.each([
    undefined,
    'ECONNRESET',
    new Error('ECONNRESET'),
    { code: 'ECONNRESET' },
    failed(''),
    failed('E'),
    failed('eperm'),
    failed('1E'),
    failed('E PERM'),
    failed(`E${'X'.repeat(64)}`),
    Object.assign(new Error(), { code: 42 }),
  ])('is unknown otherwise (%s)', (thrown) => {
    expect(codeOf(thrown)).toBe('unknown');
  });
});

it('messages name an array with its address', () => {
  expect(describeArray({ ...array, host: '::1', port: 8443 })).toBe('array fb1 ([::1]:8443)');
  expect(unreachable(array, 'why', 0.5).message).toContain('why (after 1 ms)');
});
