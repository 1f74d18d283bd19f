/** A terminal that is none: it answers questions, and echoes what it is sent while raw mode is off, as a real one does. */
import { PassThrough } from 'node:stream';
import type { Input } from '../../../scripts/secret/prompt.ts';
import { written } from '../trust-command/written.ts';

/** Once `question` has been put out, `keys` are pressed. */
export type Reply = readonly [question: string, keys: string];

export function fakeTerminal(...replies: Reply[]) {
  const left = [...replies];
  const rawModes: boolean[] = [];
  const isRaw = () => rawModes.at(-1) ?? false;
  let seen = 0;
  const keyboard = new PassThrough();
  const output = written((sofar) => {
    const [question, keys] = left[0] ?? [];
    if (question === undefined || keys === undefined || !sofar.slice(seen).includes(question)) return;
    left.shift();
    seen = sofar.length;
    // As a person does: after the question.
    setImmediate(() => press(keys));
  });
  function press(keys: string): void {
    if (!isRaw()) output.write(keys);
    keyboard.write(keys);
  }
  const setRawMode = (on: boolean) => rawModes.push(on);
  return {
    input: Object.assign(keyboard, { isTTY: true, setRawMode, isRaw, rawModes }) satisfies Input,
    output,
    /** Replies that nobody asked for. */
    unused: (): readonly Reply[] => left,
  };
}
