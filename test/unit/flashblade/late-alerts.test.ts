/**
 * In TLS 1.3, a client sends its request before the server has accepted the client's side of the handshake. If the server refuses it then,
 * the request was never read.
 */
import { once } from 'node:events';
import type { TlsOptions } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { apiToken, authToken } from '../../../lib/core/model.ts';
import { login, logout } from '../../../lib/flashblade/client.ts';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { runTrust } from '../../../scripts/trust/run.ts';
import { selfSigned } from '../../../simulator/certificates.ts';
import { written } from '../trust-command/written.ts';
import { failureOf } from './failures.ts';
import { nextConnection } from './made.ts';
import { arrayAt, authority, certificate, reply, startServer } from './servers.ts';

const GET = { method: 'GET', path: '/api/api_version' };
const clients: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: authority.certificate };

afterEach(closeConnections);

/** Node's codes for the alerts of RFC 8446 that mean that the handshake was not accepted. */
const REFUSALS = [
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_TLSV13_ALERT_MISSING_EXTENSION',
  'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
  'ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR',
  'ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY',
  'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY',
  'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
  'ERR_SSL_TLSV1_UNSUPPORTED_EXTENSION',
  ...['BAD_CERTIFICATE', 'CERTIFICATE_EXPIRED', 'CERTIFICATE_REVOKED', 'CERTIFICATE_UNKNOWN'].flatMap(bothNames),
  ...['HANDSHAKE_FAILURE', 'UNSUPPORTED_CERTIFICATE'].flatMap(bothNames),
];

/** Alerts that may follow a request that was read, and other ways in which a connection breaks. */
const OTHERS = [
  'ECONNRESET',
  'EPIPE',
  'ERR_SSL_TLSV1_ALERT_DECODE_ERROR',
  'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
  'ERR_SSL_TLSV1_ALERT_RECORD_OVERFLOW',
  'ERR_SSL_TLSV1_ALERT_USER_CANCELLED',
  'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  ...['BAD_RECORD_MAC', 'ILLEGAL_PARAMETER', 'UNEXPECTED_MESSAGE'].flatMap(bothNames),
];

/** OpenSSL renamed these alerts in version 3.2. */
function bothNames(alert: string): string[] {
  return [`ERR_SSL_SSLV3_ALERT_${alert}`, `ERR_SSL_SSL/TLS_ALERT_${alert}`];
}

/** Breaks a login's connection with this code once the request was sent, or once some of the response has arrived. */
async function broken(code: string, { options = {}, after = '' }: { options?: TlsOptions; after?: string } = {}) {
  const server = await startServer((socket) => socket.write(after), certificate, options);
  const connection = nextConnection();
  const failed = failureOf(login(arrayAt(server), apiToken('T-secret')));
  const socket = await connection;
  await (after === '' ? expect.poll(() => server.requests.length, { interval: 1 }).toBe(1) : once(socket, 'data'));
  socket.destroy(Object.assign(new Error('T-secret'), { code }));
  return failed;
}

describe('a server that requires a client certificate in TLS 1.3', () => {
  test.for([
    ['an authority', { kind: 'ca', ca: authority.certificate }],
    ['a fingerprint', { kind: 'fingerprints', fingerprints: [certificate.fingerprint] }],
  ] as const)('opens no session, which is certain, with %s', async ([_, trust]) => {
    const server = await startServer(reply(200), certificate, clients);
    const error = await failureOf(login(arrayAt(server, { trust }), apiToken('T-secret')));
    expect(error).toMatchObject({
      code: 'ARRAY_UNTRUSTED',
      retryable: false,
      facts: { sent: false, mayHaveOpened: false },
    });
    expect(error.message).toBe(
      `array fb1 (localhost:${server.port}): the TLS handshake failed, because the server requires a client certificate, which this client does not have ` +
        '(ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED). The server did not read the request. Turn off client certificates (mutual TLS) for this address.',
    );
    expect(server.requests).toEqual([]);
  });

  test('fails a logout and a repeatable call in the same way, without a second try', async () => {
    const server = await startServer(reply(200), certificate, clients);
    const session = { array: arrayAt(server), authToken: authToken('a'), username: 'u' };
    expect(await failureOf(logout(session))).toMatchObject({ code: 'ARRAY_UNTRUSTED', facts: { sent: false } });
    const connection = nextConnection();
    const failed = failureOf(exchange(arrayAt(server), GET, {}, { repeatable: true }));
    const first = await connection;
    expect(await failed).toMatchObject({ code: 'ARRAY_UNTRUSTED' });
    expect(first.destroyed).toBe(true);
  });

  test('is refused by npm run trust, too', async () => {
    const self = await selfSigned();
    const server = await startServer(reply(200), self, clients);
    const [output, errors] = [written(), written()];
    expect(await runTrust([`localhost:${server.port}`], { output, errors })).toBe(1);
    expect(errors.text()).toContain('the server requires a client certificate, which this client does not have');
  });
});

describe('after a request was sent in TLS 1.3', () => {
  test.for(REFUSALS)('%s means that the server did not read it', async (code) => {
    const error = await broken(code);
    expect(error).toMatchObject({ code: 'ARRAY_UNTRUSTED', facts: { sent: false, mayHaveOpened: false } });
    expect(error.message).toContain(`(${code}). The server did not read the request.`);
  });

  test.for(OTHERS)('%s leaves open whether the server read it', async (code) => {
    const error = await broken(code);
    expect(error).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { sent: true, mayHaveOpened: true } });
    expect(error.message).toContain(`the connection broke (${code})`);
  });
});

describe('a refusal leaves open whether the request was read if', () => {
  const [code = ''] = REFUSALS;

  test('some of the response has arrived', async () => {
    expect(await broken(code, { after: 'HTTP/1.1' })).toMatchObject({ facts: { sent: true, mayHaveOpened: true } });
  });

  test('the connection uses TLS 1.2, where the server accepted the handshake first', async () => {
    const options = { maxVersion: 'TLSv1.2' } as const;
    expect(await broken(code, { options })).toMatchObject({ facts: { sent: true, mayHaveOpened: true } });
  });

  test('the connection has served a request', async () => {
    const server = await startServer((socket, _, nth) => void (nth === 0 && socket.write(reply(200))));
    const connection = nextConnection();
    await exchange(arrayAt(server), GET);
    const failed = failureOf(login(arrayAt(server), apiToken('T-secret')));
    await expect.poll(() => server.requests.length, { interval: 1 }).toBe(2);
    (await connection).destroy(Object.assign(new Error(), { code }));
    expect(await failed).toMatchObject({ facts: { sent: true, mayHaveOpened: true } });
  });
});
