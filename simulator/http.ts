/** HTTP/1.1 and HTTP/2 servers for one array. They take over connections once the TLS handshake is complete. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Connection, OnIncoming } from './connections.ts';
import type { SimulatorOptions } from './options.ts';

export type Incoming = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

const KEEP_ALIVE_MS = 75_000;

export function createHttp({ keepAliveMs = KEEP_ALIVE_MS }: SimulatorOptions, onIncoming: OnIncoming) {
  const bySocket = new WeakMap<Duplex, Connection>();
  const bySession = new WeakMap<Http2Session, Connection>();
  const http1 = createServer({ keepAliveTimeout: keepAliveMs });
  const http2 = createHttp2Server();

  http1.on('request', (request, response) => {
    const connection = bySocket.get(request.socket);
    if (connection !== undefined) onIncoming(connection, request, response);
  });
  http2.on('request', (request, response) => {
    const connection = request.stream.session && bySession.get(request.stream.session);
    if (connection !== undefined) onIncoming(connection, request, response);
  });

  function serve(connection: Connection): void {
    const { socket, protocol } = connection;
    if (protocol === 'HTTP/1.1') {
      bySocket.set(socket, connection);
      http1.emit('connection', socket);
    } else {
      http2.once('session', (session) => bySession.set(session, connection));
      http2.emit('connection', socket);
    }
  }

  return { serve };
}
