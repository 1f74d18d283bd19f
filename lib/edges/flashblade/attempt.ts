/** One try of one request: from the first free connection to the last byte of the answer, or to what went wrong. */
import { FlashBladeError, known, withFacts } from '../../ground/errors.ts';
import type { FlashBlade } from '../../ground/model.ts';
import type { Tokens } from '../../ground/redact.ts';
import { type Connection, openConnection, release, takeIdle } from './connections.ts';
import { type AnswerHead, readAnswer } from './http-answer.ts';
import { EndedEarly, UnreadableAnswer } from './http-input.ts';
import { type WireRequest, writeRequest } from './http-request.ts';
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
  readonly tokens: Tokens;
};

/** `broken`: it was the connection that failed, before anything was sent or as a leftover of an earlier request. */
export type Outcome = { readonly answer: Answer } | { readonly error: FlashBladeError; readonly broken: boolean };

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Whether a token, or another value, can stand in a header as it is: 1 to 1024 visible ASCII characters. */
export const isHeaderValue = (value: string): boolean => /^[!-~]{1,1024}$/.test(value);

/** Sends the request once. Never rejects for what the other side does. */
export function send(attempt: Attempt): Promise<Outcome> {
  const { array, place, request, limits, tokens } = attempt;
  const text = writeRequest(array, request);
  if (text === undefined) throw unwritable(array);
  return new Promise((resolve) => {
    const waiting = takeIdle(place);
    if (waiting !== undefined) return ask(waiting, attempt, text, resolve);
    const done = (made: Connection | FlashBladeError) => {
      if (!(made instanceof FlashBladeError)) ask(made, attempt, text, resolve);
      else resolve({ error: made, broken: made.code === 'ARRAY_UNREACHABLE' });
    };
    openConnection(array, place, capped(limits.connectMs, limits.endsAt), done, tokens);
  });
}

function ask(connection: Connection, attempt: Attempt, text: string, resolve: (outcome: Outcome) => void): void {
  const { array, request, limits, onHead } = attempt;
  const { socket, certificateEndsAt, isReused } = connection;
  const startedAt = Date.now();
  // The process may have been stopped or frozen since the time was checked, above all during the handshake.
  if (startedAt >= limits.endsAt) {
    socket.destroy();
    resolve({ error: outOfTime(array), broken: false });
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  let hasHead = false;
  const end = (outcome: Outcome, keepsConnection = false) => {
    clearTimeout(timer);
    connection.user = undefined;
    if (!keepsConnection) socket.destroy();
    // Only after all that came with the answer, for it must not meet the next request: that may be its end, or more bytes.
    setImmediate(() => {
      // Nobody knows as what the rest of a request that is answered already would be read.
      if (keepsConnection && socket.writableLength === 0) release(connection);
      else socket.destroy();
      resolve(outcome);
    });
  };
  const lose = (what: string, broken = false) => end({ error: lost(array, what, Date.now() - startedAt), broken });
  // Not at once: after a long pause of this process, the answer may be here and not read yet.
  const expireIn = (ms: number) => {
    timer = setTimeout(() => setImmediate(expire), capped(ms, limits.endsAt));
  };
  const expire = () => {
    if (connection.user !== user) return;
    if (!hasHead) lose('no answer began in time');
    else if (Date.now() < limits.endsAt) expireIn(Number.POSITIVE_INFINITY);
    else lose('the answer did not end in time');
  };
  const reader = readAnswer((head) => {
    hasHead = true;
    onHead?.(head);
  });
  const onBytes = (bytes: Buffer | undefined) => {
    try {
      const { done, value } = reader.next(bytes);
      if (!done) return;
      const { head, body, keepsConnection } = value;
      end({ answer: { ...head, body, requestId: request.requestId, certificateEndsAt } }, keepsConnection);
    } catch (error) {
      if (error instanceof EndedEarly) lose('it closed the connection before its answer was complete', isReused);
      else if (error instanceof UnreadableAnswer) end({ error: unreadable(array, error.message), broken: false });
      else end({ error: withFacts(known(error), { sent: true }), broken: false });
    }
  };
  const user = { onBytes, onBroken: (code: string) => lose(`the connection broke (${code})`, isReused) };

  reader.next();
  connection.user = user;
  expireIn(limits.firstByteMs);
  socket.write(text);
}

const capped = (ms: number, endsAt: number): number => Math.max(0, Math.min(ms, endsAt - Date.now(), MAX_TIMER_MS));

/** Nothing was sent. */
export const outOfTime = (array: FlashBlade): FlashBladeError =>
  new FlashBladeError('OUT_OF_TIME', `${describeArray(array)} was not asked: no time was left to do it.`, {
    sent: false,
  });

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
