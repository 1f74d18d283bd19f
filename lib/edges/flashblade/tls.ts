/** Opens TLS connections to arrays, and hands over only those whose other end is the array. */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { FlashBladeError } from '../../ground/errors.ts';
import type { FlashBlade } from '../../ground/model.ts';
import { isCertificates } from '../../ground/trust.ts';
import { failedCheck } from './fingerprints.ts';
import { digestOf, placeOf } from './places.ts';
import { remember } from './recent.ts';
import { connectionError, describeArray, unreachable, untrusted } from './tls-errors.ts';

const MAX_REMEMBERED = 1024;

const contexts = new Map<string, SecureContext>();
const sessions = new Map<string, Buffer>();
/** A connection that resumes a session shows no certificate: when the one ends that was verified before. */
const certificateEnds = new Map<string, number>();

/** Every connection of this process that is not closed yet, those that are still being made included. */
export const openSockets = new Set<TLSSocket>();

/** When the certificate ends by which an array was verified, in seconds since the epoch. Undefined: no connection was made. */
export const certificateEndAt = (place: string): number | undefined => certificateEnds.get(place);

/**
 * Connects, verifies and calls `done` once: with a socket that is safe to write to, or with ARRAY_UNREACHABLE or
 * ARRAY_UNTRUSTED (and the dead socket). Takes at most `limitMs`, name look-up and handshake included.
 * Throws SECRET_INVALID if the trust cannot be used.
 */
export function connectTls(
  array: FlashBlade,
  limitMs: number,
  done: (error: FlashBladeError | null, socket: TLSSocket) => void,
): void {
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  const place = placeOf(array);
  const socket = connect(connectionOptions(array, place));
  const isPinned = array.trust.kind === 'fingerprints';
  let presented: PeerCertificate | undefined;
  let settled = false;
  const settle = (error: FlashBladeError | null) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    if (error !== null) discard(socket, place);
    done(error, socket);
  };
  const timer = setTimeout(() => settle(unreachable(array, 'no connection in time', elapsedMs())), limitMs);

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
    const error = refusal(array, socket, certificate);
    if (error === null) rememberEnd(place, certificate?.validTo ?? presented?.valid_to);
    settle(error);
  });
  socket.on('session', (session) => {
    if (socket.authorized && !isPinned) remember(sessions, place, session, MAX_REMEMBERED);
  });
  // The listener stays: a socket may break between two requests, when nobody else listens.
  socket.on('error', (error) => settle(connectionError(array, error, elapsedMs(), presented?.raw)));
  socket.once('close', () => {
    openSockets.delete(socket);
    if (!settled) settle(unreachable(array, 'the connection was closed', elapsedMs()));
  });
}

/** `validTo` is undefined on a connection that shows no certificate. */
function rememberEnd(place: string, validTo: string | undefined): void {
  const endsAt = validTo === undefined ? certificateEnds.get(place) : Date.parse(validTo) / 1000;
  if (endsAt !== undefined) remember(certificateEnds, place, endsAt, MAX_REMEMBERED);
}

function discard(socket: TLSSocket, place: string): void {
  sessions.delete(place);
  socket.destroy();
}

function connectionOptions(array: FlashBlade, place: string): ConnectionOptions {
  const { host, port, trust } = array;
  const pinned = trust.kind === 'fingerprints';
  // Nobody would look at the dates of the certificate again.
  const hasEnded = Date.now() >= 1000 * (certificateEnds.get(place) ?? 0);
  const session = pinned || hasEnded ? undefined : sessions.get(place);
  return {
    host,
    port,
    secureContext: contextOf(array),
    ALPNProtocols: ['http/1.1'],
    // Said aloud, so that no environment variable decides it. With a fingerprint, `refusal` is the verification: Node
    // would refuse before it could be compared. No session is offered then, a resumed one shows no certificate.
    rejectUnauthorized: !pinned,
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

function authorities({ trust, ...array }: FlashBlade): { ca?: string } {
  if (trust.kind === 'public' || trust.kind === 'fingerprints') return {};
  // An empty text would mean the public authorities.
  if (trust.kind === 'ca' && isCertificates(trust.ca)) return { ca: trust.ca };
  const where = describeArray({ trust, ...array });
  throw new FlashBladeError('SECRET_INVALID', `${where}: trust.ca must be PEM text of one or more certificates`, {
    sent: false,
  });
}

function refusal(
  array: FlashBlade,
  socket: TLSSocket,
  certificate: X509Certificate | undefined,
): FlashBladeError | null {
  const { trust } = array;
  if (trust.kind !== 'fingerprints') return socket.authorized ? null : untrusted(array, 'it was not verified');
  const check = failedCheck(trust, certificate, Date.now());
  return check === undefined ? null : untrusted(array, check, certificate);
}
