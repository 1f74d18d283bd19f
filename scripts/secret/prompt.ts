/**
 * Prompts the user on a terminal, or on any stream that behaves like one. No prompt library is suitable. `@inquirer/password` 5.2.5 and
 * `@clack/prompts` 1.9.0 never settle after Ctrl-D. In `@inquirer/password`, arrow keys change the token, and Ctrl-T shows the token by
 * default. `@clack/prompts` does not accept a pasted line feed as Enter.
 */
import type { Readable, Writable } from 'node:stream';

/** `process.stdin`, or its replacement in a test. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
export type Terminal = { readonly input: Input; readonly output: Writable };

/** Thrown if the user or a signal cancels the command. `exitCode` is 130 after Ctrl-C or a signal, and 1 after Ctrl-D. */
export class Cancelled extends Error {
  readonly exitCode: 1 | 130;

  constructor(exitCode: 1 | 130) {
    super('canceled');
    this.exitCode = exitCode;
  }
}

export type AskOptions = {
  /** If true, hides the input, including its length. Default: false. */
  readonly hidden?: boolean;
  readonly signal?: AbortSignal;
};

const ENTER = /[\r\n]/;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACES: readonly string[] = ['\u007f', '\b'];
const CTRL_U = '\u0015';
const ESCAPE = '\u001b';
/** The sequences that arrow keys and similar keys send. */
const ESCAPE_SEQUENCES = new RegExp(`${ESCAPE}(?:[[O][0-9;]*[A-Za-z~])?`, 'g');

/**
 * Asks a question. Resolves with one line, without surrounding spaces. Drops pasted text after the end of the line. Rejects with
 * Cancelled on Ctrl-C, on Ctrl-D, at the end of input, or if the signal is aborted. In every case, turns the terminal's echo back on.
 */
export function ask({ input, output }: Terminal, question: string, options: AskOptions = {}): Promise<string> {
  const { hidden = false, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const typed: string[] = [];

  /** Handles one character. Returns true if the line is complete or canceled. */
  function take(character: string): boolean {
    if (ENTER.test(character)) {
      resolve(typed.join('').trim());
      return true;
    }
    if (character === CTRL_C || character === CTRL_D) {
      reject(new Cancelled(character === CTRL_C ? 130 : 1));
      return true;
    }
    if (BACKSPACES.includes(character)) erase(1);
    else if (character === CTRL_U) erase(typed.length);
    else if (!/\p{C}/u.test(character)) {
      typed.push(character);
      if (!hidden) output.write(character);
    }
    return false;
  }

  function erase(count: number): void {
    const erased = typed.splice(Math.max(0, typed.length - count));
    if (!hidden) output.write('\b \b'.repeat(erased.length));
  }

  const onData = (chunk: string | Buffer) => void [...chunk.toString().replaceAll(ESCAPE_SEQUENCES, '')].some(take);
  const onEnd = () => reject(new Cancelled(1));
  const onAbort = () => reject(new Cancelled(130));

  input.setRawMode?.(true);
  output.write(question);
  input.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onEnd);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  if (input.readableEnded || input.destroyed) onEnd();
  input.resume();
  return promise.finally(() => {
    input.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onEnd);
    signal?.removeEventListener('abort', onAbort);
    input.pause();
    input.setRawMode?.(false);
    output.write('\n');
  });
}

/** Limits how much is read from a pipe. No API token is this long. */
const MAX_PIPED_LENGTH = 64 * 1024;

/** Reads a pipe to the end. Resolves with the text, without surrounding spaces. Rejects with Cancelled if the signal is aborted. */
export async function readPipe(input: Readable, signal: AbortSignal): Promise<string> {
  const stop = () => void input.destroy(new Cancelled(130));
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) throw new Cancelled(130);
    let text = '';
    for await (const chunk of input) {
      text += String(chunk);
      if (text.length > MAX_PIPED_LENGTH) throw new Error('the piped input is too long for an API token');
    }
    return text.trim();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
