/** A stream that stores everything written to it. */
import { Writable } from 'node:stream';

export type Written = Writable & { readonly text: () => string };

/** Calls `onWrite` after each write with the whole text so far. */
export function written(onWrite: (sofar: string) => void = () => {}): Written {
  let sofar = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      sofar += String(chunk);
      onWrite(sofar);
      done();
    },
  });
  return Object.assign(stream, { text: () => sofar });
}
