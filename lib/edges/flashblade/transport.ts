/** One HTTPS request to one array: trust, time budget, no redirects, capped answer. */
import { randomUUID } from 'node:crypto';
import { FlashBladeError } from '../../ground/errors.ts';
import type { FlashBlade } from '../../ground/model.ts';
import type { Tokens } from '../../ground/redact.ts';
import { type Answer, type Attempt, isHeaderValue, outOfTime, send } from './attempt.ts';
import { closingsSoFar, dropIdle } from './connections.ts';
import type { AnswerHead } from './http-answer.ts';
import type { WireRequest } from './http-request.ts';
import { placeOf } from './places.ts';

export { type Answer, isHeaderValue } from './attempt.ts';
export { closeConnections } from './connections.ts';
export type { AnswerHead } from './http-answer.ts';

/** How long a call may take. */
export type Budget = {
  /** Milliseconds for name look-up, connection and TLS handshake. Default 2000. */
  readonly connectMs?: number;
  /** Milliseconds from the request to the head of the answer. Default 5000. */
  readonly firstByteMs?: number;
  /** Milliseconds for everything, a repetition included. Default 10000. */
  readonly totalMs?: number;
  /** Milliseconds since the epoch that no phase goes past; a request is not written after it, however long the process stood still. Default none. */
  readonly deadline?: number;
};

export type ExchangeOptions = {
  /** Only a new connection, or one that was used less than a second ago. Default false. */
  readonly fresh?: boolean;
  /** The request may be sent once more if its connection failed. Default false. */
  readonly repeatable?: boolean;
  /** Is told status and headers as soon as they are there, even if the body never comes. */
  readonly onHead?: (head: AnswerHead) => void;
  /** Redacted from what an error quotes of a certificate. Default none. */
  readonly tokens?: Tokens;
};

/** Long enough for a login and its logout to share a connection, too short for one of them to be stale. */
const FRESH_MS = 1000;

/**
 * Sends one request and reads the whole answer, whatever its status: a redirect is an answer, too.
 * `requestId` is sent as `X-Request-ID`; default a random UUID.
 * Errors: OUT_OF_TIME, ARRAY_UNREACHABLE, ARRAY_UNTRUSTED, ANSWER_INVALID, REQUEST_INVALID, SECRET_INVALID (the trust
 * cannot be used). `facts.sent` says whether a byte of the request may have reached the array.
 */
export async function exchange(
  array: FlashBlade,
  request: Omit<WireRequest, 'requestId'> & { readonly requestId?: string | undefined },
  budget: Budget = {},
  options: ExchangeOptions = {},
): Promise<Answer> {
  const { requestId } = request;
  if (requestId !== undefined && !isHeaderValue(requestId)) {
    throw new FlashBladeError('REQUEST_INVALID', 'requestId must be 1 to 1024 visible ASCII characters', {
      sent: false,
    });
  }
  if (!isAddress(array)) {
    throw new FlashBladeError('REQUEST_INVALID', 'an array needs a host, and a port of 1 to 65535', { sent: false });
  }
  const { connectMs = 2000, firstByteMs = 5000, totalMs = 10_000, deadline = Number.POSITIVE_INFINITY } = budget;
  const limits = { connectMs, firstByteMs, endsAt: Math.min(Date.now() + totalMs, deadline) };
  if (limits.endsAt <= Date.now()) throw outOfTime(array);

  const closings = closingsSoFar();
  const place = placeOf(array);
  const attempt: Attempt = {
    array,
    place,
    request: { ...request, requestId: requestId ?? randomUUID() },
    limits,
    onHead: options.onHead,
    tokens: options.tokens ?? [],
  };
  if (options.fresh) dropIdle(place, Date.now() - FRESH_MS);
  const first = await send(attempt);
  if ('answer' in first) return first.answer;
  const mayRepeat = options.repeatable && first.broken && closings === closingsSoFar();
  if (!mayRepeat || limits.endsAt <= Date.now()) throw first.error;

  dropIdle(place, Number.POSITIVE_INFINITY);
  const second = await send(attempt);
  if ('answer' in second) return second.answer;
  // The array may have heard the first.
  throw first.error.facts.sent && !second.error.facts.sent ? first.error : second.error;
}

// Node would take an empty host for this machine, and throws an error that quotes a port that is none.
const isAddress = ({ host, port }: FlashBlade): boolean =>
  host !== '' && Number.isInteger(port) && port >= 1 && port <= 65_535;
