/** Servers that are not the array: what each presents, what the array's secret trusts, and what the error must say. */
import { X509Certificate } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { Trust } from '../../../lib/core/model.ts';
import { createAuthority, type IssuedCertificate, selfSigned } from '../../../simulator/certificates.ts';
import { authority, certificate, trust } from './servers.ts';

export type TrustCase = {
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
export const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);
export const pins = (...fingerprints: string[]): Trust => ({ kind: 'fingerprints', fingerprints });
const under = ({ certificate: ca }: { readonly certificate: string }): Trust => ({ kind: 'ca', ca });
const pinOf = (pem: string): string => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();

export const self = await selfSigned();
export const stranger = await createAuthority({ name: 'Another Authority' });
const anotherOne = await authority.issue();
const strangers = await stranger.issue();
const expired = await authority.issue({ notBefore: ago(20), notAfter: ago(10) });
const future = await authority.issue({ notBefore: ago(-10), notAfter: ago(-20) });
const expiredSelf = await selfSigned({ notBefore: ago(20), notAfter: ago(10) });
const otherName = await authority.issue({ names: ['other.example.com'] });
const onlyName = await authority.issue({ addresses: [] });
const onlyAddress = await authority.issue({ names: [], addresses: ['127.0.0.1'] });
const addressAsName = await authority.issue({ names: ['127.0.0.1'], addresses: [] });
const otherAddress = await authority.issue({ addresses: ['127.0.0.2'] });
const forClients = await authority.issue({ usage: 'client' });
const forSigning = await authority.issue({ usage: 'authority' });
const old = await createAuthority({ name: 'Old Authority', notBefore: ago(20), notAfter: ago(10) });
const ofOld = await old.issue();
const weak = await selfSigned({ keyKind: 'rsa1024' });
const weakAuthority = await createAuthority({ keyKind: 'rsa1024' });
const ofWeak = await weakAuthority.issue();
const weakOne = await authority.issue({ keyKind: 'rsa1024' });
const followedBy = (leaf: IssuedCertificate, pem: string): IssuedCertificate => ({
  ...leaf,
  certificate: `${leaf.certificate}\n${pem}`,
});
const withAuthority = followedBy(certificate, authority.certificate);
const forged = followedBy(self, certificate.certificate);

const publicOnes: Trust = { kind: 'public' };
const pin = pins(certificate.fingerprint);
const NONE = "certificate's fingerprint is not in trust.fingerprints";
const OTHER_AUTHORITY = 'its certificate was not issued by a trusted authority';
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
export const TRUST_CASES: Readonly<Record<string, TrustCase>> = {
  'self-signed, without a fingerprint': bad(self, publicOnes, 'certificate is self-signed'),
  'self-signed, with an authority': bad(self, trust, 'certificate is self-signed'),
  'self-signed, with the certificate of another that has its name': bad(self, under(await selfSigned()), 'self-signed'),
  'for another name': bad(otherName, trust, 'certificate is for other names'),
  'for a name, at an address': bad(onlyName, trust, 'other names', address),
  'for an address, at a name': bad(onlyAddress, trust, 'other names'),
  'for an address that is written as a name': bad(addressAsName, trust, 'other names', address),
  'for another address': bad(otherAddress, trust, 'other names', address),
  expired: bad(expired, trust, 'has expired (CERT_HAS_EXPIRED)'),
  'not valid yet': bad(future, trust, 'is not valid yet (CERT_NOT_YET_VALID)'),
  'of an authority that has expired': bad(ofOld, under(old), "or an issuer's, has expired"),
  'of another authority': bad(strangers, trust, OTHER_AUTHORITY),
  'of a private authority, with public ones': bad(certificate, publicOnes, OTHER_AUTHORITY),
  'of a private authority that it sends along, with public ones': bad(withAuthority, publicOnes, OTHER_AUTHORITY),
  'meant for clients': bad(forClients, trust, 'not meant for servers (INVALID_PURPOSE)'),
  'meant for signing others': bad(forSigning, trust, 'not meant for servers (INVALID_PURPOSE)'),
  'of a weak key': bad(weakOne, trust, WEAK, { tls: lax }),
  'of a weak key that is trusted itself': bad(weak, under(weak), WEAK, { tls: lax }),
  'of a weak key, with its fingerprint': bad(weak, pins(weak.fingerprint), WEAK, { tls: lax }),
  'of an authority with a weak key': bad(ofWeak, under(weakAuthority), WEAK, { tls: lax }),
  'shown in TLS 1.1': bad(certificate, trust, 'the TLS handshake failed', { tls: tls11 }),
  'shown in TLS 1.1, with its fingerprint': bad(certificate, pin, 'the TLS handshake failed', { tls: tls11 }),
  'of another fingerprint': bad(self, pins('0'.repeat(64)), NONE),
  'without a fingerprint to compare': bad(self, pins(), NONE),
  'of a fingerprint that is malformed': bad(self, pins('', self.fingerprint.slice(2), `${self.fingerprint} `), NONE),
  'of the same authority, with the fingerprint of another': bad(anotherOne, pin, NONE),
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
