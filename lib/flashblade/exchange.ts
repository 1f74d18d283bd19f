/** Sends one HTTPS request to one array, with a time budget, at most one safe retry, no redirects, and a limit on the response size. */
import { randomUUID } from 'node:crypto';
import { FlashBladeError, known, withFacts } from '../core/errors.ts';
import type { FlashBlade } from '../core/model.ts';
import type { Tokens } from '../core/redact.ts';
import type { ResponseHead } from './http/body.ts';
import { EMPTY, EndedEarly, UnreadableResponse } from './http/input.ts';
import { isHeaderValue, type WireRequest, writeRequest } from './http/request.ts';
import { readResponse } from './http/response.ts';
import { type Connection, closingsSoFar, dropIdle, openConnection, release, takeIdle } from './pool.ts';
import { describeArray, lateRefusal } from './tls-errors.ts';
import { poolKeyOf } from './trust.ts';

/** Time limits for a call. */
export type Budget = {
  /** Milliseconds for the DNS lookup, connection and TLS handshake. Default: 2000. */
  readonly connectMs?: number;
  /** Milliseconds from the request to the response head. Default: 5000. */
  readonly firstByteMs?: number;
  /** Milliseconds for the whole call, including a retry. Default: 10000. */
  readonly totalMs?: number;
  /**
   * Deadline in milliseconds since the epoch. No phase continues and no request is sent after this time, even if the process was paused.
   * Default: none.
   */
  readonly deadline?: number | undefined;
};

type ExchangeOptions = {
  /** Uses only a new connection, or one used less than a second ago. Default: false. */
  readonly fresh?: boolean;
  /** Retries the request once if its connection fails. Default: false. */
  readonly repeatable?: boolean;
  /** Called with the status and headers as soon as they arrive, even if the body never arrives. */
  readonly onHead?: (head: ResponseHead) => void;
  /**
   * Returns true if the status alone decides the outcome. The response is then returned even if its body cannot be read for any reason.
   * Default: always false.
   */
  readonly decides?: (status: number) => boolean;
  /** Tokens to redact from certificate text in errors. Default: none. */
  readonly tokens?: Tokens;
};

export type WireResponse = ResponseHead & {
  /** Empty if only the head could be read. */
  readonly body: Buffer;
  /** The first bytes after the head. Set only if the body could not be read. May include framing. */
  readonly unread?: Buffer;
  readonly requestId: string;
  readonly certificateEndsAt: number | undefined;
};

type Try = {
  readonly array: FlashBlade;
  readonly poolKey: string;
  readonly request: WireRequest;
  /** Milliseconds per phase. `endsAt` is in milliseconds since the epoch. */
  readonly limits: { readonly connectMs: number; readonly firstByteMs: number; readonly endsAt: number };
  readonly onHead: ((head: ResponseHead) => void) | undefined;
  readonly decides: (status: number) => boolean;
  readonly tokens: Tokens;
};

/** `broken` is true if a new connection failed before the request was sent, or if a reused connection failed. */
type Outcome = { readonly response: WireResponse } | { readonly error: FlashBladeError; readonly broken: boolean };

/** Long enough for a login and its logout to share a connection, but too short for the connection to become stale. */
const FRESH_MS = 1000;
/** How long to wait for the body once the head has decided the outcome. */
const DECIDED_BODY_MS = 1000;
/** Enough to recognize markup, even after white space or a chunk size. */
const UNREAD_BYTES = 64;
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Sends one request and returns the whole response, regardless of its status. Redirects are returned, not followed. `requestId` is sent as
 * `X-Request-ID` and defaults to a random UUID.
 * Errors: OUT_OF_TIME, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, ANSWER_INVALID, REQUEST_INVALID, SECRET_INVALID (the trust settings are
 * invalid). `facts.sent` is true if any part of the request may have reached the array.
 */
export async function exchange(
  array: FlashBlade,
  request: Omit<WireRequest, 'requestId'> & { readonly requestId?: string | undefined },
  budget: Budget = {},
  options: ExchangeOptions = {},
): Promise<WireResponse> {
  const requestId = request.requestId ?? randomUUID();
  if (!isHeaderValue(requestId)) {
    throw unsent('REQUEST_INVALID', 'requestId must be 1 to 1024 visible ASCII characters');
  }
  if (!isAddress(array)) throw unsent('REQUEST_INVALID', 'the array must have a host and a port from 1 to 65535');
  const { connectMs = 2000, firstByteMs = 5000, totalMs = 10_000, deadline = Number.POSITIVE_INFINITY } = budget;
  const limits = { connectMs, firstByteMs, endsAt: Math.min(Date.now() + totalMs, deadline) };
  if (limits.endsAt <= Date.now()) throw outOfTime(array);

  const closings = closingsSoFar();
  const poolKey = poolKeyOf(array);
  const { onHead, decides = () => false, tokens = [] } = options;
  const oneTry: Try = { array, poolKey, request: { ...request, requestId }, limits, onHead, decides, tokens };
  if (options.fresh) dropIdle(poolKey, Date.now() - FRESH_MS);
  const first = await tryOnce(oneTry);
  if ('response' in first) return first.response;
  const mayRetry = options.repeatable && first.broken && closings === closingsSoFar();
  if (!mayRetry || limits.endsAt <= Date.now()) throw first.error;

  dropIdle(poolKey, Number.POSITIVE_INFINITY);
  const second = await tryOnce(oneTry);
  if ('response' in second) return second.response;
  // If only the first try may have reached the array, report the first error.
  throw first.error.facts.sent && !second.error.facts.sent ? first.error : second.error;
}

/** Sends the request once, on an idle connection or a new one. Resolves even if the network or the array fails. */
function tryOnce(oneTry: Try): Promise<Outcome> {
  const { array, poolKey, request, limits, tokens } = oneTry;
  const text = writeRequest(array, request);
  if (text === undefined) throw unwritable(array);
  return new Promise((resolve) => {
    const idle = takeIdle(poolKey);
    if (idle !== undefined) return send(idle, oneTry, text, resolve);
    const done = (made: Connection | FlashBladeError) => {
      if (!(made instanceof FlashBladeError)) send(made, oneTry, text, resolve);
      else resolve({ error: made, broken: made.code === 'ARRAY_UNREACHABLE' });
    };
    openConnection(array, poolKey, capped(limits.connectMs, limits.endsAt), done, tokens);
  });
}

function send(connection: Connection, oneTry: Try, text: string, resolve: (outcome: Outcome) => void): void {
  const { array, request, limits, onHead, decides } = oneTry;
  const { socket, certificateEndsAt, isReused } = connection;
  const { requestId } = request;
  const startedAt = Date.now();
  // The process may have been paused or frozen since the time was last checked, especially during the handshake.
  if (startedAt >= limits.endsAt) {
    socket.destroy();
    resolve({ error: outOfTime(array), broken: false });
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  let hasHead = false;
  let decisive: ResponseHead | undefined;
  let unread: Buffer = EMPTY;
  let bodyEndsAt = limits.endsAt;
  const end = (outcome: Outcome, keepsConnection = false) => {
    clearTimeout(timer);
    connection.user = undefined;
    if (!keepsConnection) socket.destroy();
    // Wait for anything that arrived with the response, such as the end of the connection or extra bytes, so that none of it can affect
    // the next request.
    setImmediate(() => {
      // If the response arrives before the whole request is written, the array might read the rest of the request as a new one.
      if (keepsConnection && socket.writableLength === 0) release(connection);
      else socket.destroy();
      resolve(outcome);
    });
  };
  /** Ends the try without a complete response. If the head decided the outcome, returns the head as the response. */
  const fail = (error: FlashBladeError, broken: boolean) => {
    if (decisive === undefined) end({ error, broken });
    else end({ response: { ...decisive, body: EMPTY, unread, requestId, certificateEndsAt } });
  };
  const lose = (what: string, broken = false) => fail(lost(array, what, Date.now() - startedAt), broken);
  // The check is deferred with setImmediate, because after a long process pause, the response may be waiting to be read.
  const expireIn = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => setImmediate(expire), capped(ms, limits.endsAt));
  };
  const expire = () => {
    if (connection.user !== user) return;
    if (!hasHead) lose('the response did not begin in time');
    else if (Date.now() < bodyEndsAt) expireIn(bodyEndsAt - Date.now());
    else lose('the response was not complete in time');
  };
  const reader = readResponse((head, rest) => {
    hasHead = true;
    if (decides(head.status)) {
      decisive = head;
      unread = rest;
      bodyEndsAt = Math.min(bodyEndsAt, Date.now() + DECIDED_BODY_MS);
      expireIn(DECIDED_BODY_MS);
    }
    onHead?.(head);
  });
  const onBytes = (bytes: Buffer | undefined) => {
    if (decisive && bytes && unread.length < UNREAD_BYTES) unread = Buffer.concat([unread, bytes]);
    try {
      const { done, value } = reader.next(bytes);
      if (!done) return;
      const { head, body, keepsConnection } = value;
      end({ response: { ...head, body, requestId, certificateEndsAt } }, keepsConnection);
    } catch (error) {
      if (error instanceof EndedEarly) lose('the connection was closed before the response was complete', isReused);
      else if (error instanceof UnreadableResponse) fail(unreadable(array, error.message), false);
      else end({ error: withFacts(known(error), { sent: true }), broken: false });
    }
  };
  // In TLS 1.3, the client sends its request before it knows whether the server accepts its side of the handshake.
  const mayBeRefused = !isReused && socket.getProtocol() === 'TLSv1.3';
  const onBroken = (code: string) => {
    const refusal = mayBeRefused && socket.bytesRead === 0 ? lateRefusal(array, code) : undefined;
    if (refusal === undefined) lose(`the connection broke (${code})`, isReused);
    else end({ error: refusal, broken: false });
  };
  const user = { onBytes, onBroken };

  reader.next();
  connection.user = user;
  expireIn(limits.firstByteMs);
  socket.write(text);
}

const capped = (ms: number, endsAt: number): number => Math.max(0, Math.min(ms, endsAt - Date.now(), MAX_TIMER_MS));

// Node treats an empty host as localhost, and its error for an invalid port quotes the port.
const isAddress = ({ host, port }: FlashBlade): boolean =>
  host !== '' && Number.isInteger(port) && port >= 1 && port <= 65_535;

const unsent = (code: 'REQUEST_INVALID' | 'OUT_OF_TIME', message: string): FlashBladeError =>
  new FlashBladeError(code, message, { sent: false });

const outOfTime = (array: FlashBlade): FlashBladeError =>
  unsent('OUT_OF_TIME', `${describeArray(array)}: no time was left to send the request. Give the call more time.`);

const unwritable = (array: FlashBlade): FlashBladeError =>
  unsent(
    'REQUEST_INVALID',
    `${describeArray(array)}: the host or the request contains characters that HTTP does not allow`,
  );

const lost = (array: FlashBlade, what: string, elapsedMs: number): FlashBladeError =>
  new FlashBladeError(
    'ARRAY_UNREACHABLE',
    `${describeArray(array)}: ${what} (after ${Math.round(elapsedMs)} ms). The array may have executed the request. Check the array and the network.`,
    { sent: true },
  );

const unreadable = (array: FlashBlade, why: string): FlashBladeError =>
  new FlashBladeError(
    'ANSWER_INVALID',
    `${describeArray(array)} sent a response that cannot be used: ${why}. Check for a proxy in front of the array.`,
    { sent: true },
  );
