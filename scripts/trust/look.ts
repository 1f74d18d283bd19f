/** Reads the certificates that a server presents in the TLS handshake, without sending application data or trusting the certificate. */
import { X509Certificate } from 'node:crypto';
import { isIP, Socket } from 'node:net';
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { type Address, connectTcp } from '../../lib/core/connect-tcp.ts';
import { networkReason, reasonOf } from '../../lib/flashblade/tls-errors.ts';
import { addressOf } from '../../lib/flashblade/trust.ts';

export type { Address } from '../../lib/core/connect-tcp.ts';

export type Presented = {
  /** The server's own certificate, then the issuer certificates that the server presents. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** TLS version, such as `TLSv1.3`. */
  readonly protocol: string;
  /** The reason why the certificate is not publicly trusted for this host. Undefined if the certificate is trusted. */
  readonly publicRefusal: string | undefined;
};

/** `timeoutMs` is the total time limit for the DNS lookup, connection and handshake. Default: 10 seconds. */
export type LookOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined };

const TIMEOUT_MS = 10_000;
/** A chain usually has two or three certificates. */
const MAX_CHAIN = 10;

/** Connects twice and disconnects. Throws an Error with the reason if the server presents no certificate. */
export async function look(address: Address, options: LookOptions = {}): Promise<Presented> {
  // Without trusted authorities, Node cannot add one to the chain, so it returns exactly the chain that the server presents. Accept any
  // certificate, so that it can be shown. Nothing is ever written to this connection.
  const presented = handshake(address, { ca: [], rejectUnauthorized: false }, options, (socket) => ({
    chain: chainOf(socket.getPeerCertificate(true)),
    protocol: socket.getProtocol() ?? 'unknown',
  }));
  const refusal = handshake<string | undefined>(
    address,
    { rejectUnauthorized: true },
    options,
    () => undefined,
    (why) => why,
  );
  const [{ chain, protocol }, publicRefusal] = await Promise.all([presented, refusal]);
  const [own, ...others] = chain;
  if (own === undefined) throw new Error(`${addressOf(address)} presents no certificate`);
  return { chain: [own, ...others], protocol, publicRefusal };
}

/**
 * Connects, then calls `read` after the TLS handshake, or `refused` if the certificate is not accepted. Resolves with the result and closes
 * the connection.
 */
function handshake<Found>(
  address: Address,
  trust: Pick<ConnectionOptions, 'ca' | 'rejectUnauthorized'>,
  { timeoutMs = TIMEOUT_MS, signal }: LookOptions,
  read: (socket: TLSSocket) => Found,
  refused?: (why: string) => Found,
): Promise<Found> {
  const { host } = address;
  return new Promise((resolve, reject) => {
    let socket: TLSSocket | undefined;
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      connecting.destroy();
    };
    const fail = (why: string) => {
      end();
      reject(new Error(`${addressOf(address)} ${why}`));
      socket?.destroy();
    };
    const timer = setTimeout(() => {
      fail(`did not complete a TLS handshake within ${timeoutMs} ms${socket ? '' : among(connecting.tried())}`);
    }, timeoutMs);
    const onAbort = () => fail('was not checked, because the command was interrupted');
    signal?.addEventListener('abort', onAbort);
    const connecting = connectTcp(address, timeoutMs, (tcp) => {
      if (!(tcp instanceof Socket))
        return fail(`cannot be reached: ${networkReason(tcp.code)}${among(connecting.tried())}`);
      const options = { ...trust, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;
      const tls = connect({ socket: tcp, host, ...options, ...(isIP(host) === 0 ? { servername: host } : {}) });
      socket = tls;
      tls.once('secureConnect', () => {
        end();
        resolve(read(tls));
        // Close the TLS connection properly, so that the server does not log an error.
        tls.end(() => tls.destroy());
      });
      tls.on('error', (error) => {
        const { about, why, advice } = reasonOf(error);
        if (about === 'certificate' && refused) resolve(refused(why));
        fail(about === 'network' ? `cannot be reached: ${why}` : `cannot be used: ${why}. ${advice}`);
      });
      tls.once('close', () => fail('closed the connection during the TLS handshake'));
    });
  });
}

const among = (tried: string): string => (tried === '' ? '' : ` (${tried})`);

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
