/** A simulated terminal. It answers questions, and like a real terminal it echoes input while raw mode is off. */
import { PassThrough } from 'node:stream';
import type { Input } from '../../../scripts/secret/prompt.ts';
import { written } from '../trust-command/written.ts';

/** After `question` is printed, `keys` are pressed. */
export type Reply = readonly [question: string, keys: string];

export function fakeTerminal(...replies: Reply[]) {
  const left = [...replies];
  const rawModes: boolean[] = [];
  const isRaw = () => rawModes.at(-1) ?? false;
  let seen = 0;
  const keyboard = new PassThrough();
  const output = written((textSoFar) => {
    const [question, keys] = left[0] ?? [];
    if (question === undefined || keys === undefined || !textSoFar.slice(seen).includes(question)) return;
    left.shift();
    seen = textSoFar.length;
    // A user presses keys only after the question is printed.
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
    /** Replies to questions that were not asked. */
    unused: (): readonly Reply[] => left,
  };
}
