/** A terminal that is none: it answers questions, and echoes what it is sent while raw mode is off, as a real one does. */
import { PassThrough } from 'node:stream';
import type { Input } from '../../../scripts/secret/prompt.ts';
import { type Written, written } from '../trust-command/written.ts';

/** Once `question` has been put out, `keys` are pressed. */
export type Reply = readonly [question: string, keys: string];

export type FakeTerminal = {
  readonly input: PassThrough & Input & { readonly isRaw: () => boolean; readonly rawModes: readonly boolean[] };
  readonly output: Written;
  /** Replies that nobody asked for. */
  readonly unused: () => readonly Reply[];
};

export function fakeTerminal(...replies: Reply[]): FakeTerminal {
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
    input: Object.assign(keyboard, { isTTY: true, setRawMode, isRaw, rawModes }),
    output,
    unused: () => left,
  };
}
