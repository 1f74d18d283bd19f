/** Reads a response body that has a Content-Length or is sent in chunks (RFC 9112, sections 6 and 7). */
import { type Input, type Reading, TEXT, TOKEN, take, takeUntil, UnreadableResponse } from './input.ts';

export type ResponseHead = {
  readonly status: number;
  /** Names are lowercase. The values of a repeated header are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
};

/** The end of a body: after this many bytes, or after its last chunk. */
export type Framing = number | 'chunks';

const MAX_BODY_BYTES = 1024 * 1024;
/** Limits memory use, because even a one-byte chunk occupies hundreds of bytes. */
const MAX_CHUNKS = 16 * 1024;
const MAX_CHUNK_LINE_BYTES = 1024;
const MAX_TRAILER_BYTES = 16 * 1024;

/** The only names that an error quotes, because any other text could contain a token. */
const CODINGS = ['gzip', 'br', 'deflate', 'zstd', 'compress'];
const LENGTH = /^\d{1,15}$/;
const CHUNK_LINE = new RegExp(`^([0-9A-Fa-f]{1,8})(;${TEXT})?$`);
/** Accepts `;name`, `;name=token` and `;name="text"`. The RFC allows more, but all parsers agree on where these forms end. */
const EXTENSIONS = new RegExp(`^(?:;${TOKEN}(?:=(?:${TOKEN}|"[\\t !#-[\\]-~]*"))?)*$`);
const TRAILER = new RegExp(`^${TOKEN}:${TEXT}$`);
const FRAMING = /^(?:content-length|transfer-encoding):/i;

/** Returns the framing of the body, according to the head. `minor` is the last digit of the HTTP version. Throws UnreadableResponse. */
export function framingOf(minor: string, { status, headers }: ResponseHead): Framing {
  const { 'transfer-encoding': coding, 'content-length': length } = headers;
  if (coding !== undefined && length !== undefined) throw invalid('both Content-Length and Transfer-Encoding');
  if (length !== undefined && !LENGTH.test(length)) throw invalid('Content-Length is not a single number');
  if (coding !== undefined && (minor !== '1' || coding.toLowerCase() !== 'chunked'))
    throw invalid('unsupported transfer coding');
  if (status < 200 || status === 204 || status === 304) {
    if (coding !== undefined || Number(length ?? 0) > 0)
      throw invalid('a response with this status must not have a body');
    return 0;
  }
  if (coding !== undefined) return 'chunks';
  // Without either header, the body would end when the connection ends, and anyone between the array and this process can end a connection.
  if (length === undefined) throw new UnreadableResponse('it has neither Content-Length nor Transfer-Encoding');
  return Number(length);
}

/** Throws UnreadableResponse if a body is compressed. Requests ask for uncompressed bodies, and this client never decompresses one. */
export function refuseCoding({ headers }: ResponseHead): void {
  const { 'content-encoding': codings = '' } = headers;
  for (const listed of codings.split(',')) {
    const coding = listed.trim().toLowerCase();
    if (coding === '' || coding === 'identity') continue;
    const name = CODINGS.find((known) => coding === known || coding === `x-${known}`) ?? 'an unknown coding';
    throw new UnreadableResponse(`its body is compressed (Content-Encoding: ${name}), which the request did not allow`);
  }
}

/** Reads a body of at most 1 MiB. */
export function* takeBody(input: Input, framing: Framing): Reading<Buffer> {
  if (framing === 'chunks') return yield* takeChunks(input);
  return yield* take(input, bounded(framing));
}

function* takeChunks(input: Input): Reading<Buffer> {
  const chunks: Buffer[] = [];
  for (let bytes = 0; ; ) {
    const line = yield* takeUntil(input, '\r\n', MAX_CHUNK_LINE_BYTES, 'a chunk size line is too long');
    const [, hex, extensions = ''] = CHUNK_LINE.exec(line) ?? [];
    if (hex === undefined) throw invalid('a chunk has no valid size');
    if (!EXTENSIONS.test(extensions)) throw invalid('a chunk has a malformed extension');
    const size = Number.parseInt(hex, 16);
    if (size === 0) break;
    if (chunks.length === MAX_CHUNKS) throw new UnreadableResponse(`it has more than ${MAX_CHUNKS} chunks`);
    bytes = bounded(bytes + size);
    chunks.push(yield* take(input, size));
    if ((yield* take(input, 2)).toString('latin1') !== '\r\n')
      throw invalid('a chunk is longer than its declared size');
  }
  yield* skipTrailers(input);
  return Buffer.concat(chunks);
}

function* skipTrailers(input: Input): Reading<void> {
  for (let left = MAX_TRAILER_BYTES; ; ) {
    const line = yield* takeUntil(input, '\r\n', left, `its trailer is longer than ${MAX_TRAILER_BYTES} bytes`);
    if (line === '') return;
    if (!TRAILER.test(line)) throw invalid('the trailer contains a line that is not a header');
    if (FRAMING.test(line)) throw invalid('the trailer contains Content-Length or Transfer-Encoding');
    left -= line.length;
  }
}

function bounded(bytes: number): number {
  if (bytes > MAX_BODY_BYTES) throw new UnreadableResponse(`its body is longer than ${MAX_BODY_BYTES} bytes`);
  return bytes;
}

const invalid = (what: string): UnreadableResponse => new UnreadableResponse(`invalid HTTP (${what})`);
