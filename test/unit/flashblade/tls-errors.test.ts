/** The messages for a connection that could not be made. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  connectionError,
  describeArray,
  notConnected,
  unreachable,
  untrusted,
} from '../../../lib/flashblade/tls-errors.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import { arrayAt, certificate } from './servers.ts';

const array = arrayAt({ port: 443 }, { host: 'fb1.example.com' });
const failed = (code: string): Error => Object.assign(new Error('T-secret'), { code });
const presented = new X509Certificate(certificate.certificate).raw;

describe('an array that cannot be reached', () => {
  it.each([
    ['EAI_AGAIN', 'the name server does not respond; check DNS'],
    ['ECONNREFUSED', 'it refuses connections on this port; check that the management service is up'],
    [
      'ECONNRESET',
      'the connection was cut before TLS was established; check the port, and any proxy or firewall in between',
    ],
    ['EHOSTUNREACH', 'there is no route to it; check the network'],
    ['ENETUNREACH', 'there is no route to it; check the network'],
    ['ENOTFOUND', 'its host name is unknown; check DNS and "host" in its secret'],
    ['EMFILE', 'this process has too many open files; make fewer calls at the same time'],
    ['EPERM', 'this machine does not allow the connection; check its firewall'],
    ['ETIMEDOUT', 'it does not respond; check the network and the firewalls'],
    ['ENOBUFS', 'the connection failed (ENOBUFS)'],
    ['EAI_FAIL', 'the connection failed (EAI_FAIL)'],
  ])('is reported with the reason (%s) and with the fact that nothing was sent', (code, why) => {
    expect(connectionError(array, failed(code), 12.4)).toMatchObject({
      code: 'ARRAY_UNREACHABLE',
      message: `array fb1 (fb1.example.com:443) cannot be reached: ${why} (after 12 ms). Nothing was sent.`,
      facts: { sent: false },
    });
  });
});

it('an array with several addresses is reported with what became of each of them', () => {
  const tried = '192.0.2.1 did not respond, 192.0.2.2 refused the connection';
  expect(unreachable(array, 'the connection was not established in time', 2000, tried).message).toBe(
    `array fb1 (fb1.example.com:443) cannot be reached: the connection was not established in time (after 2000 ms). Addresses: ${tried}. Nothing was sent.`,
  );
  expect(notConnected(array, undefined, 1, tried).message).toContain(
    'none of its addresses accepts a connection; check',
  );
  expect(notConnected(array, 'ECONNREFUSED', 1, tried).message).toContain('it refuses connections on this port; check');
});

describe('an array that is not trusted', () => {
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
    const codes = ['ECONNRESET', 'A1', 'HPE_INVALID', 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE'];
    expect(codes.map((code) => codeOf(failed(code)))).toEqual(codes);
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
