/** Connections to arrays: who waits for an answer on one, which may be used again, and until when. */
import { FlashBladeError } from '../../ground/errors.ts';
import type { FlashBlade } from '../../ground/model.ts';
import type { Tokens } from '../../ground/redact.ts';
import { connectTls, isOver, type Made, openSockets } from './tls.ts';
import { codeOf } from './tls-errors.ts';

/** Each holds memory, and one of the 1024 files that Lambda lets a process open. */
const MAX_IDLE = 128;

export type Connection = Made & {
  /** Array and trust. If two of them shared a connection, it would carry one's token to the other. */
  readonly place: string;
  /** Who asked; undefined while the connection waits for another request. */
  user: User | undefined;
  /** Whether an earlier request was answered on it. */
  isReused: boolean;
  /** Since when it waits, in milliseconds since the epoch. */
  idleSinceMs: number;
};

export type User = {
  /** Bytes that came; `undefined`: the other side sends no more. */
  readonly onBytes: (bytes: Buffer | undefined) => void;
  /** The connection is no more. */
  readonly onBroken: (code: string) => void;
};

/** Connections that wait for another request; the one that has waited for longest comes first. */
const idle = new Set<Connection>();

/** Makes a connection, and tells `done` at once when it can be asked. Limit, errors and tokens as in `connectTls`. */
export function openConnection(
  array: FlashBlade,
  place: string,
  limitMs: number,
  done: (made: Connection | FlashBladeError) => void,
  tokens: Tokens,
): void {
  const followed = (made: Made | FlashBladeError) => {
    if (made instanceof FlashBladeError) done(made);
    else done(follow({ ...made, place, user: undefined, isReused: false, idleSinceMs: 0 }));
  };
  connectTls(array, limitMs, followed, tokens);
}

function follow(connection: Connection): Connection {
  const { socket } = connection;
  // Who waits for an answer has a timer, which keeps the process alive; a connection that nobody waits on must not.
  socket.unref();
  const hear = (bytes: Buffer | undefined) => {
    // What nobody asked for: whoever asks next would take it for an answer.
    if (connection.user === undefined) socket.destroy();
    else connection.user.onBytes(bytes);
  };
  socket.on('data', hear);
  socket.on('end', () => hear(undefined));
  socket.on('error', (error) => connection.user?.onBroken(codeOf(error)));
  socket.on('close', () => {
    idle.delete(connection);
    connection.user?.onBroken('ECONNRESET');
  });
  return connection;
}

/** Of the connections of this place that wait, the one that was used last. One of whose certificates one has ended is closed. */
export function takeIdle(place: string): Connection | undefined {
  let last: Connection | undefined;
  for (const connection of idle) {
    if (connection.place !== place || connection.socket.destroyed) continue;
    if (isOver(connection.certificateEndsAt)) drop(connection);
    else last = connection;
  }
  if (last === undefined) return undefined;
  idle.delete(last);
  return last;
}

/** Lets a connection wait for another request. Of too many, the one that has waited for longest is closed. */
export function release(connection: Connection): void {
  if (connection.socket.destroyed) return;
  connection.isReused = true;
  connection.idleSinceMs = Date.now();
  idle.add(connection);
  if (idle.size <= MAX_IDLE) return;
  const [longest] = idle;
  if (longest !== undefined) drop(longest);
}

/** Closes the connections of this place that have waited since `sinceMs` or longer. */
export function dropIdle(place: string, sinceMs: number): void {
  for (const connection of idle) if (connection.place === place && connection.idleSinceMs <= sinceMs) drop(connection);
}

function drop(connection: Connection): void {
  idle.delete(connection);
  connection.socket.destroy();
}

let closings = 0;

/** How many times all connections were ended. */
export const closingsSoFar = (): number => closings;

/**
 * Ends every connection of this process; what is under way fails with ARRAY_UNREACHABLE, and is not repeated. Only a
 * login that had opened a session already still closes it, on a new connection. TLS sessions are kept, so that the next
 * connection to an array is cheaper. Call it when an invocation ends: a frozen process thaws with dead sockets.
 */
export function closeConnections(): void {
  closings += 1;
  for (const socket of openSockets) socket.destroy();
}
