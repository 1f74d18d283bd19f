/** Reads one answer of HTTP/1.1 (RFC 9112) out of a connection, and refuses what two readers might read differently. */
import { framingOf, takeBody } from './http-body.ts';
import { TEXT, TOKEN } from './http-grammar.ts';
import { EMPTY, expectStart, type Input, type Reading, takeUntil, UnreadableAnswer } from './http-input.ts';

export type AnswerHead = {
  readonly status: number;
  /** Names in lower case; the values of a name that came more than once are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
};
export type WholeAnswer = {
  readonly head: AnswerHead;
  readonly body: Buffer;
  /** Whether the connection may be used again. */
  readonly keepsConnection: boolean;
};

/** `minor`: the last digit of the version of HTTP. */
type ParsedHead = { readonly head: AnswerHead; readonly minor: string };

const MAX_HEAD_BYTES = 16 * 1024;
/** A status line and fields (RFC 9112, 4 and 5), without lines that go on in the next. */
const HEAD = new RegExp(`^HTTP/1\\.([01]) ([1-9]\\d\\d)(?: ${TEXT})?((?:\\r\\n${TOKEN}:${TEXT})*)$`);
/** Names that come with nearly every answer, as they are mostly spelt: looking them up is cheaper than making them anew. */
const LOWER_CASE: ReadonlyMap<string, string> = new Map(
  [
    ...['Server', 'Date', 'Connection', 'Content-Type', 'Content-Length', 'Transfer-Encoding', 'x-auth-token'],
    ...['Cache-Control', 'Pragma', 'Expires', 'Vary', 'Strict-Transport-Security', 'Content-Security-Policy'],
    ...['X-Content-Type-Options', 'X-Frame-Options', 'X-XSS-Protection', 'X-Request-ID'],
  ].map((name) => [name, name.toLowerCase()]),
);
const CLOSE = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;

/**
 * To be begun with `next()` and fed with `next(bytes)` until it is done. `onHead` is told the head as soon as it is there;
 * interim answers (1xx) are left out. At most 16 KiB of heads and 1 MiB of body. Throws UnreadableAnswer and EndedEarly.
 */
export function* readAnswer(onHead: (head: AnswerHead) => void): Reading<WholeAnswer> {
  const input: Input = { bytes: EMPTY };
  const { head, minor } = yield* takeHead(input);
  // Before anything of it is refused: it may have opened a session all the same.
  onHead(head);
  const body = yield* takeBody(input, framingOf(minor, head));
  if (input.bytes.length > 0) throw new UnreadableAnswer('more bytes follow than belong to it');
  return { head, body, keepsConnection: !isLast(minor, head) };
}

function* takeHead(input: Input): Reading<ParsedHead> {
  for (let left = MAX_HEAD_BYTES; ; ) {
    yield* expectStart(input, 'HTTP/1.', 'it is no HTTP/1.1');
    const text = yield* takeUntil(input, '\r\n\r\n', left, `its head is longer than ${MAX_HEAD_BYTES} bytes`);
    left -= text.length;
    const parsed = parseHead(text);
    const { head, minor } = parsed;
    if (head.status === 101) throw new UnreadableAnswer('it changes the protocol, which nobody asked for');
    if (head.status >= 200) return parsed;
    framingOf(minor, head);
    if (isLast(minor, head)) throw new UnreadableAnswer('it goes on after it said that it ends');
  }
}

function parseHead(text: string): ParsedHead {
  const [, minor, status, fields] = HEAD.exec(text) ?? [];
  if (minor === undefined || fields === undefined)
    throw new UnreadableAnswer('it is broken HTTP: its head is not the one of an answer');
  const headers: Record<string, string> = {};
  for (let start = 2; start < fields.length; ) {
    const colon = fields.indexOf(':', start);
    const next = fields.indexOf('\r\n', colon);
    const end = next < 0 ? fields.length : next;
    const spelt = fields.slice(start, colon);
    const name = LOWER_CASE.get(spelt) ?? spelt.toLowerCase();
    const value = withoutBlanks(fields, colon + 1, end);
    start = end + 2;
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return { head: { status: Number(status), headers }, minor };
}

/** Whether no other answer may follow on this connection. */
const isLast = (minor: string, { headers }: AnswerHead): boolean =>
  minor === '0' || CLOSE.test(headers['connection'] ?? '');

// Not trim(), for which there are more blanks than space and tab.
function withoutBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (character: number): boolean => character === 0x20 || character === 0x09;
