/** Opens TLS connections. Returns a connection only after verifying that the server is the array. */
import { X509Certificate } from 'node:crypto';
import { isIP, Socket } from 'node:net';
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
import { connectTcp } from '../core/connect-tcp.ts';
import { FlashBladeError } from '../core/errors.ts';
import type { FlashBlade, Trust } from '../core/model.ts';
import type { Tokens } from '../core/redact.ts';
import { readPem } from './pem.ts';
import { connectionError, describeArray, notConnected, unreachable, untrusted } from './tls-errors.ts';
import { failedCheck, poolKeyOf, remember, trustDigest } from './trust.ts';

const contexts = new Map<string, SecureContext>();
/**
 * When a session is resumed, the server presents no certificate. Each session is therefore stored with the earliest
 * expiry date among the certificates that were verified before.
 */
type Resumable = { readonly session: Buffer; readonly certificateEndsAt: number };
const sessions = new Map<string, Resumable>();

/** Every connection in this process that is not closed yet, including those still being opened. */
export const openSockets = new Set<{ readonly destroy: () => void }>();

/** A socket that is safe to write to, and the earliest expiry of its verified certificates in seconds since the epoch. */
export type TlsConnection = { readonly socket: TLSSocket; readonly certificateEndsAt: number | undefined };

/**
 * Connects, verifies the array and calls `done` once, with the connection or with ARRAY_UNREACHABLE or ARRAY_UNTRUSTED. Takes at most
 * `limitMs`, including the DNS lookup and the handshake. `tokens` are redacted from certificate text in errors. Throws SECRET_INVALID if
 * the trust settings are invalid.
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
  const context = contextOf(array);
  let socket: TLSSocket | undefined;
  let settled = false;
  const settle = (made: TlsConnection | FlashBladeError) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    openSockets.delete(opening);
    if (!(made instanceof FlashBladeError)) return done(made);
    sessions.delete(poolKey);
    connecting.destroy();
    socket?.destroy();
    done(made);
  };
  const fail = (what: string) => settle(unreachable(array, what, elapsedMs(), connecting.tried()));
  // The check is deferred with setImmediate, because after a long process pause, the handshake's last message may be waiting to be read.
  const timer = setTimeout(() => setImmediate(expire), limitMs);
  const expire = () => {
    if (socket !== undefined)
      fail('the connection was not established in time, because the TLS handshake did not finish');
    else if (connecting.isResolved()) fail('the connection was not established in time');
    else fail('the connection was not established in time, because the name server did not respond; check DNS');
  };
  const connecting = connectTcp(array, limitMs, (made) => {
    if (!(made instanceof Socket)) return settle(notConnected(array, made.code, elapsedMs(), connecting.tried()));
    openSockets.delete(opening);
    socket = handshake(made);
  });
  const opening = { destroy: () => fail('the connection was closed') };
  openSockets.add(opening);

  const handshake = (tcp: Socket): TLSSocket => {
    const isPinned = array.trust.kind === 'fingerprints';
    const resumable = isPinned ? undefined : resumableBy(poolKey);
    let presented: PeerCertificate | undefined;
    let certificateEndsAt = resumable?.certificateEndsAt;
    const socket = connect({
      ...connectionOptions(array, context, resumable?.session),
      socket: tcp,
      // Node passes the whole verified chain, and skips this call if verification failed or the session was resumed.
      checkServerIdentity: (name, certificate) => {
        const now = Date.now();
        const ends = [earliestEndOf(certificate, now), anchorsEndOf(certificate, array.trust, now)].filter(isTime);
        if (ends.length > 0) certificateEndsAt = Math.min(...ends);
        return checkServerIdentity(name, certificate);
      },
    });
    openSockets.add(socket);
    // This listener runs before Node destroys an untrusted socket and its certificate. getPeerX509Certificate would work only once, because
    // it removes the certificate from the connection.
    if (!isPinned) {
      socket.prependOnceListener('secure', () => {
        presented = socket.getPeerCertificate();
      });
    }
    // Verify in this handler, because one event loop turn later, bytes could already have been sent.
    socket.once('secureConnect', () => {
      const certificate = isPinned ? socket.getPeerX509Certificate() : undefined;
      const error = refusal(array, socket, certificate, tokens);
      if (certificate !== undefined) certificateEndsAt = endOf(certificate.validTo);
      settle(error ?? { socket, certificateEndsAt });
    });
    socket.on('session', (session) => {
      if (socket.authorized && !isPinned && certificateEndsAt !== undefined)
        remember(sessions, poolKey, { session, certificateEndsAt });
    });
    // This listener is never removed, because a socket may break between two requests, when it has no other listener.
    socket.on('error', (error) => {
      if (!settled) settle(connectionError(array, error, elapsedMs(), presented?.raw, tokens));
    });
    socket.once('close', () => {
      openSockets.delete(socket);
      if (!settled) fail('the connection was closed');
    });
    return socket;
  };
}

/**
 * Returns the earliest expiry in a verified chain, including the root, or undefined if no certificate has a date. A server may present more
 * certificates than were verified, so the search stops at an expired CA certificate. Neither that certificate nor its issuers were
 * verified.
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
 * Returns the earliest expiry among the trusted CA certificates that issued a certificate in the chain. OpenSSL prefers trusted CA
 * certificates to presented ones. A presented CA certificate with the same name and key, renewed or cross-signed, may expire later, but it
 * is not the one that was verified.
 */
function anchorsEndOf(certificate: PeerCertificate, trust: Trust, nowMs: number): number | undefined {
  if (trust.kind !== 'ca') return undefined;
  const anchors = (readPem(trust.ca).certificates ?? []).filter(({ validToDate }) => validToDate.getTime() > nowMs);
  const chain = [certificate, ...issuersOf(certificate)].flatMap(({ raw }) => (raw ? [new X509Certificate(raw)] : []));
  const issuers = anchors.filter((anchor) => chain.some((one) => one.checkIssued(anchor)));
  const ends = issuers.map(({ validTo }) => endOf(validTo)).filter(isTime);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

const isTime = (time: number | undefined): time is number => time !== undefined;

/** Yields a certificate's issuers, up to one that is self-signed or has an unknown issuer. */
function* issuersOf(certificate: Partial<DetailedPeerCertificate>): Generator<PeerCertificate> {
  const seen = new Set([certificate]);
  for (let issuer = certificate.issuerCertificate; issuer && !seen.has(issuer); issuer = issuer.issuerCertificate) {
    seen.add(issuer);
    yield issuer;
  }
}

/** Returns the date in seconds since the epoch, or undefined if there is no date. */
function endOf(validTo: string | undefined): number | undefined {
  const endsAt = Date.parse(validTo ?? '') / 1000;
  return Number.isNaN(endsAt) ? undefined : endsAt;
}

function resumableBy(poolKey: string): Resumable | undefined {
  const resumable = sessions.get(poolKey);
  // Resuming a session does not check the certificates' validity dates again.
  return isOver(resumable?.certificateEndsAt) ? undefined : resumable;
}

/** Returns true if a certificate has expired. Returns false if its expiry is unknown. */
export const isOver = (certificateEndsAt: number | undefined): boolean =>
  certificateEndsAt !== undefined && Date.now() >= 1000 * certificateEndsAt;

function connectionOptions(
  { host, trust }: FlashBlade,
  secureContext: SecureContext,
  session: Buffer | undefined,
): ConnectionOptions {
  return {
    host,
    secureContext,
    ALPNProtocols: ['http/1.1'],
    // This option is set explicitly, so that no environment variable can change it. With fingerprints, Node would reject the certificate
    // before the fingerprint comparison, so `refusal` verifies the certificate instead. Sessions are then never resumed, because a resumed
    // session would have no certificate to compare.
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

function authorities(array: FlashBlade): { ca?: string[] } {
  const { trust } = array;
  if (trust.kind === 'public' || trust.kind === 'fingerprints') return {};
  const { certificates, fault } = readPem(`${trust.ca}`);
  // OpenSSL would silently skip anything that it cannot read in the original text, so encode each certificate as PEM again.
  if (certificates !== undefined) return { ca: certificates.map(String) };
  throw new FlashBladeError('SECRET_INVALID', `${describeArray(array)}: trust.ca ${fault}`, { sent: false });
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
