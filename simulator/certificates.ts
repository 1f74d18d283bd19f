/** Creates test certificates: private authorities, certificates that they issue, and self-signed certificates. */
import { createHash, KeyObject, randomBytes } from 'node:crypto';
import '../test/kit/reflect.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

export type KeyKind = 'ec' | 'rsa2048' | 'rsa1024';

export type CertificateOptions = {
  /** DNS names. Default: `['localhost']`. */
  readonly names?: readonly string[];
  /** IP addresses. Default: `['127.0.0.1', '::1']`. */
  readonly addresses?: readonly string[];
  /** Default: one hour ago. */
  readonly notBefore?: Date;
  /** Default: 30 days from now. */
  readonly notAfter?: Date;
  /** Default: `server`. A certificate with the usage `authority` can only sign certificates. */
  readonly usage?: 'server' | 'client' | 'authority';
  /** Default: `ec` (P-256). OpenSSL loads `rsa1024` only at security level 0. */
  readonly keyKind?: KeyKind;
};

export type AuthorityOptions = Pick<CertificateOptions, 'notBefore' | 'notAfter' | 'keyKind'> & {
  /** The common name. Default: `Test Authority`. Two authorities can share a name because their key identifiers differ. */
  readonly name?: string;
};

/** A certificate and its key in PEM format, and the SHA-256 hash of the DER certificate as 64 lowercase hex digits. */
export type IssuedCertificate = { readonly certificate: string; readonly key: string; readonly fingerprint: string };

export type Authority = {
  /** The authority's own certificate as PEM. To trust the authority, clients pass this certificate as `ca`. */
  readonly certificate: string;
  readonly key: string;
  /** Issues a certificate. An intermediate authority appends its chain, in the order that servers present it. */
  readonly issue: (options?: CertificateOptions) => Promise<IssuedCertificate>;
  /** Creates an intermediate authority with a certificate that this authority signs. */
  readonly subordinate: (name: string, options?: Omit<AuthorityOptions, 'name'>) => Promise<Authority>;
  /** Cross-signs another authority's name and key, as when a root is replaced. Returns the certificate as PEM. */
  readonly vouchFor: (other: Authority, options?: Pick<AuthorityOptions, 'notBefore' | 'notAfter'>) => Promise<string>;
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const EC_KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsaKey = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
});
const KEY_ALGORITHMS = { ec: EC_KEY, rsa2048: rsaKey(2048), rsa1024: rsaKey(1024) };

const EXTENDED_USAGES = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth };

/** Creates a root authority with its own key. */
export const createAuthority = (options: AuthorityOptions = {}): Promise<Authority> => authorityUnder(options);

type Issuer = { readonly subject: string; readonly keys: CryptoKeyPair };

/** Creates a root if `issuer` is omitted. `chain` has the issuer's intermediate certificates as PEM, starting with its own. */
async function authorityUnder(
  options: AuthorityOptions,
  issuer?: Issuer,
  chain: readonly string[] = [],
): Promise<Authority> {
  const keys = await generateKeys(options.keyKind);
  const subject = `CN=${options.name ?? 'Test Authority'}`;
  const own = { subject, keys };
  const pem = await authorityCertificate(options, subject, keys.publicKey, issuer ?? own);
  const presented = issuer === undefined ? [] : [pem, ...chain];
  return {
    certificate: pem,
    key: privateKeyPem(keys),
    issue: async (issueOptions = {}) => {
      const subjectKeys = await generateKeys(issueOptions.keyKind);
      const issued = await X509CertificateGenerator.create({
        ...common(issueOptions),
        issuer: subject,
        subject: subjectOf(issueOptions),
        publicKey: subjectKeys.publicKey,
        signingKey: keys.privateKey,
        extensions: await leafExtensions(issueOptions, subjectKeys.publicKey, keys.publicKey),
      });
      const leaf = issuedCertificate(issued, subjectKeys);
      return { ...leaf, certificate: [leaf.certificate, ...presented].join('\n') };
    },
    subordinate: (name, subordinateOptions = {}) => authorityUnder({ ...subordinateOptions, name }, own, presented),
    vouchFor: async (other, vouchOptions = {}) => {
      const theirs = new X509Certificate(other.certificate);
      return authorityCertificate(vouchOptions, theirs.subject, await theirs.publicKey.export(), own);
    },
  };
}

async function authorityCertificate(
  options: AuthorityOptions,
  subject: string,
  publicKey: CryptoKey,
  issuer: Issuer,
): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    ...common(options),
    issuer: issuer.subject,
    subject,
    publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  return certificate.toString('pem');
}

/** Creates a self-signed certificate, like the one that a factory-new array presents. */
export async function selfSigned(options: CertificateOptions = {}): Promise<IssuedCertificate> {
  const keys = await generateKeys(options.keyKind);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...common(options),
    name: subjectOf(options),
    keys,
    extensions: await leafExtensions(options, keys.publicKey, keys.publicKey),
  });
  return issuedCertificate(certificate, keys);
}

const generateKeys = (keyKind: KeyKind = 'ec') =>
  crypto.subtle.generateKey(KEY_ALGORITHMS[keyKind], true, ['sign', 'verify']);

const subjectOf = ({ names = ['localhost'], addresses = [] }: CertificateOptions) =>
  `CN=${names[0] ?? addresses[0] ?? 'localhost'}`;

const common = ({ notBefore, notAfter }: Pick<CertificateOptions, 'notBefore' | 'notAfter'>) => ({
  serialNumber: `01${randomBytes(15).toString('hex')}`,
  notBefore: notBefore ?? new Date(Date.now() - HOUR_MS),
  notAfter: notAfter ?? new Date(Date.now() + 30 * DAY_MS),
});

async function leafExtensions(
  { names = ['localhost'], addresses = ['127.0.0.1', '::1'], usage = 'server' }: CertificateOptions,
  subjectKey: CryptoKey,
  issuerKey: CryptoKey,
): Promise<Extension[]> {
  const alternatives: JsonGeneralName[] = [
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...addresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  return [
    new BasicConstraintsExtension(usage === 'authority', undefined, true),
    new KeyUsagesExtension(usage === 'authority' ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature, true),
    ...(usage === 'authority' ? [] : [new ExtendedKeyUsageExtension([EXTENDED_USAGES[usage]])]),
    ...(alternatives.length > 0 ? [new SubjectAlternativeNameExtension(alternatives)] : []),
    await SubjectKeyIdentifierExtension.create(subjectKey),
    await AuthorityKeyIdentifierExtension.create(issuerKey),
  ];
}

const issuedCertificate = (certificate: X509Certificate, keys: CryptoKeyPair): IssuedCertificate => ({
  certificate: certificate.toString('pem'),
  key: privateKeyPem(keys),
  fingerprint: createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'),
});

const privateKeyPem = (keys: CryptoKeyPair): string =>
  KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
