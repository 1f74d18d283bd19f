/** Opens TLS connections, and returns only those whose other end is proven to be the array. */
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
import { FlashBladeError } from '../core/errors.ts';
import type { FlashBlade, Trust } from '../core/model.ts';
import type { Tokens } from '../core/redact.ts';
import { connectionError, describeArray, unreachable, untrusted } from './tls-errors.ts';
import { certificatesOf, failedCheck, isCertificates, poolKeyOf, remember, trustDigest } from './trust.ts';

const contexts = new Map<string, SecureContext>();
/** A resumed connection presents no certificate, so the session is kept with the end of the certificates verified before. */
type Resumable = { readonly session: Buffer; readonly certificateEndsAt: number };
const sessions = new Map<string, Resumable>();

/** Every connection of this process that is not closed yet, including those that are still being opened. */
export const openSockets = new Set<TLSSocket>();

/** A socket that is safe to write to, and when the first of its verified certificates expires, in seconds since the epoch. */
export type TlsConnection = { readonly socket: TLSSocket; readonly certificateEndsAt: number | undefined };

/**
 * Connects, verifies and calls `done` once: with the connection, or with ARRAY_UNREACHABLE or ARRAY_UNTRUSTED. Takes at
 * most `limitMs`, including name lookup and handshake. `tokens` are redacted from what an error quotes of a certificate. Throws
 * SECRET_INVALID if the trust cannot be used.
 */
export function connectTls(
  array: FlashBlade,
  limitMs: number,
  done: (made: TlsConnection | FlashBladeError) => void,
  tokens: Tokens = [],
): void {
  const startedAt = Date.now();
  const elapsedMs = () => Date.now() - startedAt;
  const poolKey = poolKeyOf(array);
  const isPinned = array.trust.kind === 'fingerprints';
  const resumable = isPinned ? undefined : resumableBy(poolKey);
  let presented: PeerCertificate | undefined;
  let certificateEndsAt = resumable?.certificateEndsAt;
  const socket = connect({
    ...connectionOptions(array, resumable?.session),
    // Node calls this with the whole chain once it has verified it; never for a chain that failed or a resumed session.
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
    sessions.delete(poolKey);
    socket.destroy();
    done(error);
  };
  // Not immediately: after a long pause of this process, the end of the handshake may have arrived without being read yet.
  const timer = setTimeout(() => setImmediate(expire), limitMs);
  const expire = () => settle(unreachable(array, 'no connection in time', elapsedMs()));

  openSockets.add(socket);
  // Otherwise the first request would wait one round trip for the acknowledgement of the handshake.
  socket.setNoDelay();
  // Node destroys an untrusted socket and its certificate with it; this listener runs before.
  // Not getPeerX509Certificate: it removes the certificate from the connection, so it works only once.
  if (!isPinned) {
    socket.prependOnceListener('secure', () => {
      presented = socket.getPeerCertificate();
    });
  }
  // Compared here and not one turn of the event loop later, when bytes could already have left.
  socket.once('secureConnect', () => {
    const certificate = isPinned ? socket.getPeerX509Certificate() : undefined;
    const error = refusal(array, socket, certificate, tokens);
    if (certificate !== undefined) certificateEndsAt = endOf(certificate.validTo);
    settle(error);
  });
  socket.on('session', (session) => {
    if (socket.authorized && !isPinned && certificateEndsAt !== undefined)
      remember(sessions, poolKey, { session, certificateEndsAt });
  });
  // The listener stays: a socket may break between two requests, when it has no other listener.
  socket.on('error', (error) => {
    if (!settled) settle(connectionError(array, error, elapsedMs(), presented?.raw, tokens));
  });
  socket.once('close', () => {
    openSockets.delete(socket);
    if (!settled) settle(unreachable(array, 'the connection was closed', elapsedMs()));
  });
}

/**
 * When the first certificate of a verified chain expires, including the root; undefined if none has a date. A server may present more
 * than was verified: an expired authority, and everything behind it, was not part of the verification.
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
 * When the first trusted authority expires that issued a certificate of the chain. OpenSSL prefers trusted authorities to presented
 * ones: a presented one with the same name and key, renewed or cross-signed, may expire later, but is not what was verified.
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

/** The authorities behind a certificate. The last one is self-signed, or its issuer is unknown. */
function* issuersOf(certificate: Partial<DetailedPeerCertificate>): Generator<PeerCertificate> {
  const seen = new Set([certificate]);
  for (let issuer = certificate.issuerCertificate; issuer && !seen.has(issuer); issuer = issuer.issuerCertificate) {
    seen.add(issuer);
    yield issuer;
  }
}

/** In seconds since the epoch; undefined if there is no date. */
function endOf(validTo: string | undefined): number | undefined {
  const endsAt = Date.parse(validTo ?? '') / 1000;
  return Number.isNaN(endsAt) ? undefined : endsAt;
}

function resumableBy(poolKey: string): Resumable | undefined {
  const resumable = sessions.get(poolKey);
  // Resuming does not check the dates of the certificates again.
  return isOver(resumable?.certificateEndsAt) ? undefined : resumable;
}

/** Whether a certificate has expired. One without a known end has not. */
export const isOver = (certificateEndsAt: number | undefined): boolean =>
  certificateEndsAt !== undefined && Date.now() >= 1000 * certificateEndsAt;

function connectionOptions(array: FlashBlade, session: Buffer | undefined): ConnectionOptions {
  const { host, port, trust } = array;
  return {
    host,
    port,
    secureContext: contextOf(array),
    ALPNProtocols: ['http/1.1'],
    // Explicit, so that no environment variable decides it. With fingerprints, `refusal` is the verification: Node would
    // refuse before the certificate could be compared. No session is offered then, because a resumed one presents no certificate.
    rejectUnauthorized: trust.kind !== 'fingerprints',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(session === undefined ? {} : { session }),
  };
}

function contextOf(array: FlashBlade): SecureContext {
  const digest = trustDigest(array.trust);
  const context = contexts.get(digest) ?? createSecureContext({ minVersion: 'TLSv1.2', ...authorities(array) });
  remember(contexts, digest, context);
  return context;
}

function authorities(array: FlashBlade): { ca?: string } {
  const { trust } = array;
  if (trust.kind === 'public' || trust.kind === 'fingerprints') return {};
  // An empty string would mean the public authorities.
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
  if (trust.kind !== 'fingerprints')
    return socket.authorized ? null : untrusted(array, 'its certificate was not verified');
  const check = failedCheck(trust, certificate, Date.now());
  return check === undefined ? null : untrusted(array, check, certificate, tokens);
}
