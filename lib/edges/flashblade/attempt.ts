/** One try of one request: from the first free connection to the last byte of the answer, or to what went wrong. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { FlashBladeError } from '../../ground/errors.ts';
import type { FlashBlade } from '../../ground/model.ts';
import { VERSION } from '../../ground/version.ts';
import type { ConnectOptions } from './agents.ts';
import { certificateEndAt } from './tls.ts';
import { codeOf, describeArray } from './tls-errors.ts';

export type WireRequest = {
  readonly method: string;
  /** Path with query, already encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly requestId: string;
};

export type AnswerHead = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
};
export type Answer = AnswerHead & {
  readonly body: Buffer;
  readonly requestId: string;
  readonly certificateEndsAt: number | undefined;
};

export type Attempt = {
  readonly array: FlashBlade;
  readonly place: string;
  readonly agent: Agent;
  readonly request: WireRequest;
  /** Milliseconds per phase; `endsAt` in milliseconds since the epoch. */
  readonly limits: { readonly connectMs: number; readonly firstByteMs: number; readonly endsAt: number };
  readonly onHead: ((head: AnswerHead) => void) | undefined;
};

/** `broken`: it was the connection that failed, before anything was sent or as a leftover of an earlier request. */
export type Outcome = { readonly answer: Answer } | { readonly error: FlashBladeError; readonly broken: boolean };

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_TIMER_MS = 2 ** 31 - 1;
const USER_AGENT = `flashblade-sessions/${VERSION} (node/${process.versions.node.split('.')[0]})`;

/** Whether a token, or another value, can stand in a header as it is: 1 to 1024 visible ASCII characters. */
export const isHeaderValue = (value: string): boolean => /^[!-~]{1,1024}$/.test(value);

/** Sends the request once. Never rejects for what the other side does. */
export function send(attempt: Attempt): Promise<Outcome> {
  const { array, place, request, limits, onHead } = attempt;
  const startedAt = performance.now();
  const outgoing = open(attempt);
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let sent = false;
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const fail = (error: FlashBladeError, broken = false) => {
      end({ error, broken });
      outgoing.destroy();
    };
    const lose = (what: string, broken = false) =>
      fail(lost(array, what, { elapsedMs: performance.now() - startedAt, sent }), broken);
    const limit = (ms: number, what: string) => {
      clearTimeout(timer);
      timer = setTimeout(() => lose(what), capped(ms, limits.endsAt));
    };
    const onError = (error: Error) => {
      if (error instanceof FlashBladeError) fail(error, error.code === 'ARRAY_UNREACHABLE');
      else if (codeOf(error).startsWith('HPE_')) fail(unreadable(array, `it is broken HTTP (${codeOf(error)})`));
      else lose(`the connection broke (${codeOf(error)})`, outgoing.reusedSocket);
    };
    const refuseUpgrade = () => fail(unreadable(array, 'it changes the protocol, which nobody asked for'));

    outgoing.on('error', onError);
    outgoing.on('upgrade', refuseUpgrade);
    outgoing.on('socket', () => {
      sent = true;
      limit(limits.firstByteMs, 'no answer began in time');
    });
    outgoing.on('response', (incoming) => {
      if (incoming.statusCode === 101) return refuseUpgrade();
      limit(Number.POSITIVE_INFINITY, 'the answer did not end in time');
      const head = headOf(incoming);
      onHead?.(head);
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('error', onError);
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES) fail(unreadable(array, `it is longer than ${MAX_BODY_BYTES} bytes`));
        else chunks.push(chunk);
      });
      incoming.on('end', () => {
        const { requestId } = request;
        end({
          answer: { ...head, body: Buffer.concat(chunks), requestId, certificateEndsAt: certificateEndAt(place) },
        });
      });
    });
    outgoing.end(request.body);
  });
}

function open({ array, agent, request, limits }: Attempt): ClientRequest {
  const { method, path, headers, body = '', requestId } = request;
  const length = method === 'GET' ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const options: ConnectOptions = {
    agent,
    host: array.host,
    port: array.port,
    method,
    path,
    headers: { ...headers, ...length, 'User-Agent': USER_AGENT, 'X-Request-ID': requestId },
    connectMs: capped(limits.connectMs, limits.endsAt),
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  try {
    return httpsRequest(options);
  } catch (error) {
    if (error instanceof FlashBladeError) throw error;
    // What Node throws here may quote the path or a header.
    throw new FlashBladeError('REQUEST_INVALID', `${describeArray(array)}: the request cannot be written as HTTP`, {
      sent: false,
    });
  }
}

const capped = (ms: number, endsAt: number): number => Math.max(0, Math.min(ms, endsAt - Date.now(), MAX_TIMER_MS));

function headOf(incoming: IncomingMessage): AnswerHead {
  const headers: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(incoming.headers)) {
    headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return { status: incoming.statusCode ?? 0, headers };
}

const lost = (array: FlashBlade, what: string, { elapsedMs, sent }: { elapsedMs: number; sent: boolean }) =>
  new FlashBladeError(
    'ARRAY_UNREACHABLE',
    `${describeArray(array)} was asked, but ${what} (after ${Math.round(elapsedMs)} ms). ` +
      'What it did with the request is not known.',
    { sent },
  );

const unreadable = (array: FlashBlade, what: string) =>
  new FlashBladeError(
    'ANSWER_INVALID',
    `${describeArray(array)} gave an answer that cannot be used: ${what}. Check what stands between it and us.`,
    { sent: true },
  );
