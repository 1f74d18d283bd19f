/** Servers whose handshake fails, each for its own reason. The error says what is wrong and what to change, and so does `npm run trust`. */
import { KeyObject, randomBytes } from 'node:crypto';
import '../../kit/reflect.ts';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apiToken, type Trust } from '../../../lib/core/model.ts';
import { login } from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { runTrust } from '../../../scripts/trust/run.ts';
import { written } from '../trust-command/written.ts';
import { failureOf } from './failures.ts';
import { arrayAt, authority, certificate, listen } from './servers.ts';

type Server = () => ReturnType<typeof createTcpServer>;
type Case = {
  readonly server: Server;
  /** The reason, and the beginning of the advice. */
  readonly says: string;
  readonly code?: 'ARRAY_UNREACHABLE';
  readonly trust?: Trust;
  readonly host?: string;
  /** What `npm run trust` says, if it differs. */
  readonly command?: string;
};

const tcp =
  (act: (socket: Socket) => void): Server =>
  () =>
    createTcpServer((socket) => act(socket.on('error', () => {})));
const says = (bytes: string | Buffer): Server => tcp((socket) => socket.write(bytes));
const answers = (bytes: string | Buffer): Server => tcp((socket) => socket.once('data', () => socket.end(bytes)));
const alert = (code: number): Server => answers(Buffer.from([0x15, 3, 3, 0, 2, 2, code]));
const tls =
  (options: TlsOptions): Server =>
  () =>
    createServer({ cert: certificate.certificate, key: certificate.key, ...options }) as never;

/** A ServerHello of TLS 1.2 or older, without extensions. */
function serverHello(minorVersion: number, cipher: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, minorVersion]),
    randomBytes(32),
    Buffer.from([0, cipher >> 8, cipher & 255, 0]),
  ]);
  return Buffer.concat([Buffer.from([0x16, 3, 3, 0, body.length + 4, 2, 0, 0, body.length]), body]);
}

const CHECK_PORT = 'Check the port. It may serve plain HTTP, SSH or another protocol.';
const CHECK_TLS = 'Check the TLS settings of the array, and of a load balancer or proxy in front of it.';
const notTls = (server: Server): Case => ({
  server,
  says: `the TLS handshake failed, because the response is not TLS (#). Nothing was sent. ${CHECK_PORT}`,
});
const failed = (server: Server, because: string, advice = CHECK_TLS): Case => ({
  server,
  says: `the TLS handshake failed, because ${because} (#). Nothing was sent. ${advice}`,
});
const unknown = (server: Server): Case => ({
  server,
  says: `the TLS handshake failed (#). Nothing was sent. ${CHECK_TLS}`,
});
const OLD_TLS = ['the server accepts neither TLS 1.2 nor TLS 1.3', 'Enable TLS 1.2 or newer on the array.'] as const;
const NOTHING_SHARED =
  'the server shares no cipher, curve or certificate type with this client, or it requires a client certificate';
const CLIENT_CERTIFICATE = [
  'the server requires a client certificate, which this client does not have',
  'Turn off client certificates (mutual TLS) for this address.',
] as const;
const HTTP1 = ['the server does not offer HTTP/1.1 (ALPN)', 'Enable HTTP/1.1 for this address.'] as const;
const cut = (server: Server): Case => ({
  server,
  code: 'ARRAY_UNREACHABLE',
  says: 'cannot be reached: the connection was cut before TLS was established; check the port, and any proxy or firewall in between (after n ms). Nothing was sent.',
});
const lax = 'DEFAULT:@SECLEVEL=0';
const clients: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: authority.certificate };

const WITHOUT_CERTIFICATE: Readonly<Record<string, Case>> = {
  'speaks plain HTTP': notTls(answers('HTTP/1.1 400 Bad Request\r\n\r\n')),
  'speaks SSH': notTls(says('SSH-2.0-OpenSSH_9.6\r\n')),
  'speaks SMTP': notTls(says('220 mail.example.com ESMTP\r\n')),
  'speaks MySQL': notTls(says(Buffer.from('4a0000000a382e302e3336', 'hex'))),
  'sends zeros': notTls(says(Buffer.alloc(64))),
  'sends random bytes': notTls(says(Buffer.concat([Buffer.from([0xff]), randomBytes(63)]))),
  'sends an endless record': notTls(says(Buffer.from('160303ffff00000000', 'hex'))),
  'sends back what it receives': failed(
    tcp((socket) => socket.pipe(socket)),
    'the response is not a TLS handshake',
    CHECK_PORT,
  ),
  'supports only TLS 1.0 and 1.1': failed(
    tls({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: lax }),
    ...OLD_TLS,
  ),
  'chooses TLS 1.0': failed(answers(serverHello(1, 0xc014)), ...OLD_TLS),
  'chooses SSL 3': failed(answers(serverHello(0, 0xc014)), ...OLD_TLS),
  'has no secure renegotiation': failed(
    answers(serverHello(3, 0xc02f)),
    'the server does not support secure renegotiation (RFC 5746)',
    `Update its software. ${CHECK_TLS}`,
  ),
  'chooses a cipher that was not offered': unknown(answers(serverHello(3, 0x000a))),
  'has no cipher in common': failed(tls({ maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' }), NOTHING_SHARED),
  'has no curve in common': failed(tls({ ecdhCurve: 'secp256k1', maxVersion: 'TLSv1.2' }), NOTHING_SHARED),
  'has no certificate': failed(tls({ cert: undefined, key: undefined }), NOTHING_SHARED),
  'has no certificate for the name': failed(
    tls({ cert: undefined, key: undefined, SNICallback: (_, done) => done(null) }),
    NOTHING_SHARED,
  ),
  'speaks only HTTP/2': failed(tls({ ALPNProtocols: ['h2'] }), ...HTTP1),
  'requires a client certificate, in TLS 1.2': failed(tls({ ...clients, maxVersion: 'TLSv1.2' }), NOTHING_SHARED),
  'closes the connection at once': cut(tcp((socket) => socket.end())),
  'resets the connection at once': cut(tcp((socket) => socket.resetAndDestroy())),
  'closes the connection after the first message': cut(tcp((socket) => socket.once('data', () => socket.end()))),
  'closes the connection for an unknown name': cut(tls({ SNICallback: (_, done) => done(new Error('unknown')) })),
  'sends an alert that nobody knows': cut(alert(200)),
  ...Object.fromEntries(
    (
      [
        [40, NOTHING_SHARED],
        [42, ...CLIENT_CERTIFICATE],
        [43, ...CLIENT_CERTIFICATE],
        [44, ...CLIENT_CERTIFICATE],
        [45, ...CLIENT_CERTIFICATE],
        [46, ...CLIENT_CERTIFICATE],
        [48, ...CLIENT_CERTIFICATE],
        [49, 'the server denied access, perhaps because it requires a client certificate'],
        [70, ...OLD_TLS],
        [71, 'the server requires stronger ciphers than this client offers'],
        [80, 'the server reported an internal error'],
        [112, 'the server does not serve this host name (SNI)', 'Correct "host" in the array\'s secret.'],
        [116, ...CLIENT_CERTIFICATE],
        [120, ...HTTP1],
      ] as [number, string, string?][]
    ).map(([code, because, advice]) => [`sends alert ${code}`, failed(alert(code), because, advice)]),
  ),
  ...Object.fromEntries(
    [10, 20, 22, 47, 50, 51, 60, 86, 90, 109, 110, 113, 115].map((code) => [
      `sends alert ${code}`,
      unknown(alert(code)),
    ]),
  ),
};

/** Runs `npm run trust`. Returns everything that it prints. */
async function command(port: number, host = 'localhost'): Promise<string> {
  const [output, errors] = [written(), written()];
  await runTrust([`${host}:${port}`], { output, errors });
  return output.text() + errors.text();
}

describe('a server that presents no certificate gets no advice about certificates if it', () => {
  test.for(Object.entries(WITHOUT_CERTIFICATE))('%s', async ([_, { server, code = 'ARRAY_UNTRUSTED', says }]) => {
    onTestFinished(closeConnections);
    const { port } = await listen(server());
    const error = await failureOf(login(arrayAt({ port }, { host: 'localhost' }), apiToken('T-secret')));
    expect(error).toMatchObject({ code, facts: { sent: false, mayHaveOpened: false } });
    const separator = code === 'ARRAY_UNTRUSTED' ? ':' : '';
    const message = error.message
      .replace(/\(after \d+ ms\)/, '(after n ms)')
      .replace(/ Addresses: .*\.(?= Nothing)/, '');
    expect(message.replace(/\((ERR_[A-Z0-9_/]+)\)/, '(#)')).toBe(`array fb1 (localhost:${port})${separator} ${says}`);
    expect(message).not.toMatch(/"trust"|unknown/);
  });

  test.for(Object.entries(WITHOUT_CERTIFICATE))('%s, in npm run trust', async ([_, { server, code, says }]) => {
    const { port } = await listen(server());
    const text = await command(port);
    if (code === 'ARRAY_UNREACHABLE')
      expect(text).toContain(`localhost:${port} cannot be reached: the connection was cut`);
    else {
      const wanted = `localhost:${port} cannot be used: ${says.replace('Nothing was sent. ', '')}\n`;
      expect(text.replace(/\((ERR_[A-Z0-9_/]+)\)/, '(#)')).toBe(wanted);
    }
  });
});

const EC = { name: 'ECDSA', namedCurve: 'P-256' };
const SHORT_RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 1024,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);

type Issued = { readonly pem: string; readonly keys: CryptoKeyPair; readonly subject: string };
type Making = {
  readonly hash?: string;
  readonly key?: object;
  readonly extensions?: Extension[];
  readonly notAfter?: Date;
};

const AUTHORITY = new BasicConstraintsExtension(true, undefined, true);
const NAMES = new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]);

/** Issues a certificate. An authority issues its own if `issuer` is undefined. */
async function make(
  name: string,
  issuer?: Issued,
  { hash = 'SHA-256', key = EC, extensions = [NAMES], notAfter = inDays(9) }: Making = {},
): Promise<Issued> {
  const keys = (await crypto.subtle.generateKey(key as EcKeyGenParams, true, ['sign', 'verify'])) as CryptoKeyPair;
  const subject = `CN=${name}`;
  const signer = issuer?.keys ?? keys;
  const made = await X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString('hex').replace(/^./, '1'),
    subject,
    issuer: issuer?.subject ?? subject,
    notBefore: inDays(-9),
    notAfter,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: { ...signer.privateKey.algorithm, hash },
    extensions,
  });
  return { pem: made.toString('pem'), keys, subject };
}

const root = await make('Root', undefined, { extensions: [AUTHORITY] });
const between = await make('Between', root, { extensions: [AUTHORITY] });
const under = async (issuer: Issued, making: Making = {}) => [await make('localhost', issuer, making), issuer];
/** An authority under the root that may not do something. */
const limited = (...extensions: Extension[]) => make('Limited', root, { extensions });
/** DER of name constraints that permit only example.com. */
const CONSTRAINTS = Buffer.from('3011a00f300d820b6578616d706c652e636f6d', 'hex');

const server = (chain: readonly Issued[]): Server => {
  const [own] = chain;
  const key = KeyObject.from((own as Issued).keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return tls({ cert: chain.map(({ pem }) => pem).join('\n'), key, ciphers: lax });
};
const ca = (...trusted: readonly Issued[]): Trust => ({ kind: 'ca', ca: trusted.map(({ pem }) => pem).join('\n') });
const UPDATE =
  'If the certificate was replaced on purpose, update "trust" in the array\'s secret. Otherwise, find out which server is at this address.';
const REPLACE = "Replace the array's certificate.";
const OTHER = 'its certificate was not issued by a trusted CA';
const NAME = 'Use a name from the certificate as "host" in the array\'s secret, or replace the certificate.';

/** The chain that the server presents, the trust, why it is refused, the advice, and the host. */
const CERTIFICATES: Readonly<Record<string, readonly [readonly Issued[], Trust, string, string, string?]>> = {
  'is signed with SHA-1': [
    await under(root, { hash: 'SHA-1' }),
    ca(root),
    'a signature in its certificate chain is too weak, such as SHA-1 (CA signature digest algorithm too weak)',
    REPLACE,
  ],
  'has an authority that is signed with SHA-1': [
    await under(await make('Old', root, { hash: 'SHA-1', extensions: [AUTHORITY] })),
    ca(root),
    'a signature in its certificate chain is too weak, such as SHA-1 (CA signature digest algorithm too weak)',
    REPLACE,
  ],
  'has a short RSA key': [
    await under(root, { key: SHORT_RSA }),
    ca(root),
    "its certificate's key is too weak, such as RSA with fewer than 2048 bits (EE certificate key too weak)",
    REPLACE,
  ],
  'has an authority with a short RSA key': [
    await under(await make('Weak', root, { key: SHORT_RSA, extensions: [AUTHORITY] })),
    ca(root),
    'the key of a CA in its chain is too weak (CA certificate key too weak)',
    REPLACE,
  ],
  'lacks its intermediate certificate': [
    (await under(between)).slice(0, 1),
    ca(root),
    `${OTHER}, or the server does not send an intermediate certificate (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
    `${UPDATE} Intermediate certificates belong on the array or in trust.ca.`,
  ],
  'has an unknown root': [
    await under(between),
    ca(await make('Other', undefined, { extensions: [AUTHORITY] })),
    `${OTHER}, or the chain is incomplete (UNABLE_TO_GET_ISSUER_CERT_LOCALLY)`,
    UPDATE,
  ],
  'sends an unknown root': [
    [...(await under(between)), root],
    ca(await make('Other', undefined, { extensions: [AUTHORITY] })),
    `${OTHER} (SELF_SIGNED_CERT_IN_CHAIN)`,
    UPDATE,
  ],
  'has a root that is missing in trust.ca, next to another': [
    await under(between),
    ca(between, await make('Other', undefined, { extensions: [AUTHORITY] })),
    'trust.ca has an intermediate CA, but not its root (UNABLE_TO_GET_ISSUER_CERT)',
    'Add the root certificate to trust.ca.',
  ],
  'is issued by itself': [
    [await make('localhost')],
    ca(root),
    'its certificate is self-signed, not issued by a trusted CA (DEPTH_ZERO_SELF_SIGNED_CERT)',
    UPDATE,
  ],
  'has expired': [
    await under(root, { notAfter: inDays(-1) }),
    ca(root),
    "its certificate, or an issuer's, has expired (CERT_HAS_EXPIRED)",
    `Renew it. ${UPDATE}`,
  ],
  'has another name': [
    await under(root, { extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'other' }])] }),
    ca(root),
    'its certificate is for a different name (ERR_TLS_CERT_ALTNAME_INVALID)',
    `${NAME} ${UPDATE}`,
  ],
  'has a name, but is used with an address': [
    await under(root),
    ca(root),
    'its certificate is for a different name (ERR_TLS_CERT_ALTNAME_INVALID)',
    `${NAME} ${UPDATE}`,
    '127.0.0.1',
  ],
  'is meant for clients': [
    await under(root, { extensions: [NAMES, new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])] }),
    ca(root),
    "its certificate is not meant for servers, or an issuer's is not meant for CAs (INVALID_PURPOSE)",
    REPLACE,
  ],
  'is issued by a server': [
    await under(await limited(new BasicConstraintsExtension(false, undefined, true))),
    ca(root),
    "its certificate is not meant for servers, or an issuer's is not meant for CAs (INVALID_PURPOSE)",
    REPLACE,
  ],
  'is issued by an authority that may not sign': [
    await under(await limited(AUTHORITY, new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true))),
    ca(root),
    'a CA in its chain is not allowed to sign certificates (key usage does not include certificate signing)',
    REPLACE,
  ],
  'is issued for a name that its authority may not certify': [
    await under(await limited(AUTHORITY, new Extension('2.5.29.30', true, CONSTRAINTS))),
    ca(root),
    'a CA in its chain is not allowed to issue certificates for its name (name constraints) (permitted subtree violation)',
    REPLACE,
  ],
  'has too long a chain': await (async () => {
    const short = await limited(new BasicConstraintsExtension(true, 0, true));
    const more = await make('More', short, { extensions: [AUTHORITY] });
    const chain = [...(await under(more)), short];
    return [
      chain,
      ca(root),
      'a CA in its chain is not allowed to certify other CAs (path length) (PATH_LENGTH_EXCEEDED)',
      REPLACE,
    ] as const;
  })(),
  'has an unknown critical extension': [
    await under(root, { extensions: [NAMES, new Extension('1.2.3.4', true, Buffer.from('0500', 'hex'))] }),
    ca(root),
    'its chain has a critical extension that this client does not support (unhandled critical extension)',
    REPLACE,
  ],
};

describe('a certificate is refused with its own reason if it', () => {
  test.for(Object.entries(CERTIFICATES))('%s', async ([_, [chain, trust, why, advice, host = 'localhost']]) => {
    onTestFinished(closeConnections);
    const { port } = await listen(server(chain)());
    const error = await failureOf(login(arrayAt({ port }, { host, trust }), apiToken('T-secret')));
    expect(error).toMatchObject({ code: 'ARRAY_UNTRUSTED', facts: { sent: false, mayHaveOpened: false } });
    expect(error.message.replace(/ It presented a certificate for .* fingerprint [0-9A-F:]+\./, '')).toBe(
      `array fb1 (${host}:${port}) is not trusted: ${why}. Nothing was sent. ${advice}`,
    );
  });
});

test('npm run trust says why public authorities do not accept a certificate', async () => {
  const { port } = await listen(server([await make('localhost')])());
  expect(await command(port)).toContain(
    'The certificate is not publicly trusted for this name: its certificate is self-signed, not issued by a trusted CA (DEPTH_ZERO_SELF_SIGNED_CERT).',
  );
});
