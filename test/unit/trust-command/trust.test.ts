/** `npm run trust` against servers with valid, invalid and missing certificates. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { ROOT } from '../../../scripts/build.ts';
import { runTrust } from '../../../scripts/trust/run.ts';
import { selfSigned } from '../../../simulator/certificates.ts';
import { authority, certificate, listen, reply, startServer } from '../flashblade/servers.ts';
import { written } from './written.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
const self = await selfSigned();
const expired = await selfSigned({ notBefore: inDays(-20), notAfter: inDays(-9.5) });
const future = await selfSigned({ notBefore: inDays(10), notAfter: inDays(20) });
const weak = await selfSigned({ keyKind: 'rsa1024' });

async function trust(args: readonly string[], timeoutMs = 60_000) {
  const [output, errors] = [written(), written()];
  const code = await runTrust(args, { output, errors }, { timeoutMs });
  return { code, stdout: output.text(), stderr: errors.text() };
}

describe('npm run trust', () => {
  test('the command prints the certificate of a server, sends no byte to it, and asks the user to compare', async () => {
    const server = await startServer(reply(200), self);
    const { code, stdout, stderr } = await trust([`localhost:${server.port}`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^localhost:\d+ presents this chain over TLSv1.3:$/m);
    expect(stdout).toMatch(/^Certificate 1 of 1, the server's own$/m);
    expect(stdout).toMatch(/^ {2}subject {2}CN=localhost$/m);
    expect(stdout).toMatch(/^ {2}issuer {3}itself \(self-signed\)$/m);
    expect(stdout).toMatch(/^ {2}names {4}DNS:localhost, IP Address:127\.0\.0\.1/m);
    expect(stdout).toMatch(/^ {2}valid .* to .*, (29|30) days left$/m);
    expect(stdout).toMatch(/^ {2}key {6}EC, prime256v1$/m);
    expect(stdout).toContain(self.fingerprint);
    expect(stdout).toContain(
      'is not publicly trusted for this name: its certificate is self-signed, not issued by a trusted CA (DEPTH_ZERO_SELF_SIGNED_CERT).',
    );
    expect(stdout).toMatch(
      /Before you trust [\s\S]* compare its SHA-256 fingerprint with the one that your array shows/,
    );
    await server.quiet();
    expect(server.resumed.length).toBeGreaterThan(0);
    expect(server.received()).toBe(0);
  });

  test('the server in these tests counts a byte that a client sends (negative control)', async () => {
    const server = await startServer(reply(200), self);
    const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.once('secureConnect', () => socket.end('x'));
    await expect.poll(() => server.received(), { timeout: 15_000 }).toBe(1);
  });

  test('the printed trust can be copied into a secret unchanged', async () => {
    const server = await startServer(reply(200), self);
    const { stdout } = await trust([`localhost:${server.port}`]);
    const [, field] = /^ {2}("trust": .*)$/m.exec(stdout) ?? [];
    const SecretString = `{ "host": "localhost", "apiToken": "T-1", ${field} }`;
    expect(parseSecret('fb1', 'flashblade/fb1', { SecretString }).array.trust).toEqual({
      kind: 'fingerprints',
      fingerprints: [self.fingerprint],
    });
    expect(stdout).not.toContain('"ca"');
  });

  test('a chain is printed as presented, and trust in its authority is offered as an alternative', async () => {
    const chain = { ...certificate, certificate: `${certificate.certificate}\n${authority.certificate}` };
    const server = await startServer(reply(200), chain);
    const { stdout } = await trust([`localhost:${server.port}`]);
    expect(stdout).toMatch(/Certificate 1 of 2, the server's own\n.*\n {2}issuer {3}CN=Test Authority\n/);
    expect(stdout).toMatch(
      /Certificate 2 of 2\n {2}subject {2}CN=Test Authority\n {2}issuer {3}itself \(self-signed\)\n/,
    );
    expect(stdout).toContain(`"trust": { "fingerprints": ["${certificate.fingerprint}"] }`);
    expect(stdout).toContain('"trust": { "ca": "…" }');
  });

  test.each([
    ['that has expired', expired, 'its certificate has expired'],
    ['that is not valid yet', future, 'its certificate is not valid yet'],
    ['with a weak key', weak, 'too weak (1024 bits)'],
  ])('a certificate %s is printed but not recommended', async (_, presented, why) => {
    const server = await startServer(reply(200), presented, { ciphers: 'DEFAULT:@SECLEVEL=0' });
    const [printed, json] = [
      await trust([`127.0.0.1:${server.port}`]),
      await trust([`127.0.0.1:${server.port}`, '--json']),
    ];
    expect(printed).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
    expect(printed.stdout).toContain(presented.fingerprint);
    expect(printed.stdout).not.toContain('"trust"');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ refusal: expect.stringContaining(why) });
    expect(JSON.parse(json.stdout)).not.toHaveProperty('trust');
  });

  test('the output states how long ago an expired certificate ended', async () => {
    const server = await startServer(reply(200), expired);
    expect((await trust([`localhost:${server.port}`])).stdout).toContain('EXPIRED 10 days ago');
  });

  test('for a publicly trusted certificate, no trust is printed, and a root from the trust store is not part of the chain', async () => {
    const server = await startServer();
    const file = join(tmpdir(), `${randomUUID()}.pem`);
    writeFileSync(file, authority.certificate);
    onTestFinished(() => rmSync(file));
    const env = { NODE_EXTRA_CA_CERTS: file };
    const args = [resolve(ROOT, 'scripts/trust.ts'), `localhost:${server.port}`, '--json'];
    const stdout = await new Promise<string>((done, failed) => {
      execFile(process.execPath, args, { env }, (error, out) => (error ? failed(error) : done(out)));
    });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ host: 'localhost', port: server.port, publicAuthorities: { accepted: true } });
    expect(result.chain).toHaveLength(1);
    expect(result).not.toHaveProperty('trust');
  });
});

describe('the command prints the reason and no certificate if', () => {
  const silent = () => createTcpServer(() => {});
  const plain = () => createTcpServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const cut = () => createTcpServer((socket) => void socket.destroy());

  test.each([
    ['the server does not respond', silent, 100, /did not complete a TLS handshake within 100 ms/],
    [
      'the server does not speak TLS',
      plain,
      60_000,
      /cannot be used: the TLS handshake failed, because the response is not TLS \(\w+\)\. Check the port/,
    ],
    [
      'the server closes the connection',
      cut,
      60_000,
      /cannot be reached: the connection was cut|closed the connection during the TLS handshake/,
    ],
  ])('%s', async (_, make, timeoutMs, why) => {
    const { port } = await listen(make() as never);
    const { code, stdout, stderr } = await trust([`127.0.0.1:${port}`], timeoutMs);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(why);
    expect(stderr).toContain(`127.0.0.1:${port} `);
  });

  test('no server listens on the port', async () => {
    const { code, stderr } = await trust(['127.0.0.1:1']);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cannot be reached: it refuses connections'),
    });
  });

  test('the server supports nothing newer than TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    const server = await startServer(reply(200), certificate, old);
    const { code, stderr } = await trust([`127.0.0.1:${server.port}`]);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the server accepts neither TLS 1.2 nor TLS 1.3'),
    });
  });

  const UUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';

  test.each([[`T-${UUID}`], [`t-${UUID}:443`], [UUID], [`${UUID.toUpperCase()}:443`]])(
    'the host looks like an API token: %s',
    async (host) => {
      const { code, stdout, stderr } = await trust([host]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^(an argument|the host) looks like an API token/);
      expect(stderr.toLowerCase()).not.toContain(UUID);
    },
  );

  test.each([[[]], [['a', 'b']], [['not a host']], [['--host', 'x']], [['https://fb1']]])(
    'the arguments are invalid: %j',
    async (args) => {
      const { code, stdout, stderr } = await trust(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('npm run trust -- <host');
    },
  );
});
