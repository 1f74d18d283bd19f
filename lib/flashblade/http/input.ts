/** Reads bytes from a connection as they arrive. Also defines the patterns and errors for all parts of a response. */

/** Bytes that have been received but not yet read. */
export type Input = { bytes: Buffer };

/** A reader to resume with the next bytes, or with `undefined` once the other side has ended the connection. */
export type Reading<Value> = Generator<void, Value, Buffer | undefined>;

/** Thrown if the response cannot be used. The message gives the reason without quoting the response. */
export class UnreadableResponse extends Error {}
/** Thrown if the connection ended before the response did. */
export class EndedEarly extends Error {}

/** Pattern for an HTTP name (RFC 9110, section 5.6.2). */
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** Pattern for text in a received head (RFC 9110, section 5.5): printable ASCII, tabs, and the non-ASCII bytes that old servers send. */
export const TEXT = '[\\t -~\\x80-\\xff]*';

export const EMPTY: Buffer = Buffer.alloc(0);

const MAX_PARTS = 1024;

/** Waits until `start` has arrived, without consuming it. Throws UnreadableResponse(`reason`) at the first byte that differs. */
export function* expectStart(input: Input, start: string, reason: string): Reading<void> {
  for (let at = 0; at < start.length; at++) {
    while (at === input.bytes.length) yield* fill(input);
    if (input.bytes[at] !== start.charCodeAt(at)) throw new UnreadableResponse(reason);
  }
}

/** Reads through `end` and returns the text before it. Throws UnreadableResponse(`reason`) if that text is longer than `maxBytes`. */
export function* takeUntil(input: Input, end: string, maxBytes: number, reason: string): Reading<string> {
  for (;;) {
    const at = input.bytes.indexOf(end);
    if ((at < 0 ? input.bytes.length - end.length : at) > maxBytes) throw new UnreadableResponse(reason);
    if (at >= 0) {
      const text = input.bytes.toString('latin1', 0, at);
      input.bytes = input.bytes.subarray(at + end.length);
      return text;
    }
    yield* fill(input);
  }
}

/** Reads exactly `count` bytes. */
export function* take(input: Input, count: number): Reading<Buffer> {
  const parts: Buffer[] = [];
  for (let missing = count; ; ) {
    const isAll = input.bytes.length <= missing;
    const part = isAll ? input.bytes : input.bytes.subarray(0, missing);
    input.bytes = isAll ? EMPTY : input.bytes.subarray(missing);
    add(parts, part);
    missing -= part.length;
    if (missing === 0) return parts.length === 1 ? part : Buffer.concat(parts);
    yield* fill(input);
  }
}

/** Adds a part. Joins the parts once there are many, because even a one-byte part occupies hundreds of bytes. */
function add(parts: Buffer[], part: Buffer): void {
  parts.push(part);
  if (parts.length === MAX_PARTS) parts.splice(0, MAX_PARTS, Buffer.concat(parts));
}

/** Waits for more bytes. */
function* fill(input: Input): Reading<void> {
  const bytes = yield;
  if (bytes === undefined) throw new EndedEarly();
  input.bytes = input.bytes.length === 0 ? bytes : Buffer.concat([input.bytes, bytes]);
}
