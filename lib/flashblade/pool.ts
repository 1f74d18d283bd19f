/** The connection pool. Selects a connection for each request, and decides which idle connections may be reused. */
import { FlashBladeError } from '../core/errors.ts';
import type { FlashBlade } from '../core/model.ts';
import type { Tokens } from '../core/redact.ts';
import { connectTls, isOver, openSockets, type TlsConnection } from './tls.ts';
import { codeOf } from './tls-errors.ts';

/** Each idle connection uses memory and one of the 1024 file descriptors that Lambda allows per process. */
const MAX_IDLE = 128;

export type Connection = TlsConnection & {
  /** Identifies the array and the way in which its certificate is verified. If two arrays shared a connection, they would receive each other's tokens. */
  readonly poolKey: string;
  /** The request in progress. Undefined while the connection is idle. */
  user: User | undefined;
  /** True if an earlier request used the connection. */
  isReused: boolean;
  /** Time at which the connection became idle, in milliseconds since the epoch. */
  idleSinceMs: number;
};

type User = {
  /** Called with bytes as they arrive, and with `undefined` once the other side has finished sending. */
  readonly onBytes: (bytes: Buffer | undefined) => void;
  /** Called when the connection is lost. */
  readonly onBroken: (code: string) => void;
};

/** Idle connections, longest idle first. */
const idle = new Set<Connection>();

/** Opens a connection and calls `done` with the connection or an error. The limit, errors and tokens work as in `connectTls`. */
export function openConnection(
  array: FlashBlade,
  poolKey: string,
  limitMs: number,
  done: (made: Connection | FlashBladeError) => void,
  tokens: Tokens,
): void {
  const connected = (made: TlsConnection | FlashBladeError) => {
    if (made instanceof FlashBladeError) done(made);
    else done(listen({ ...made, poolKey, user: undefined, isReused: false, idleSinceMs: 0 }));
  };
  connectTls(array, limitMs, connected, tokens);
}

function listen(connection: Connection): Connection {
  const { socket } = connection;
  // A request in progress has a timer that keeps the process alive. An idle connection must not keep it alive.
  socket.unref();
  const onBytes = (bytes: Buffer | undefined) => {
    // If the connection stayed open, the next request would read these bytes as its response.
    if (connection.user === undefined) socket.destroy();
    else connection.user.onBytes(bytes);
  };
  socket.on('data', onBytes);
  socket.on('end', () => onBytes(undefined));
  socket.on('error', (error) => connection.user?.onBroken(codeOf(error)));
  socket.on('close', () => {
    idle.delete(connection);
    connection.user?.onBroken('ECONNRESET');
  });
  return connection;
}

/** Takes the most recently used idle connection with this key. Closes connections whose certificates have expired. */
export function takeIdle(poolKey: string): Connection | undefined {
  let last: Connection | undefined;
  for (const connection of idle) {
    if (connection.poolKey !== poolKey || connection.socket.destroyed) continue;
    if (isOver(connection.certificateEndsAt)) drop(connection);
    else last = connection;
  }
  if (last === undefined) return undefined;
  idle.delete(last);
  return last;
}

/** Makes a connection idle. If too many are idle, closes the one that has been idle the longest. */
export function release(connection: Connection): void {
  if (connection.socket.destroyed) return;
  connection.isReused = true;
  connection.idleSinceMs = Date.now();
  idle.add(connection);
  if (idle.size <= MAX_IDLE) return;
  const [longest] = idle;
  if (longest !== undefined) drop(longest);
}

/** Closes the connections with this key that became idle at or before `sinceMs`. */
export function dropIdle(poolKey: string, sinceMs: number): void {
  for (const connection of idle)
    if (connection.poolKey === poolKey && connection.idleSinceMs <= sinceMs) drop(connection);
}

function drop(connection: Connection): void {
  idle.delete(connection);
  connection.socket.destroy();
}

let closings = 0;

export const closingsSoFar = (): number => closings;

/**
 * Closes every connection in this process. Requests in progress fail with ARRAY_UNREACHABLE and are not retried. However, a login that has
 * already opened a session still closes it, on a new connection. TLS sessions are kept, so the next connection to an array is cheaper. Call
 * this function when an invocation ends, because connections can break while the process is frozen. Sessions stay open.
 *
 * @example
 * const versions = await apiVersions(array);
 * closeConnections();
 */
export function closeConnections(): void {
  closings += 1;
  for (const socket of openSockets) socket.destroy();
}
