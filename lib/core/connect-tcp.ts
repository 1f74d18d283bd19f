/** Opens a TCP connection to a host, through whichever of its addresses accepts the connection first. */
import dns, { type LookupAddress } from 'node:dns';
import { connect, isIP, type Socket } from 'node:net';

export type Address = { readonly host: string; readonly port: number };

/** The reason why no connection was made. */
export type NoConnection = {
  /** The error code of the DNS lookup, or the one that all addresses share. Undefined if the addresses failed in different ways. */
  readonly code: string | undefined;
};

/** A connection that is being opened. */
export type Connecting = {
  /** Stops trying. Does nothing after `done` has been called. */
  readonly destroy: () => void;
  /** Returns each address's outcome so far, such as `192.0.2.1 did not respond`. Empty if the host is itself an address. */
  readonly tried: () => string;
  /** Returns true if the host's addresses are known. */
  readonly isResolved: () => boolean;
};

/** One of the host's addresses. `code` is its outcome, once known. */
type Attempt = { readonly address: string; socket?: Socket; code?: string };

/** The time after which the next address is tried as well. Node's own connections would give up on an address after this time. */
const HEAD_START_MS = 250;

const CONNECTED = 'CONNECTED';
const OUTCOMES: Readonly<Record<string, string>> = {
  [CONNECTED]: 'accepted the connection',
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'cut the connection',
  EHOSTUNREACH: 'is unreachable (no route)',
  ENETUNREACH: 'is unreachable (no route)',
  ETIMEDOUT: 'did not respond',
};

/**
 * Connects, and calls `done` once. Does not enforce `limitMs`, after which the caller must give up. Tries the addresses one after another,
 * fast enough to give each one time to respond, unless there are very many. Earlier tries continue when the next one begins.
 */
export function connectTcp(
  { host, port }: Address,
  limitMs: number,
  done: (made: Socket | NoConnection) => void,
): Connecting {
  let attempts: readonly Attempt[] = [];
  let begun = 0;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  const end = (winner?: Socket) => {
    isOver = true;
    clearTimeout(timer);
    for (const { socket } of attempts) if (socket !== winner) socket?.destroy();
  };
  const finish = (made: Socket | NoConnection, winner?: Socket) => {
    end(winner);
    done(made);
  };
  const begin = (): void => {
    clearTimeout(timer);
    const attempt = attempts[begun];
    if (isOver || attempt === undefined) return;
    begun += 1;
    const socket = connect({ host: attempt.address, port, noDelay: true });
    attempt.socket = socket;
    // This listener is never removed, because a socket that lost the race may fail later.
    socket.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      if (isOver) return;
      attempt.code = code;
      const codes = attempts.map((each) => each.code);
      if (codes.includes(undefined)) return begin();
      finish({ code: new Set(codes).size === 1 ? code : undefined });
    });
    socket.once('connect', () => {
      if (isOver) return;
      attempt.code = CONNECTED;
      finish(socket, socket);
    });
    timer = setTimeout(begin, Math.min(HEAD_START_MS, limitMs / (2 * attempts.length)));
  };
  const beginAll = (addresses: readonly string[]): void => {
    attempts = addresses.map((address) => ({ address }));
    begin();
  };

  if (isIP(host) !== 0) beginAll([host]);
  else {
    dns.lookup(host, { all: true }, (error, addresses) => {
      if (isOver) return;
      if (error === null && addresses.length > 0) beginAll(alternating(addresses));
      else finish({ code: error?.code ?? 'ENOTFOUND' });
    });
  }

  const outcomeOf = ({ address, socket, code }: Attempt): string => {
    if (socket === undefined) return `${address} was not tried`;
    return `${address} ${OUTCOMES[code ?? 'ETIMEDOUT'] ?? `failed (${code})`}`;
  };
  return {
    // Node crashes if a TCP connection is destroyed together with the TLS connection on top of it, so the winning connection is left alone.
    destroy: () => {
      if (!isOver) end();
    },
    tried: () => (isIP(host) === 0 ? attempts.map(outcomeOf).join(', ') : ''),
    isResolved: () => attempts.length > 0,
  };
}

/** Sorts addresses so that IPv6 and IPv4 alternate, because some networks support only one of the two. */
function alternating(addresses: readonly LookupAddress[]): string[] {
  const isFirst = ({ family }: LookupAddress) => family === addresses[0]?.family;
  const same = addresses.filter(isFirst);
  const other = addresses.filter((each) => !isFirst(each));
  return addresses
    .flatMap((_, at) => [same[at], other[at]])
    .flatMap((each) => (each === undefined ? [] : [each.address]));
}
