/** One try of one request: from the first free connection to the last byte of the answer, or to what went wrong. */
import { FlashBladeError, known } from '../../ground/errors.ts';
import type { FlashBlade } from '../../ground/model.ts';
import { type Connection, discard, openConnection, release, takeIdle } from './connections.ts';
import { type AnswerHead, readAnswer } from './http-answer.ts';
import { EndedEarly, UnreadableAnswer } from './http-input.ts';
import { type WireRequest, writeRequest } from './http-request.ts';
import { certificateEndAt } from './tls.ts';
import { describeArray } from './tls-errors.ts';

export type Answer = AnswerHead & {
  readonly body: Buffer;
  readonly requestId: string;
  readonly certificateEndsAt: number | undefined;
};

export type Attempt = {
  readonly array: FlashBlade;
  readonly place: string;
  readonly request: WireRequest;
  /** Milliseconds per phase; `endsAt` in milliseconds since the epoch. */
  readonly limits: { readonly connectMs: number; readonly firstByteMs: number; readonly endsAt: number };
  readonly onHead: ((head: AnswerHead) => void) | undefined;
};

/** `broken`: it was the connection that failed, before anything was sent or as a leftover of an earlier request. */
export type Outcome = { readonly answer: Answer } | { readonly error: FlashBladeError; readonly broken: boolean };

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Whether a token, or another value, can stand in a header as it is: 1 to 1024 visible ASCII characters. */
export const isHeaderValue = (value: string): boolean => /^[!-~]{1,1024}$/.test(value);

/** Sends the request once. Never rejects for what the other side does. */
export function send(attempt: Attempt): Promise<Outcome> {
  const { array, place, request } = attempt;
  const text = writeRequest(array, request);
  if (text === undefined) throw unwritable(array);
  const waiting = takeIdle(place);
  return waiting === undefined ? connectAndAsk(attempt, text) : ask(waiting, attempt, text, true);
}

async function connectAndAsk(attempt: Attempt, text: string): Promise<Outcome> {
  const { array, place, limits } = attempt;
  try {
    const connection = await openConnection(array, place, capped(limits.connectMs, limits.endsAt));
    return await ask(connection, attempt, text, false);
  } catch (error) {
    if (error instanceof FlashBladeError) return { error, broken: error.code === 'ARRAY_UNREACHABLE' };
    throw error;
  }
}

function ask(connection: Connection, attempt: Attempt, text: string, isReused: boolean): Promise<Outcome> {
  const { array, place, request, limits, onHead } = attempt;
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (outcome: Outcome, keepsConnection = false) => {
      clearTimeout(timer);
      // Nobody knows as what the rest of a request that is answered already would be read.
      if (keepsConnection && connection.socket.writableLength === 0) release(connection, Date.now());
      else discard(connection);
      resolve(outcome);
    };
    const lose = (what: string, broken = false) =>
      end({ error: lost(array, what, performance.now() - startedAt), broken });
    const limit = (ms: number, what: string) => {
      clearTimeout(timer);
      timer = setTimeout(() => lose(what), capped(ms, limits.endsAt));
    };
    let hasHead = false;
    let isLimited = false;
    const reader = readAnswer((head) => {
      hasHead = true;
      onHead?.(head);
    });
    const onBytes = (bytes: Buffer | undefined) => {
      try {
        const { done, value } = reader.next(bytes);
        if (!done) {
          // Only now, as most answers come whole, and only once: bytes that trickle would put it off again and again.
          if (hasHead && !isLimited) limit(Number.POSITIVE_INFINITY, 'the answer did not end in time');
          isLimited = hasHead;
          return;
        }
        const { head, body, keepsConnection } = value;
        const answer = { ...head, body, requestId: request.requestId, certificateEndsAt: certificateEndAt(place) };
        end({ answer }, keepsConnection);
      } catch (error) {
        if (error instanceof EndedEarly) lose('it closed the connection before its answer was complete', isReused);
        else if (error instanceof UnreadableAnswer) end({ error: unreadable(array, error.message), broken: false });
        else end({ error: known(error), broken: false });
      }
    };

    reader.next();
    connection.user = { onBytes, onBroken: (code) => lose(`the connection broke (${code})`, isReused) };
    limit(limits.firstByteMs, 'no answer began in time');
    connection.socket.write(text);
  });
}

const capped = (ms: number, endsAt: number): number => Math.max(0, Math.min(ms, endsAt - Date.now(), MAX_TIMER_MS));

const unwritable = (array: FlashBlade) =>
  new FlashBladeError('REQUEST_INVALID', `${describeArray(array)}: the request cannot be written as HTTP`, {
    sent: false,
  });

const lost = (array: FlashBlade, what: string, elapsedMs: number) =>
  new FlashBladeError(
    'ARRAY_UNREACHABLE',
    `${describeArray(array)} was asked, but ${what} (after ${Math.round(elapsedMs)} ms). ` +
      'What it did with the request is not known.',
    { sent: true },
  );

const unreadable = (array: FlashBlade, what: string) =>
  new FlashBladeError(
    'ANSWER_INVALID',
    `${describeArray(array)} gave an answer that cannot be used: ${what}. Check what stands between it and us.`,
    { sent: true },
  );
