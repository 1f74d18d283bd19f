/** `npm run trust` against servers of every kind. */
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
  test('shows what a server presents, sends it not one byte, and asks to compare', async () => {
    const server = await startServer(reply(200), self);
    const { code, stdout, stderr } = await trust([`localhost:${server.port}`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^localhost:\d+ presents, by TLSv1.3:$/m);
    expect(stdout).toMatch(/^Certificate 1 of 1, the server's own$/m);
    expect(stdout).toMatch(/^ {2}subject {2}CN=localhost$/m);
    expect(stdout).toMatch(/^ {2}issuer {3}itself \(self-signed\)$/m);
    expect(stdout).toMatch(/^ {2}names {4}DNS:localhost, IP Address:127\.0\.0\.1/m);
    expect(stdout).toMatch(/^ {2}valid .* to .*, (29|30) days left$/m);
    expect(stdout).toMatch(/^ {2}key {6}EC, prime256v1$/m);
    expect(stdout).toContain(self.fingerprint);
    expect(stdout).toContain('do not accept it for this name (DEPTH_ZERO_SELF_SIGNED_CERT)');
    expect(stdout).toMatch(/Believe it only after you have compared[\s\S]*where your array shows its certificate/);
    await server.quiet();
    expect(server.resumed.length).toBeGreaterThan(0);
    expect(server.received()).toBe(0);
  });

  test('the control: a byte that is sent is counted', async () => {
    const server = await startServer(reply(200), self);
    const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.once('secureConnect', () => socket.end('x'));
    await expect.poll(() => server.received(), { timeout: 15_000 }).toBe(1);
  });

  test('what it prints goes into a secret as it is', async () => {
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

  test('a chain is shown as it was presented, and its authority is named as the other way', async () => {
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
  ])('a certificate %s is shown but not recommended', async (_, presented, why) => {
    const server = await startServer(reply(200), presented, { ciphers: 'DEFAULT:@SECLEVEL=0' });
    const [told, json] = [
      await trust([`127.0.0.1:${server.port}`]),
      await trust([`127.0.0.1:${server.port}`, '--json']),
    ];
    expect(told).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
    expect(told.stdout).toContain(presented.fingerprint);
    expect(told.stdout).not.toContain('"trust"');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ refusal: expect.stringContaining(why) });
    expect(JSON.parse(json.stdout)).not.toHaveProperty('trust');
  });

  test('an expired certificate says how long ago it ended', async () => {
    const server = await startServer(reply(200), expired);
    expect((await trust([`localhost:${server.port}`])).stdout).toContain('EXPIRED 10 days ago');
  });

  test('where public authorities accept it, trust is left out; one of ours is not shown as presented', async () => {
    const server = await startServer();
    const file = join(tmpdir(), `${randomUUID()}.pem`);
    writeFileSync(file, authority.certificate);
    onTestFinished(() => rmSync(file));
    const env = { NODE_EXTRA_CA_CERTS: file };
    const args = [resolve(ROOT, 'scripts/trust.ts'), `localhost:${server.port}`, '--json'];
    const stdout = await new Promise<string>((done, failed) => {
      execFile(process.execPath, args, { env }, (error, out) => (error ? failed(error) : done(out)));
    });
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ host: 'localhost', port: server.port, publicAuthorities: { accepted: true } });
    expect(told.chain).toHaveLength(1);
    expect(told).not.toHaveProperty('trust');
  });
});

describe('there is nothing to look at, and why is said, when', () => {
  const silent = () => createTcpServer(() => {});
  const plain = () => createTcpServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const cut = () => createTcpServer((socket) => void socket.destroy());

  test.each([
    ['nobody says a word', silent, 100, /did not complete a TLS handshake within 100 ms/],
    ['it speaks no TLS', plain, 60_000, /does not speak TLS 1\.2 or newer \(\w+\)/],
    [
      'the connection is cut',
      cut,
      60_000,
      /cannot be reached \(ECONNRESET\)|closed the connection in the TLS handshake/,
    ],
  ])('%s', async (_, make, timeoutMs, why) => {
    const { port } = await listen(make() as never);
    const { code, stdout, stderr } = await trust([`127.0.0.1:${port}`], timeoutMs);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(why);
    expect(stderr).toContain(`127.0.0.1:${port} `);
  });

  test('nobody listens', async () => {
    const { code, stderr } = await trust(['127.0.0.1:1']);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('(ECONNREFUSED)') });
  });

  test('only TLS 1.1 is spoken', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    const server = await startServer(reply(200), certificate, old);
    const { code, stderr } = await trust([`127.0.0.1:${server.port}`]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('does not speak TLS 1.2') });
  });

  const UUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';

  test.each([[`T-${UUID}`], [`t-${UUID}:443`], [UUID], [`${UUID.toUpperCase()}:443`]])(
    'the host is probably an API token: %s',
    async (host) => {
      const { code, stdout, stderr } = await trust([host]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^(an argument|the host) looks like an API token/);
      expect(stderr.toLowerCase()).not.toContain(UUID);
    },
  );

  test.each([[[]], [['a', 'b']], [['not a host']], [['--host', 'x']], [['https://fb1']]])(
    'arguments are wrong: %j',
    async (args) => {
      const { code, stdout, stderr } = await trust(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('npm run trust -- <host');
    },
  );
});
