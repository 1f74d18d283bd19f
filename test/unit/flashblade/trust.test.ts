import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { connect, type TlsOptions } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { apiToken, type FlashBlade, type Trust } from '../../../lib/core/model.ts';
import { login } from '../../../lib/flashblade/client.ts';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { createAuthority, type IssuedCertificate, selfSigned } from '../../../simulator/certificates.ts';
import { failureOf } from './failures.ts';
import { arrayAt, authority, certificate, listen, reply, startServer, type TestServer, trust } from './servers.ts';
import { simulated } from './simulated.ts';

/** Servers that are not the array: what each presents, what the array's secret trusts, and what the error must say. */
type TrustCase = {
  readonly presents: IssuedCertificate;
  readonly trust: Trust;
  readonly says: string | RegExp;
  /** Default `localhost`. */
  readonly host?: string;
  /** Default ARRAY_UNTRUSTED. */
  readonly code?: 'ARRAY_UNREACHABLE';
  readonly tls?: TlsOptions;
  /** The server's side of the handshake breaks off after this many bytes. */
  readonly cutAfter?: number;
  /** A good request at the same address comes first: under which trust, and the certificate that is swapped after it. */
  readonly first?: { readonly trust: Trust; readonly presents?: IssuedCertificate; readonly keepsTicketKeys?: true };
};

const DAY_MS = 86_400_000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);
const pins = (...fingerprints: string[]): Trust => ({ kind: 'fingerprints', fingerprints });
const under = ({ certificate: ca }: { readonly certificate: string }): Trust => ({ kind: 'ca', ca });
const pinOf = (pem: string): string => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();

const self = await selfSigned();
const stranger = await createAuthority({ name: 'Another Authority' });
const strangers = await stranger.issue();
const expired = await authority.issue({ notBefore: ago(20), notAfter: ago(10) });
const future = await authority.issue({ notBefore: ago(-10), notAfter: ago(-20) });
const expiredSelf = await selfSigned({ notBefore: ago(20), notAfter: ago(10) });
const old = await createAuthority({ name: 'Old Authority', notBefore: ago(20), notAfter: ago(10) });
const weak = await selfSigned({ keyKind: 'rsa1024' });
const weakAuthority = await createAuthority({ keyKind: 'rsa1024' });
const followedBy = (leaf: IssuedCertificate, pem: string): IssuedCertificate => ({
  ...leaf,
  certificate: `${leaf.certificate}\n${pem}`,
});
const withAuthority = followedBy(certificate, authority.certificate);
const forged = followedBy(self, certificate.certificate);

const publicOnes: Trust = { kind: 'public' };
const pin = pins(certificate.fingerprint);
const NONE = "certificate's fingerprint is not in trust.fingerprints";
const OTHER_AUTHORITY = 'its certificate was not issued by a trusted CA';
const WEAK = /too weak|KEY_TOO_SMALL|UNSPECIFIED/;
const lax: TlsOptions = { ciphers: 'DEFAULT:@SECLEVEL=0' };
const tls11: TlsOptions = { ...lax, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' };
const bad = (
  presents: IssuedCertificate,
  wanted: Trust,
  says: TrustCase['says'],
  more: Partial<TrustCase> = {},
): TrustCase => ({ presents, trust: wanted, says, ...more });
const cut = (cutAfter: number, wanted: Trust) =>
  bad(certificate, wanted, 'connection', { code: 'ARRAY_UNREACHABLE', cutAfter });
const address = { host: '127.0.0.1' };
const swapped = (from: Trust, more: { keepsTicketKeys?: true } = {}) => ({
  first: { trust: from, presents: certificate, ...more },
});

/** Keys: what the server's certificate, or its handshake, is. */
const TRUST_CASES: Readonly<Record<string, TrustCase>> = {
  'self-signed, without a fingerprint': bad(self, publicOnes, 'certificate is self-signed'),
  'self-signed, with an authority': bad(self, trust, 'certificate is self-signed'),
  'self-signed, with the certificate of another that has its name': bad(self, under(await selfSigned()), 'self-signed'),
  'for another name': bad(
    await authority.issue({ names: ['other.example.com'] }),
    trust,
    'certificate is for a different name',
  ),
  'for a name, at an address': bad(await authority.issue({ addresses: [] }), trust, 'a different name', address),
  'for an address, at a name': bad(
    await authority.issue({ names: [], addresses: ['127.0.0.1'] }),
    trust,
    'a different name',
  ),
  'for an address that is written as a name': bad(
    await authority.issue({ names: ['127.0.0.1'], addresses: [] }),
    trust,
    'a different name',
    address,
  ),
  'for another address': bad(await authority.issue({ addresses: ['127.0.0.2'] }), trust, 'a different name', address),
  expired: bad(expired, trust, 'has expired (CERT_HAS_EXPIRED)'),
  'not valid yet': bad(future, trust, 'is not valid yet (CERT_NOT_YET_VALID)'),
  'of an authority that has expired': bad(await old.issue(), under(old), "or an issuer's, has expired"),
  'of another authority': bad(strangers, trust, OTHER_AUTHORITY),
  'of a private authority, with public ones': bad(certificate, publicOnes, OTHER_AUTHORITY),
  'of a private authority that it sends along, with public ones': bad(withAuthority, publicOnes, OTHER_AUTHORITY),
  'meant for clients': bad(await authority.issue({ usage: 'client' }), trust, 'not meant for servers, or'),
  'meant for signing others': bad(await authority.issue({ usage: 'authority' }), trust, 'not meant for servers, or'),
  'of a weak key': bad(await authority.issue({ keyKind: 'rsa1024' }), trust, WEAK, { tls: lax }),
  'of a weak key that is trusted itself': bad(weak, under(weak), WEAK, { tls: lax }),
  'of a weak key, with its fingerprint': bad(weak, pins(weak.fingerprint), WEAK, { tls: lax }),
  'of an authority with a weak key': bad(await weakAuthority.issue(), under(weakAuthority), WEAK, { tls: lax }),
  'shown in TLS 1.1': bad(certificate, trust, 'the TLS handshake failed', { tls: tls11 }),
  'shown in TLS 1.1, with its fingerprint': bad(certificate, pin, 'the TLS handshake failed', { tls: tls11 }),
  'of another fingerprint': bad(self, pins('0'.repeat(64)), NONE),
  'without a fingerprint to compare': bad(self, pins(), NONE),
  'of a fingerprint that is malformed': bad(self, pins('', self.fingerprint.slice(2), `${self.fingerprint} `), NONE),
  'of the same authority, with the fingerprint of another': bad(await authority.issue(), pin, NONE),
  "of an authority whose fingerprint is given in the place of the array's": bad(
    withAuthority,
    pins(pinOf(authority.certificate)),
    'belongs in trust.ca',
  ),
  "another, followed by the array's own": bad(forged, pin, NONE),
  'expired, with the right fingerprint': bad(expired, pins(expired.fingerprint), 'its certificate has expired'),
  'self-signed and expired, with the right fingerprint': bad(
    expiredSelf,
    pins(expiredSelf.fingerprint),
    'its certificate has expired',
  ),
  'not valid yet, with the right fingerprint': bad(
    future,
    pins(future.fingerprint),
    'its certificate is not valid yet',
  ),
  'swapped after a first request': bad(strangers, trust, OTHER_AUTHORITY, swapped(trust)),
  'swapped after a first request, with a fingerprint': bad(strangers, pin, NONE, swapped(pin)),
  'swapped, with a fingerprint and the keys to resume a session': bad(
    strangers,
    pin,
    NONE,
    swapped(pin, { keepsTicketKeys: true }),
  ),
  'that of another array at the same address': bad(certificate, under(stranger), OTHER_AUTHORITY, { first: { trust } }),
  'that of another array at the same address, by fingerprints': bad(certificate, pins(self.fingerprint), NONE, {
    first: { trust: pin },
  }),
  'good, in a handshake that breaks off at once': cut(0, trust),
  'good, in a handshake that breaks off in its first message': cut(40, trust),
  'good, in a handshake that breaks off in the certificate': cut(500, trust),
  'good, in a handshake that breaks off in the certificate, with its fingerprint': cut(500, pin),
};

const GET = { method: 'GET', path: '/api/api_version' };

/** The server of a case, at the point where it must be refused; `port` is the one to call. */
async function serverOf({ presents, tls, cutAfter, first }: TrustCase): Promise<{ server: TestServer; port: number }> {
  const ticketKeys = randomBytes(48);
  const server = await startServer(reply(200), first?.presents ?? presents, { ticketKeys, ...tls });
  if (first) {
    await exchange(arrayAt(server, { trust: first.trust }), GET);
    // The idle connection leads to the array. A request to the same address under another trust must not use it.
    if (first.presents) closeConnections();
    if (first.presents) server.present(presents, first.keepsTicketKeys ? ticketKeys : randomBytes(48));
  }
  const { port } = cutAfter === undefined ? server : await relay(server.port, cutAfter);
  return { server, port };
}

/** Forwards this many bytes from a server, then breaks off. */
function relay(port: number, cutAfter: number): Promise<{ port: number }> {
  const server = createTcpServer((client) => {
    const upstream = connectTcp(port, '127.0.0.1');
    let left = cutAfter;
    const end = () => {
      upstream.destroy();
      client.destroy();
    };
    upstream.on('data', (chunk) => {
      client.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) client.end(end);
    });
    for (const socket of [upstream, client]) socket.on('error', end).on('close', end);
    client.pipe(upstream);
  });
  return listen(server);
}

/** Sends a token to any server. */
async function trusting(port: number): Promise<void> {
  const lax = { minVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0', rejectUnauthorized: false } as const;
  const socket = connect({ port, host: '127.0.0.1', ...lax });
  await once(socket, 'secureConnect');
  socket.end('T-secret');
  socket.resume();
  await once(socket, 'close');
}

async function refusal(array: FlashBlade, server: TestServer, code = 'ARRAY_UNTRUSTED'): Promise<string> {
  onTestFinished(closeConnections);
  const before = server.received();
  const error = await failureOf(login(array, apiToken('T-secret')));
  closeConnections();
  await server.quiet();
  expect(error).toMatchObject({ code, facts: { sent: false, mayHaveOpened: false } });
  expect(server.received()).toBe(before);
  return error.message;
}

describe('a server receives no byte if its certificate is', () => {
  test.for(Object.entries(TRUST_CASES))('%s', async ([_, wrong]) => {
    onTestFinished(closeConnections);
    const { server, port } = await serverOf(wrong);
    const { host = 'localhost', code, says } = wrong;
    const message = await refusal(arrayAt({ port }, { host, trust: wrong.trust }), server, code);
    expect(message).toContain(`array fb1 (${host}:${port})`);
    expect(message).toMatch(says);
    const isShown = /handshake failed|cannot be reached|KEY_TOO_SMALL|UNSPECIFIED/.test(message) === false;
    if (isShown) expect(message.replaceAll(':', '').toLowerCase()).toContain(wrong.presents.fingerprint);
  });

  test.for(Object.entries(TRUST_CASES))(
    '%s (control: it receives the bytes of a client that trusts every server)',
    async ([_, wrong]) => {
      onTestFinished(closeConnections);
      const { cutAfter: _never, ...whole } = wrong;
      const { server, port } = await serverOf(whole);
      const before = server.received();
      await trusting(port);
      expect(server.received()).toBe(before + 'T-secret'.length);
    },
  );
});

test('a server that does not speak TLS receives nothing that it could read', async () => {
  const seen: Buffer[] = [];
  const server = createTcpServer((socket) => {
    socket.on('data', (chunk) => seen.push(chunk));
    socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  const error = await failureOf(login(arrayAt(await listen(server)), apiToken('T-secret')));
  expect(error).toMatchObject({ code: 'ARRAY_UNTRUSTED', facts: { sent: false } });
  expect(Buffer.concat(seen).toString('latin1')).not.toContain('T-secret');
});

test('a request to an untrusted server is not retried, even if it is repeatable', async () => {
  const { simulator, array } = await simulated();
  const distrusting = { ...array, trust: pins('0'.repeat(64)) };
  await failureOf(exchange(distrusting, { method: 'GET', path: '/api/api_version' }, {}, { repeatable: true }));
  expect(simulator.counters.connections).toBe(1);
});

test('the error says which check failed and which certificate was presented', async () => {
  const anotherOne = await authority.issue();
  const server = await startServer(reply(200), anotherOne);
  const message = await refusal(arrayAt(server, { trust: pins(certificate.fingerprint) }), server);
  expect(message).toContain(`array fb1 (localhost:${server.port}) is not trusted: its certificate's fingerprint`);
  expect(message).toContain('certificate for DNS:localhost');
  expect(message).toContain('issued by CN=Test Authority');
});

test('the text of a certificate cannot forge a log line or make the error too long', async () => {
  const text = Buffer.from(`x\u001b[2J\r\n"level":"INFO"\u202e${'y'.repeat(2000)}`);
  const utf8String = Buffer.concat([Buffer.from([0x0c, 0x82, text.length >> 8, text.length & 0xff]), text]);
  const forger = await createAuthority({ name: `#${utf8String.toString('hex')}` });
  const server = await startServer(reply(200), await forger.issue());
  const message = await refusal(arrayAt(server), server);
  expect(message).toContain('INFO');
  expect(message).not.toMatch(/\p{C}/u);
  expect(message.length).toBeLessThan(1500);
});

test.for(['', 'not a certificate', `${authority.certificate}\n-----BEGIN CERTIFICATE-----`])(
  'a trust that cannot be used fails before any connection: %j',
  async (ca) => {
    const server = await startServer();
    const error = await failureOf(login(arrayAt(server, { trust: { kind: 'ca', ca } }), apiToken('T-secret')));
    expect(error).toMatchObject({ code: 'SECRET_INVALID', facts: { sent: false, mayHaveOpened: false } });
    expect(error.message).toMatch(/: trust\.ca (must be one or more certificates as PEM text|cannot be used)/);
    expect(server.resumed).toEqual([]);
  },
);

test('the second connection to an array under a trusted authority resumes the TLS session of the first', async () => {
  onTestFinished(closeConnections);
  const server = await startServer();
  await exchange(arrayAt(server), GET);
  closeConnections();
  await exchange(arrayAt(server), GET);
  expect(server.resumed).toEqual([false, true]);
});

test('a TLS session is not resumed once its verified certificate has expired', async () => {
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
  'the right fingerprint is accepted, alone or as the next one, and no TLS session is offered (%#)',
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

test('a key of 2048 bits is strong enough for a fingerprint', async () => {
  onTestFinished(closeConnections);
  const strong = await selfSigned({ keyKind: 'rsa2048' });
  const server = await startServer(reply(200), strong);
  const array = arrayAt(server, { trust: pins(strong.fingerprint) });
  expect((await exchange(array, GET)).status).toBe(200);
});

test('two arrays with different trust at one address never share a TLS session', async () => {
  const server = await startServer();
  await exchange(arrayAt(server), GET);
  closeConnections();
  await refusal(arrayAt(server, { name: 'fb2', trust: { kind: 'ca', ca: stranger.certificate } }), server);
  expect(server.resumed).toEqual([false]);
});

test('the certificate is compared before the first byte can leave', async () => {
  const server = await startServer(reply(200), await authority.issue());
  const array = arrayAt(server, { trust: pins(certificate.fingerprint) });
  await Promise.all(Array.from({ length: 5 }, () => failureOf(login(array, apiToken('T-secret')))));
  await server.quiet();
  expect(server.received()).toBe(0);
});

test.for([
  ['localhost', 'localhost'],
  ['127.0.0.1', undefined],
] satisfies [string, string | undefined][])(
  'the TLS server name is the name of the array, and absent for an IP address: %s',
  async ([host, name]) => {
    const { simulator, array } = await simulated();
    await exchange({ ...array, host }, GET);
    expect(simulator.requests.map(({ serverName }) => serverName)).toEqual([name]);
  },
);
