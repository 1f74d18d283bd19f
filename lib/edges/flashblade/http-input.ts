/** What a connection has sent and nobody has read yet, and how to wait for more of it. */

export type Input = { bytes: Buffer };

/** Goes on with the next bytes, or with `undefined` when the other side has ended the connection. */
export type Reading<Value> = Generator<void, Value, Buffer | undefined>;

/** The answer cannot be used. The message says why, without a byte of it. */
export class UnreadableAnswer extends Error {}
/** The connection ended before the answer did. */
export class EndedEarly extends Error {}

export const EMPTY = Buffer.alloc(0);

const MAX_PARTS = 1024;

/** Waits until `start` has come, without reading it. Throws UnreadableAnswer, `otherwise`, as soon as something else came. */
export function* expectStart(input: Input, start: string, otherwise: string): Reading<void> {
  for (let at = 0; at < start.length; at++) {
    while (at === input.bytes.length) yield* fill(input);
    if (input.bytes[at] !== start.charCodeAt(at)) throw new UnreadableAnswer(otherwise);
  }
}

/** The bytes before `end`, as text; `end` itself is left out. Throws UnreadableAnswer, `otherwise`, if they are more than `maxBytes`. */
export function* takeUntil(input: Input, end: string, maxBytes: number, otherwise: string): Reading<string> {
  for (;;) {
    const at = input.bytes.indexOf(end);
    if ((at < 0 ? input.bytes.length - end.length : at) > maxBytes) throw new UnreadableAnswer(otherwise);
    if (at >= 0) {
      const text = input.bytes.toString('latin1', 0, at);
      input.bytes = input.bytes.subarray(at + end.length);
      return text;
    }
    yield* fill(input);
  }
}

/** So many bytes. */
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

/** Adds a part, and joins them all when they are many: one byte that came alone takes hundreds. */
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
