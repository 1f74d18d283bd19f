/** A stream that stores everything written to it. */
import { Writable } from 'node:stream';

export type Written = Writable & { readonly text: () => string };

/** Calls `onWrite` after each write with the whole text so far. */
export function written(onWrite: (textSoFar: string) => void = () => {}): Written {
  let textSoFar = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      textSoFar += String(chunk);
      onWrite(textSoFar);
      done();
    },
  });
  return Object.assign(stream, { text: () => textSoFar });
}
