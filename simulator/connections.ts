/**
 * The server's network layer. Accepts TCP connections, performs TLS handshakes, and passes each connection to the server
 * for the HTTP version that ALPN selects.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { ConnectionFault, Faults } from './faults.ts';
import { createHttp, type Incoming, type Response } from './http.ts';
import type { PresentedCertificate, SimulatorOptions } from './options.ts';

export type Connection = {
  readonly id: number;
  readonly socket: TLSSocket;
  readonly protocol: 'HTTP/1.1' | 'HTTP/2';
  /** Ends the connection with a TCP reset. */
  readonly reset: () => void;
};

export type Counters = {
  /** Accepted TCP connections. */
  readonly connections: number;
  readonly fullHandshakes: number;
  readonly resumedHandshakes: number;
  /** Decrypted bytes received from clients. */
  readonly applicationBytes: number;
};

export type OnIncoming = (connection: Connection, request: Incoming, response: Response) => void;

/** Allows small keys like those on old arrays. The client decides whether a key is strong enough. */
const CIPHERS = 'DEFAULT@SECLEVEL=0';
/** The first bytes of a 122-byte ServerHello. */
const HALF_SERVER_HELLO = Buffer.from('160303007a020000760303', 'hex');

const APPLY_FAULT: Readonly<Record<ConnectionFault['kind'], (socket: Socket) => void>> = {
  refuse: (socket) => socket.resetAndDestroy(),
  'reset-at-accept': (socket) => socket.resetAndDestroy(),
  'hang-at-accept': () => {},
  'hang-in-handshake': (socket) => socket.once('data', () => socket.write(HALF_SERVER_HELLO)),
  'plain-text': (socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
};

export type Connections = Awaited<ReturnType<typeof openConnections>>;

/** Starts listening. Calls `onIncoming` with each request and its connection. */
export async function openConnections(
  options: SimulatorOptions,
  certificate: PresentedCertificate,
  takeFault: Faults['takeForConnection'],
  onIncoming: OnIncoming,
) {
  const totals = { connections: 0, fullHandshakes: 0, resumedHandshakes: 0, applicationBytes: 0 };
  const tcpConnections = new Map<string, { readonly id: number; readonly tcp: Socket }>();
  const tlsSockets = new Set<TLSSocket>();
  const http = createHttp(options, onIncoming);
  const tls = createTlsServer({ ...tlsOptions(certificate, options), ALPNProtocols: ['h2', 'http/1.1'] });
  const server = createServer();

  server.on('connection', (tcp) => {
    const peer = peerOf(tcp);
    tcpConnections.set(peer, { id: ++totals.connections, tcp });
    tcp.on('error', () => {});
    tcp.once('close', () => tcpConnections.delete(peer));
    const fault = takeFault();
    if (fault === undefined) tls.emit('connection', tcp);
    else APPLY_FAULT[fault.kind](tcp);
  });
  tls.on('tlsClientError', (_, socket) => socket.destroy());
  tls.on('secureConnection', (socket) => {
    totals[socket.isSessionReused() ? 'resumedHandshakes' : 'fullHandshakes'] += 1;
    tlsSockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      tlsSockets.delete(socket);
      totals.applicationBytes += socket.bytesRead;
    });
    const { id, tcp } = tcpConnections.get(peerOf(socket)) ?? {};
    if (id === undefined || tcp === undefined) return void socket.destroy();
    const protocol = socket.alpnProtocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1';
    http.serve({ id, socket, protocol, reset: () => tcp.resetAndDestroy() });
  });

  async function listen(port = options.port ?? 0): Promise<number> {
    server.listen(port, options.host ?? '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** Stops listening and closes every connection. */
  async function stop(): Promise<void> {
    if (server.listening) server.close();
    const open = [...tlsSockets, ...[...tcpConnections.values()].map(({ tcp }) => tcp)];
    const closed = Promise.all(open.map((socket) => once(socket, 'close')));
    for (const { tcp } of tcpConnections.values()) tcp.destroy();
    await closed;
  }

  const port = await listen();
  return {
    port,
    counters: (): Counters => ({
      ...totals,
      applicationBytes: [...tlsSockets].reduce((sum, { bytesRead }) => sum + bytesRead, totals.applicationBytes),
    }),
    swapCertificate: (next: PresentedCertificate): void => {
      tls.setSecureContext(tlsOptions(next, options));
    },
    /** Stops listening (`true`) or starts listening again (`false`). Existing connections stay open. */
    refuse: async (refused: boolean): Promise<void> => {
      if (refused) server.close();
      else await listen(port);
    },
    stop,
  };
}

function tlsOptions({ certificate, key }: PresentedCertificate, options: SimulatorOptions): TlsOptions {
  const { ticketKeys, minTlsVersion: minVersion, maxTlsVersion: maxVersion } = options;
  return {
    cert: certificate,
    key,
    ciphers: CIPHERS,
    ...(ticketKeys && { ticketKeys }),
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
  };
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
