/** Opens TLS connections to arrays, and hands over only those whose other end is the array. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  createSecureContext,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { FlashBladeError } from '../../ground/errors.ts';
import type { FlashBlade, Trust } from '../../ground/model.ts';
import type { Tokens } from '../../ground/redact.ts';
import { certificatesOf, isCertificates } from '../../ground/trust.ts';
import { failedCheck } from './fingerprints.ts';
import { digestOf, placeOf } from './places.ts';
import { MAX_REMEMBERED, remember } from './recent.ts';
import { connectionError, describeArray, unreachable, untrusted } from './tls-errors.ts';

const contexts = new Map<string, SecureContext>();
/** A connection that resumes a session shows no certificate: until when those are good that were verified before. */
type Resumable = { readonly session: Buffer; readonly certificateEndsAt: number };
const sessions = new Map<string, Resumable>();

/** Every connection of this process that is not closed yet, those that are still being made included. */
export const openSockets = new Set<TLSSocket>();

/** A socket that is safe to write to, and when the first of the certificates ends by which it is, in seconds since the epoch. */
export type Made = { readonly socket: TLSSocket; readonly certificateEndsAt: number | undefined };

/**
 * Connects, verifies and calls `done` once: with the connection, or with ARRAY_UNREACHABLE or ARRAY_UNTRUSTED. Takes at
 * most `limitMs`, name look-up and handshake included. `tokens` are redacted from what an error quotes of a certificate. Throws
 * SECRET_INVALID if the trust cannot be used.
 */
export function connectTls(
  array: FlashBlade,
  limitMs: number,
  done: (made: Made | FlashBladeError) => void,
  tokens: Tokens = [],
): void {
  const startedAt = Date.now();
  const elapsedMs = () => Date.now() - startedAt;
  const place = placeOf(array);
  const isPinned = array.trust.kind === 'fingerprints';
  const resumable = isPinned ? undefined : resumableAt(place);
  let presented: PeerCertificate | undefined;
  let certificateEndsAt = resumable?.certificateEndsAt;
  const socket = connect({
    ...connectionOptions(array, resumable?.session),
    // Node calls this once it has verified the chain, and with all of it; never for a chain that failed or a session that is resumed.
    checkServerIdentity: (name, certificate) => {
      const now = Date.now();
      const ends = [earliestEndOf(certificate, now), anchorsEndOf(certificate, array.trust, now)].filter(isTime);
      if (ends.length > 0) certificateEndsAt = Math.min(...ends);
      return checkServerIdentity(name, certificate);
    },
  });
  let settled = false;
  const settle = (error: FlashBladeError | null) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    if (error === null) return done({ socket, certificateEndsAt });
    sessions.delete(place);
    socket.destroy();
    done(error);
  };
  // Not at once: after a long pause of this process, the end of the handshake may be here and not read yet.
  const timer = setTimeout(() => setImmediate(expire), limitMs);
  const expire = () => settle(unreachable(array, 'no connection in time', elapsedMs()));

  openSockets.add(socket);
  // Else the first request would wait, one round trip long, until the end of the handshake is acknowledged.
  socket.setNoDelay();
  // Node destroys a socket that it does not trust, and with it the certificate; this comes before.
  // Not getPeerX509Certificate: it takes the certificate away from the connection, and can be asked only once.
  if (!isPinned) {
    socket.prependOnceListener('secure', () => {
      presented = socket.getPeerCertificate();
    });
  }
  // Compared here and not one turn of the event loop later: then there would be a moment for bytes to leave.
  socket.once('secureConnect', () => {
    const certificate = isPinned ? socket.getPeerX509Certificate() : undefined;
    const error = refusal(array, socket, certificate, tokens);
    if (certificate !== undefined) certificateEndsAt = endOf(certificate.validTo);
    settle(error);
  });
  socket.on('session', (session) => {
    if (socket.authorized && !isPinned && certificateEndsAt !== undefined)
      remember(sessions, place, { session, certificateEndsAt }, MAX_REMEMBERED);
  });
  // The listener stays: a socket may break between two requests, when nobody else listens.
  socket.on('error', (error) => {
    if (!settled) settle(connectionError(array, error, elapsedMs(), presented?.raw, tokens));
  });
  socket.once('close', () => {
    openSockets.delete(socket);
    if (!settled) settle(unreachable(array, 'the connection was closed', elapsedMs()));
  });
}

/**
 * When the first certificate of a verified chain ends, the root included; undefined if none has a date. What is presented is not always
 * what was verified: an authority that has ended is not part of that, nor is what stands behind it.
 */
export function earliestEndOf(certificate: PeerCertificate, nowMs: number): number | undefined {
  let earliest = endOf(certificate.valid_to);
  for (const { valid_to } of issuersOf(certificate)) {
    const endsAt = endOf(valid_to);
    if (endsAt === undefined) continue;
    if (1000 * endsAt <= nowMs) break;
    earliest = Math.min(earliest ?? endsAt, endsAt);
  }
  return earliest;
}

/**
 * When the first of the trusted authorities ends that issued a certificate of the chain. OpenSSL prefers them to what is presented: a
 * renewed or cross-signed authority of the same name and key may end later, and is not what was verified.
 */
function anchorsEndOf(certificate: PeerCertificate, trust: Trust, nowMs: number): number | undefined {
  if (trust.kind !== 'ca') return undefined;
  const anchors = certificatesOf(trust.ca).filter(({ validToDate }) => validToDate.getTime() > nowMs);
  const chain = [certificate, ...issuersOf(certificate)].flatMap(({ raw }) => (raw ? [new X509Certificate(raw)] : []));
  const issuers = anchors.filter((anchor) => chain.some((one) => one.checkIssued(anchor)));
  const ends = issuers.map(({ validTo }) => endOf(validTo)).filter(isTime);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

const isTime = (time: number | undefined): time is number => time !== undefined;

/** The authorities behind a certificate. The last one vouches for itself, or is not known. */
function* issuersOf(certificate: Partial<DetailedPeerCertificate>): Generator<PeerCertificate> {
  const seen = new Set([certificate]);
  let { issuerCertificate: issuer } = certificate;
  while (issuer !== undefined && !seen.has(issuer)) {
    seen.add(issuer);
    yield issuer;
    issuer = issuer.issuerCertificate;
  }
}

/** In seconds since the epoch; undefined if there is no date. */
function endOf(validTo: string | undefined): number | undefined {
  const endsAt = Date.parse(validTo ?? '') / 1000;
  return Number.isNaN(endsAt) ? undefined : endsAt;
}

function resumableAt(place: string): Resumable | undefined {
  const resumable = sessions.get(place);
  // Nobody would look at the dates of the certificates again.
  return isOver(resumable?.certificateEndsAt) ? undefined : resumable;
}

/** Whether certificates have ended of which the first ends then. Those whose end is not known have not. */
export const isOver = (certificateEndsAt: number | undefined): boolean =>
  certificateEndsAt !== undefined && Date.now() >= 1000 * certificateEndsAt;

function connectionOptions(array: FlashBlade, session: Buffer | undefined): ConnectionOptions {
  const { host, port, trust } = array;
  return {
    host,
    port,
    secureContext: contextOf(array),
    ALPNProtocols: ['http/1.1'],
    // Said aloud, so that no environment variable decides it. With a fingerprint, `refusal` is the verification: Node
    // would refuse before it could be compared. No session is offered then, a resumed one shows no certificate.
    rejectUnauthorized: trust.kind !== 'fingerprints',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(session === undefined ? {} : { session }),
  };
}

function contextOf(array: FlashBlade): SecureContext {
  const digest = digestOf(array.trust);
  const context = contexts.get(digest) ?? createSecureContext({ minVersion: 'TLSv1.2', ...authorities(array) });
  remember(contexts, digest, context, MAX_REMEMBERED);
  return context;
}

function authorities(array: FlashBlade): { ca?: string } {
  const { trust } = array;
  if (trust.kind === 'public' || trust.kind === 'fingerprints') return {};
  // An empty text would mean the public authorities.
  if (trust.kind === 'ca' && isCertificates(trust.ca)) return { ca: trust.ca };
  const rule = 'trust.ca must be PEM text of one or more certificates';
  throw new FlashBladeError('SECRET_INVALID', `${describeArray(array)}: ${rule}`, { sent: false });
}

function refusal(
  array: FlashBlade,
  socket: TLSSocket,
  certificate: X509Certificate | undefined,
  tokens: Tokens,
): FlashBladeError | null {
  const { trust } = array;
  if (trust.kind !== 'fingerprints') return socket.authorized ? null : untrusted(array, 'it was not verified');
  const check = failedCheck(trust, certificate, Date.now());
  return check === undefined ? null : untrusted(array, check, certificate, tokens);
}
