/** What a server presents in the TLS handshake. Not one byte of an application is sent, and nothing is believed here. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { codeOf } from '../../lib/flashblade/tls-errors.ts';
import { addressOf } from '../../lib/flashblade/trust.ts';

/** `host` without brackets. */
export type Address = { readonly host: string; readonly port: number };

export type Presented = {
  /** The server's own certificate, then those that it presents to vouch for it. At least one. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** `TLSv1.3` */
  readonly protocol: string;
  /** Why the public certificate authorities do not accept it for this host, as OpenSSL or Node name it; undefined if they do. */
  readonly publicRefusal: string | undefined;
};

/** `timeoutMs`: for name look-up, connection and handshake together, default 10 seconds. */
export type LookOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined };

const TIMEOUT_MS = 10_000;
/** A chain is two or three certificates long. */
const MAX_CHAIN = 10;

/** Connects twice and hangs up. Throws an Error that says why there is no certificate to look at. */
export async function look(address: Address, options: LookOptions = {}): Promise<Presented> {
  // Without authorities of our own, Node cannot add one of them to the chain: what it gives is what was presented.
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

/** Takes what `read` finds in a connection whose handshake is over, and closes it. */
function handshake<Found>(
  address: Address,
  trust: Pick<ConnectionOptions, 'ca'>,
  { timeoutMs = TIMEOUT_MS, signal }: LookOptions,
  read: (socket: TLSSocket) => Found,
): Promise<Found> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    // Whatever is presented is to be seen, not believed: nothing is ever written to this connection.
    const seen = { ...trust, rejectUnauthorized: false, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;
    const socket = connect({ host, port, ...seen, ...(isIP(host) === 0 ? { servername: host } : {}) });
    const fail = (why: string) => {
      reject(new Error(`${addressOf(address)} ${why}`));
      socket.destroy();
    };
    const timer = setTimeout(() => fail(`did not complete a TLS handshake within ${timeoutMs} ms`), timeoutMs);
    const onAbort = () => fail('was not looked at: interrupted');
    signal?.addEventListener('abort', onAbort);
    socket.once('secureConnect', () => {
      resolve(read(socket));
      // Says goodbye as TLS does, so that the other side sees a whole handshake and not a fault.
      socket.end(() => socket.destroy());
    });
    socket.on('error', (error) => fail(failureOf(codeOf(error))));
    socket.once('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      fail('closed the connection in the TLS handshake');
    });
  });
}

function chainOf(own: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = own;
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(new X509Certificate(next.raw));
    // The last one names itself as its issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

// Typed as an Error, it is the code as a string.
const refusalOf = ({ authorized, authorizationError }: TLSSocket): string | undefined =>
  authorized ? undefined : String(authorizationError);

const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is not known to the name service: check the name',
  EAI_AGAIN: 'cannot be looked up: the name service does not answer',
  ECONNREFUSED: 'refuses connections: check the port, and that the management service is up',
};

function failureOf(code: string): string {
  if (NETWORK[code] !== undefined) return `${NETWORK[code]} (${code})`;
  const reached = code === 'EPROTO' || code.startsWith('ERR_') || code === 'unknown';
  return reached ? `does not speak TLS 1.2 or newer (${code})` : `cannot be reached (${code})`;
}
