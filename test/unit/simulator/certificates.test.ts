import { X509Certificate } from 'node:crypto';
import { connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import {
  type CertificateOptions,
  createAuthority,
  type IssuedCertificate,
  selfSigned,
} from '../../../simulator/certificates.ts';

/** Presents a certificate on loopback. Returns the certificate or the error that a verifying client sees. */
async function verify(issued: IssuedCertificate, ca: string, host = '127.0.0.1', servername = 'localhost') {
  const server = createServer({ cert: issued.certificate, key: issued.key, ciphers: 'DEFAULT@SECLEVEL=0' });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => socket.on('error', () => {}).end());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const socket: TLSSocket = connect({ host, port: address.port, ca, servername, ciphers: 'DEFAULT@SECLEVEL=0' });
  try {
    return await new Promise<PeerCertificate | string>((resolve) => {
      socket.on('secureConnect', () => resolve(socket.getPeerCertificate()));
      socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    });
  } finally {
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('certificates for tests', () => {
  it.each<{ keyKind: NonNullable<CertificateOptions['keyKind']> }>([
    { keyKind: 'ec' },
    { keyKind: 'rsa2048' },
    { keyKind: 'rsa1024' },
  ])('a verifying client accepts a certificate of its authority with a key of kind $keyKind', async ({ keyKind }) => {
    const authority = await createAuthority();
    const issued = await authority.issue({ keyKind });
    const peer = await verify(issued, authority.certificate);
    expect(peer).toHaveProperty('fingerprint256', issued.fingerprint.toUpperCase().match(/../g)?.join(':'));
  });

  it('a verifying client refuses a certificate of another authority with the same name', async () => {
    const [ours, theirs] = await Promise.all([createAuthority(), createAuthority()]);
    expect(await verify(await theirs.issue(), ours.certificate)).toMatch(/SIGNATURE|ISSUER|LEAF/);
  });

  it('a verifying client refuses a certificate with another name, outside its dates, or for clients', async () => {
    const authority = await createAuthority({ notBefore: new Date(0) });
    const outcome = async (options: CertificateOptions) =>
      verify(await authority.issue(options), authority.certificate);
    expect(await outcome({ names: ['other.example'] })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await outcome({ notBefore: new Date(0), notAfter: new Date(86_400_000) })).toBe('CERT_HAS_EXPIRED');
    expect(await outcome({ notBefore: new Date(Date.now() + 86_400_000) })).toBe('CERT_NOT_YET_VALID');
    expect(await outcome({ usage: 'client' })).toBe('INVALID_PURPOSE');
  });

  it('a verifying client accepts a self-signed certificate only if it trusts exactly this one', async () => {
    const [mine, other] = await Promise.all([selfSigned(), selfSigned()]);
    expect(await verify(mine, other.certificate)).toMatch(/SELF_SIGNED/);
    expect(await verify(mine, mine.certificate)).toHaveProperty('subject.CN', 'localhost');
  });

  it('the fingerprint is the SHA-256 of the DER, in 64 lower-case hex digits', async () => {
    const issued = await selfSigned({ names: ['fb1.example.com'], addresses: [] });
    const parsed = new X509Certificate(issued.certificate);
    expect(issued.fingerprint).toBe(parsed.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(issued.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(parsed.subjectAltName).toBe('DNS:fb1.example.com');
  });
});
