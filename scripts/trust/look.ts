/** Reads what a server presents in the TLS handshake, without sending application data or trusting the certificate. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { codeOf } from '../../lib/flashblade/tls-errors.ts';
import { addressOf } from '../../lib/flashblade/trust.ts';

/** `host` has no brackets. */
export type Address = { readonly host: string; readonly port: number };

export type Presented = {
  /** The server's own certificate, then the issuer certificates that the server presents. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** TLS version, such as `TLSv1.3`. */
  readonly protocol: string;
  /** The error from OpenSSL or Node if the certificate is not publicly trusted for this host. Otherwise undefined. */
  readonly publicRefusal: string | undefined;
};

/** `timeoutMs` is the total time limit for the name lookup, connection and handshake. Default: 10 seconds. */
export type LookOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined };

const TIMEOUT_MS = 10_000;
/** A chain usually has two or three certificates. */
const MAX_CHAIN = 10;

/** Connects twice and disconnects. If there is no certificate, throws an Error that says why. */
export async function look(address: Address, options: LookOptions = {}): Promise<Presented> {
  // Without trusted authorities, Node cannot add one to the chain, so it returns exactly the chain that the server presents.
  const presented = handshake(address, { ca: [] }, options, (socket) => ({
    chain: chainOf(socket.getPeerCertificate(true)),
    protocol: socket.getProtocol() ?? 'unknown',
  }));
  const refusal = handshake(address, {}, options, refusalOf);
  const [{ chain, protocol }, publicRefusal] = await Promise.all([presented, refusal]);
  const [own, ...others] = chain;
  if (own === undefined) throw new Error(`${addressOf(address)} presents no certificate`);
  return { chain: [own, ...others], protocol, publicRefusal };
}

/** Connects, calls `read` after the TLS handshake, resolves with the result, and closes the connection. */
function handshake<Found>(
  address: Address,
  trust: Pick<ConnectionOptions, 'ca'>,
  { timeoutMs = TIMEOUT_MS, signal }: LookOptions,
  read: (socket: TLSSocket) => Found,
): Promise<Found> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    // Accept any certificate, so that it can be shown. Nothing is ever written to this connection.
    const seen = { ...trust, rejectUnauthorized: false, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;
    const socket = connect({ host, port, ...seen, ...(isIP(host) === 0 ? { servername: host } : {}) });
    const fail = (why: string) => {
      reject(new Error(`${addressOf(address)} ${why}`));
      socket.destroy();
    };
    const timer = setTimeout(() => fail(`did not complete a TLS handshake within ${timeoutMs} ms`), timeoutMs);
    const onAbort = () => fail('was not checked, because the command was interrupted');
    signal?.addEventListener('abort', onAbort);
    socket.once('secureConnect', () => {
      resolve(read(socket));
      // Close the TLS connection properly, so that the server does not log an error.
      socket.end(() => socket.destroy());
    });
    socket.on('error', (error) => fail(failureOf(codeOf(error))));
    socket.once('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      fail('closed the connection during the TLS handshake');
    });
  });
}

function chainOf(own: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = own;
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(new X509Certificate(next.raw));
    // At the end of the chain, Node returns the certificate as its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

// authorizationError has the type Error, but its value is the error code as a string.
const refusalOf = ({ authorized, authorizationError }: TLSSocket): string | undefined =>
  authorized ? undefined : String(authorizationError);

const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is an unknown host; check the name',
  EAI_AGAIN: 'cannot be resolved, because the name server does not respond',
  ECONNREFUSED: 'refuses connections; check the port and whether the management service is up',
};

function failureOf(code: string): string {
  if (NETWORK[code] !== undefined) return `${NETWORK[code]} (${code})`;
  const reached = code === 'EPROTO' || code.startsWith('ERR_') || code === 'unknown';
  return reached ? `does not speak TLS 1.2 or newer (${code})` : `cannot be reached (${code})`;
}
