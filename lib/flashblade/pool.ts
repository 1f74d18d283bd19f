/** The connection pool: which connection serves which request, and which idle ones may be used again. */
import { FlashBladeError } from '../core/errors.ts';
import type { FlashBlade } from '../core/model.ts';
import type { Tokens } from '../core/redact.ts';
import { connectTls, isOver, openSockets, type TlsConnection } from './tls.ts';
import { codeOf } from './tls-errors.ts';

/** Each holds memory and one of the 1024 files that Lambda lets a process open. */
const MAX_IDLE = 128;

export type Connection = TlsConnection & {
  /** Array and trust. Two arrays that shared a connection would receive each other's tokens. */
  readonly poolKey: string;
  /** The request in progress; undefined while the connection is idle. */
  user: User | undefined;
  /** Whether it has served an earlier request. */
  isReused: boolean;
  /** When it became idle, in milliseconds since the epoch. */
  idleSinceMs: number;
};

type User = {
  /** Called with the bytes that arrive; with `undefined` once the other side sends no more. */
  readonly onBytes: (bytes: Buffer | undefined) => void;
  /** Called when the connection is gone. */
  readonly onBroken: (code: string) => void;
};

/** Idle connections, the one that has been idle the longest first. */
const idle = new Set<Connection>();

/** Opens a connection and calls `done` as soon as it can take a request. Limit, errors and tokens as in `connectTls`. */
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
  // A request in progress has a timer, which keeps the process alive; an idle connection must not.
  socket.unref();
  const onBytes = (bytes: Buffer | undefined) => {
    // Unrequested bytes: the next request would read them as its response.
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

/** Takes the most recently used idle connection with this key. Closes those that were verified by a certificate that has expired since. */
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

/** Makes a connection idle. If there are too many, closes the one that has been idle the longest. */
export function release(connection: Connection): void {
  if (connection.socket.destroyed) return;
  connection.isReused = true;
  connection.idleSinceMs = Date.now();
  idle.add(connection);
  if (idle.size <= MAX_IDLE) return;
  const [longest] = idle;
  if (longest !== undefined) drop(longest);
}

/** Closes the connections with this key that have been idle since `sinceMs` or longer. */
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
 * Closes every connection of this process. Requests in progress fail with ARRAY_UNREACHABLE and are not retried. Only a
 * login that has already opened a session still closes it, on a new connection. TLS sessions are kept, so that the next
 * connection to an array is cheaper. Call it when an invocation ends: a frozen process thaws with dead sockets.
 */
export function closeConnections(): void {
  closings += 1;
  for (const socket of openSockets) socket.destroy();
}
