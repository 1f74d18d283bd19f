import { randomBytes, X509Certificate } from 'node:crypto';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { closeConnections, exchange } from '../../lib/edges/flashblade/transport.ts';
import { login } from '../../lib/edges/flashblade.ts';
import { apiToken, type FlashBlade, type Trust } from '../../lib/ground/model.ts';
import { createAuthority, type IssuedCertificate, selfSigned } from '../certificates.ts';
import { failureOf } from './failures.ts';
import { arrayAt, authority, certificate, listen, reply, startServer, type TestServer, trust } from './servers.ts';
import { simulated } from './simulated.ts';

const DAY_MS = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY_MS);
const GET = { method: 'GET', path: '/api/api_version' };
const pins = (...fingerprints: string[]): Trust => ({ kind: 'fingerprints', fingerprints });

const stranger = await createAuthority({ name: 'Another Authority' });
const anotherOne = await authority.issue();
const self = await selfSigned();
const expired = await authority.issue({ notBefore: ago(20), notAfter: ago(10) });
const future = await authority.issue({ notBefore: ago(-10), notAfter: ago(-20) });
const weak = await selfSigned({ keyKind: 'rsa1024' });

async function refusal(array: FlashBlade, server: TestServer): Promise<string> {
  onTestFinished(closeConnections);
  const before = server.received();
  const error = await failureOf(login(array, apiToken('T-secret')));
  await server.quiet();
  expect(error).toMatchObject({ code: 'ARRAY_UNTRUSTED', facts: { sent: false, mayHaveOpened: false } });
  expect(server.received()).toBe(before);
  return error.message;
}

const refusals: [string, IssuedCertificate, Trust, string][] = [
  ['self-signed, with an authority', self, trust, 'self-signed'],
  ['self-signed, with public authorities', self, { kind: 'public' }, 'self-signed'],
  ['for another name', await authority.issue({ names: ['other.example.com'] }), trust, 'other names'],
  ['expired', expired, trust, 'has expired'],
  ['not valid yet', future, trust, 'not valid yet'],
  ['of another authority', await stranger.issue(), trust, 'not one that is trusted'],
  ['of a private authority, with public ones', certificate, { kind: 'public' }, 'not one that is trusted'],
  ['meant for clients', await authority.issue({ usage: 'client' }), trust, 'INVALID_PURPOSE'],
  ['with another fingerprint', self, pins('0'.repeat(64)), 'none of those'],
  ['with no fingerprint to compare', self, pins(), 'none of those'],
  ['expired, with the right fingerprint', expired, pins(expired.fingerprint), 'has expired'],
  ['not valid yet, with the right fingerprint', future, pins(future.fingerprint), 'not valid yet'],
  [
    'of the same authority, with the fingerprint of another',
    anotherOne,
    pins(certificate.fingerprint),
    'none of those',
  ],
];

describe('not one byte reaches a server whose certificate is', () => {
  test.for(refusals)('%s', async ([_, presented, wanted, check]) => {
    const server = await startServer(reply(200), presented);
    expect(await refusal(arrayAt(server, { trust: wanted }), server)).toContain(check);
  });
});

test("the fingerprint of an authority does not stand for its servers' certificates", async () => {
  const own = new X509Certificate(authority.certificate).fingerprint256.replaceAll(':', '').toLowerCase();
  const chain = { ...certificate, certificate: `${certificate.certificate}\n${authority.certificate}` };
  const server = await startServer(reply(200), chain);
  expect(await refusal(arrayAt(server, { trust: pins(own) }), server)).toContain('belongs into trust.ca');
});

test.for([
  ['an authority', { kind: 'ca', ca: weak.certificate }],
  ['its fingerprint', pins(weak.fingerprint)],
] satisfies [string, Trust][])('a weak key is refused with %s', async ([_, wanted]) => {
  const server = await startServer(reply(200), weak, { ciphers: 'DEFAULT:@SECLEVEL=0' });
  expect(await refusal(arrayAt(server, { trust: wanted }), server)).toMatch(/too weak|UNSPECIFIED|KEY_TOO_SMALL/);
});

test.for([trust, pins(certificate.fingerprint)])('TLS 1.1 is refused, trust %#', async (wanted) => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  const server = await startServer(reply(200), certificate, old);
  expect(await refusal(arrayAt(server, { trust: wanted }), server)).toContain('TLS handshake failed');
});

test('a server that does not speak TLS gets nothing that it could read', async () => {
  const seen: Buffer[] = [];
  const server = createTcpServer((socket) => {
    socket.on('data', (chunk) => seen.push(chunk));
    socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  const error = await failureOf(login(arrayAt(await listen(server)), apiToken('T-secret')));
  expect(error).toMatchObject({ code: 'ARRAY_UNTRUSTED', facts: { sent: false } });
  expect(Buffer.concat(seen).toString('latin1')).not.toContain('T-secret');
});

test('the message says which check failed and what was presented', async () => {
  const server = await startServer(reply(200), anotherOne);
  const message = await refusal(arrayAt(server, { trust: pins(certificate.fingerprint) }), server);
  expect(message).toContain(`array fb1 (localhost:${server.port}) is not trusted: the fingerprint`);
  expect(message).toContain('certificate for DNS:localhost');
  expect(message).toContain('issued by CN=Test Authority');
  expect(message.replaceAll(':', '').toLowerCase()).toContain(anotherOne.fingerprint);
});

test('a refusal by Node tells what was presented, too', async () => {
  const server = await startServer(reply(200), expired);
  const message = await refusal(arrayAt(server), server);
  expect(message.replaceAll(':', '').toLowerCase()).toContain(expired.fingerprint);
});

test.for(['', 'not a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
  'a trust that cannot be used refuses before anybody is called: %j',
  async (ca) => {
    const server = await startServer();
    const error = await failureOf(login(arrayAt(server, { trust: { kind: 'ca', ca } }), apiToken('T-secret')));
    expect(error).toMatchObject({ code: 'SECRET_INVALID', facts: { sent: false, mayHaveOpened: false } });
    expect(server.resumed).toEqual([]);
  },
);

test('the second connection to an array of a trusted authority resumes the TLS session of the first', async () => {
  onTestFinished(closeConnections);
  const server = await startServer();
  await exchange(arrayAt(server), GET);
  closeConnections();
  await exchange(arrayAt(server), GET);
  expect(server.resumed).toEqual([false, true]);
});

test('a TLS session is not resumed when the certificate has ended that was verified for it', async () => {
  onTestFinished(() => void vi.useRealTimers());
  onTestFinished(closeConnections);
  const server = await startServer(reply(200), await authority.issue({ notAfter: ago(-1) }));
  await exchange(arrayAt(server), GET);
  closeConnections();
  vi.useFakeTimers({ toFake: ['Date'], now: ago(-1) });
  // OpenSSL has a clock of its own, by which the certificate is good for a day.
  await exchange(arrayAt(server), GET);
  expect(server.resumed).toEqual([false, false]);
});

test.for(['localhost', '127.0.0.1'])('a certificate of the authority is accepted for %s', async (host) => {
  onTestFinished(closeConnections);
  const server = await startServer();
  expect((await exchange(arrayAt(server, { host }), GET)).status).toBe(200);
});

test.for([pins(self.fingerprint), pins('0'.repeat(64), self.fingerprint)])(
  'the right fingerprint is accepted, alone or as the next one, and no session is ever offered (%#)',
  async (wanted) => {
    onTestFinished(closeConnections);
    const server = await startServer(reply(200), self);
    const array = arrayAt(server, { trust: wanted, host: '127.0.0.1' });
    await exchange(array, GET);
    closeConnections();
    await exchange(array, GET);
    expect(server.resumed).toEqual([false, false]);
  },
);

test.for([
  ['an authority, and no session to resume', trust, randomBytes(48)],
  ['a fingerprint, and no session to resume', pins(certificate.fingerprint), randomBytes(48)],
  ['a fingerprint, and the keys to resume a session', pins(certificate.fingerprint), undefined],
] satisfies [string, Trust, Buffer | undefined][])(
  'a server that is swapped between two connections is found out: %s',
  async ([_, wanted, otherKeys]) => {
    const ticketKeys = randomBytes(48);
    const server = await startServer(reply(200), certificate, { ticketKeys });
    const array = arrayAt(server, { trust: wanted });
    await exchange(array, GET);
    closeConnections();
    server.present(await stranger.issue(), otherKeys ?? ticketKeys);
    await refusal(array, server);
  },
);

test('two arrays with different trust behind one address never share connection or session', async () => {
  const server = await startServer();
  await exchange(arrayAt(server), GET);
  const other = arrayAt(server, { name: 'fb2', trust: { kind: 'ca', ca: stranger.certificate } });
  const error = await failureOf(login(other, apiToken('T-of-fb2')));
  expect(error.code).toBe('ARRAY_UNTRUSTED');
  closeConnections();
  await refusal(other, server);
  expect(server.requests).toHaveLength(1);
});

test('the certificate is compared before the first byte may leave, not after', async () => {
  const server = await startServer(reply(200), anotherOne);
  const array = arrayAt(server, { trust: pins(certificate.fingerprint) });
  await Promise.all(Array.from({ length: 5 }, () => failureOf(login(array, apiToken('T-secret')))));
  await server.quiet();
  expect(server.received()).toBe(0);
});

test.for([
  ['localhost', 'localhost'],
  ['127.0.0.1', undefined],
] satisfies [string, string | undefined][])(
  'an array is asked for by its name, and not at all by an address: %s',
  async ([host, name]) => {
    const { simulator, array } = await simulated();
    await exchange({ ...array, host }, GET);
    expect(simulator.requests.map(({ serverName }) => serverName)).toEqual([name]);
  },
);
