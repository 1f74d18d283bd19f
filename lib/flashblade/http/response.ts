/** Reads one HTTP/1.1 response (RFC 9112) from a connection. Rejects anything that two parsers might interpret differently. */
import { framingOf, type ResponseHead, refuseCoding, takeBody } from './body.ts';
import { EMPTY, expectStart, type Input, type Reading, TEXT, TOKEN, takeUntil, UnreadableResponse } from './input.ts';

type WholeResponse = {
  readonly head: ResponseHead;
  readonly body: Buffer;
  /** True if the connection may be reused. */
  readonly keepsConnection: boolean;
};

/** `minor` is the last digit of the HTTP version. */
type ParsedHead = { readonly head: ResponseHead; readonly minor: string };

const MAX_HEAD_BYTES = 16 * 1024;
/** Matches a status line and fields (RFC 9112, sections 4 and 5), without line folding. */
const HEAD = new RegExp(`^HTTP/1\\.([01]) ([1-9]\\d\\d)(?: ${TEXT})?((?:\\r\\n${TOKEN}:${TEXT})*)$`);
/** Common header names in their usual spelling. Looking them up is cheaper than converting them to lower case each time. */
const LOWER_CASE: ReadonlyMap<string, string> = new Map(
  [
    ...['Server', 'Date', 'Connection', 'Content-Type', 'Content-Length', 'Transfer-Encoding', 'x-auth-token'],
    ...['Cache-Control', 'Pragma', 'Expires', 'Vary', 'Strict-Transport-Security', 'Content-Security-Policy'],
    ...['X-Content-Type-Options', 'X-Frame-Options', 'X-XSS-Protection', 'X-Request-ID'],
  ].map((name) => [name, name.toLowerCase()]),
);
const CLOSE = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;

/**
 * Reads one response. Start the reader with `next()`, then call `next(bytes)` until the reader is done. The reader calls `onHead` once the
 * head is complete, with the bytes that arrived after the head, and skips interim responses (1xx). It accepts at most 16 KiB for all heads
 * together, and 1 MiB for the body. Throws UnreadableResponse and EndedEarly.
 */
export function* readResponse(onHead: (head: ResponseHead, rest: Buffer) => void): Reading<WholeResponse> {
  const input: Input = { bytes: EMPTY };
  const { head, minor } = yield* takeHead(input);
  // Call `onHead` before rejecting any part of the response, because the request may have opened a session even if its response is invalid.
  onHead(head, input.bytes);
  const framing = framingOf(minor, head);
  // Some proxies add Content-Encoding even to responses without a body, which is harmless.
  if (framing !== 0) refuseCoding(head);
  const body = yield* takeBody(input, framing);
  if (input.bytes.length > 0) throw new UnreadableResponse('it is followed by extra bytes');
  return { head, body, keepsConnection: !isLast(minor, head) };
}

function* takeHead(input: Input): Reading<ParsedHead> {
  for (let left = MAX_HEAD_BYTES; ; ) {
    yield* expectStart(input, 'HTTP/1.', 'it is not HTTP/1.1');
    const text = yield* takeUntil(input, '\r\n\r\n', left, `its head is longer than ${MAX_HEAD_BYTES} bytes`);
    left -= text.length;
    const parsed = parseHead(text);
    const { head, minor } = parsed;
    if (head.status === 101) throw new UnreadableResponse('it switches protocols without being asked to');
    if (head.status >= 200) return parsed;
    framingOf(minor, head);
    if (isLast(minor, head)) throw new UnreadableResponse('an interim response closes the connection');
  }
}

function parseHead(text: string): ParsedHead {
  const [, minor, status, fields] = HEAD.exec(text) ?? [];
  if (minor === undefined || fields === undefined) throw new UnreadableResponse('invalid HTTP (malformed head)');
  const headers: Record<string, string> = {};
  for (let start = 2; start < fields.length; ) {
    const colon = fields.indexOf(':', start);
    const next = fields.indexOf('\r\n', colon);
    const end = next < 0 ? fields.length : next;
    const spelled = fields.slice(start, colon);
    const name = LOWER_CASE.get(spelled) ?? spelled.toLowerCase();
    const value = withoutBlanks(fields, colon + 1, end);
    start = end + 2;
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return { head: { status: Number(status), headers }, minor };
}

/** Returns true if this response must be the last one on its connection. */
const isLast = (minor: string, { headers }: ResponseHead): boolean =>
  minor === '0' || CLOSE.test(headers['connection'] ?? '');

// Does not use trim(), which removes more than spaces and tabs.
function withoutBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (character: number): boolean => character === 0x20 || character === 0x09;
