/** Reads the body of an answer, in both ways in which HTTP/1.1 can say before its end where it ends (RFC 9112, 6 and 7). */
import type { AnswerHead } from './http-answer.ts';
import { TEXT, TOKEN } from './http-grammar.ts';
import { type Input, type Reading, take, takeUntil, UnreadableAnswer } from './http-input.ts';

/** Where a body ends: after so many bytes, or after its last chunk. */
export type Framing = number | 'chunks';

const MAX_BODY_BYTES = 1024 * 1024;
/** Each takes far more memory than the one byte that it may hold. */
const MAX_CHUNKS = 16 * 1024;
const MAX_CHUNK_LINE_BYTES = 1024;
const MAX_TRAILER_BYTES = 16 * 1024;

const LENGTH = /^\d{1,15}$/;
const CHUNK_LINE = new RegExp(`^([0-9A-Fa-f]{1,8})(;${TEXT})?$`);
/** `;name`, `;name=token` or `;name="text"`: not all that may be, but nothing that ends elsewhere for somebody else. */
const EXTENSIONS = new RegExp(`^(?:;${TOKEN}(?:=(?:${TOKEN}|"[\\t !#-[\\]-~]*"))?)*$`);
const TRAILER = new RegExp(`^${TOKEN}:${TEXT}$`);
const FRAMING = /^(?:content-length|transfer-encoding):/i;

/** What a head says of its body. `minor`: the last digit of the version of HTTP. Throws UnreadableAnswer. */
export function framingOf(minor: string, { status, headers }: AnswerHead): Framing {
  const { 'transfer-encoding': coding, 'content-length': length } = headers;
  if (coding !== undefined && length !== undefined) throw broken('it has both a length and a transfer coding');
  if (length !== undefined && !LENGTH.test(length)) throw broken('its length is not one number');
  if (coding !== undefined && (minor !== '1' || coding.toLowerCase() !== 'chunked'))
    throw broken('its transfer coding is none that was agreed');
  if (status < 200 || status === 204 || status === 304) {
    if (coding !== undefined || Number(length ?? 0) > 0)
      throw broken('its head announces a body that its status has not');
    return 0;
  }
  if (coding !== undefined) return 'chunks';
  // It would end with the connection, which anybody between the array and us can bring about.
  if (length === undefined) throw new UnreadableAnswer('it does not say where it ends');
  return Number(length);
}

/** At most 1 MiB. */
export function* takeBody(input: Input, framing: Framing): Reading<Buffer> {
  if (framing === 'chunks') return yield* takeChunks(input);
  return yield* take(input, bounded(framing));
}

function* takeChunks(input: Input): Reading<Buffer> {
  const chunks: Buffer[] = [];
  for (let bytes = 0; ; ) {
    const line = yield* takeUntil(input, '\r\n', MAX_CHUNK_LINE_BYTES, 'the line before one of its chunks is too long');
    const [, hex, extensions = ''] = CHUNK_LINE.exec(line) ?? [];
    if (hex === undefined) throw broken('one of its chunks has no size');
    if (!EXTENSIONS.test(extensions)) throw broken('one of its chunks has an extension that cannot be read');
    const size = Number.parseInt(hex, 16);
    if (size === 0) break;
    if (chunks.length === MAX_CHUNKS) throw new UnreadableAnswer(`it comes in more than ${MAX_CHUNKS} chunks`);
    bytes = bounded(bytes + size);
    chunks.push(yield* take(input, size));
    if ((yield* take(input, 2)).toString('latin1') !== '\r\n')
      throw broken('one of its chunks is longer than its size');
  }
  yield* skipTrailers(input);
  return Buffer.concat(chunks);
}

function* skipTrailers(input: Input): Reading<void> {
  for (let left = MAX_TRAILER_BYTES; ; ) {
    const line = yield* takeUntil(input, '\r\n', left, `its trailer is longer than ${MAX_TRAILER_BYTES} bytes`);
    if (line === '') return;
    if (!TRAILER.test(line)) throw broken('its trailer does not consist of headers');
    if (FRAMING.test(line)) throw broken('its trailer says where its body ends');
    left -= line.length;
  }
}

function bounded(bytes: number): number {
  if (bytes > MAX_BODY_BYTES) throw new UnreadableAnswer(`it is longer than ${MAX_BODY_BYTES} bytes`);
  return bytes;
}

const broken = (what: string): UnreadableAnswer => new UnreadableAnswer(`it is broken HTTP: ${what}`);
