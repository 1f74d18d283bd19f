/** The examples: their text, and runs of their programs. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from '../../../scripts/build.ts';

export const EXAMPLES = resolve(ROOT, 'examples');

export const read = (name: string): string => readFileSync(resolve(EXAMPLES, name), 'utf8');

/** The text with one part replaced. Throws unless `find` is in it exactly once. */
export function changed(text: string, find: string, replacement: string): string {
  if (text.split(find).length !== 2) throw new Error(`"${find}" must be in the text exactly once`);
  return text.replace(find, () => replacement);
}

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
type Options = { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> };

/** Runs a program to its end. `code` is null if a signal ended it. */
export function start(file: string, args: readonly string[], options: Options) {
  const ended = Promise.withResolvers<Ended>();
  const child = execFile(file, args, { ...options, timeout: 110_000 }, (_, stdout, stderr) =>
    ended.resolve({ code: child.exitCode, stdout, stderr }),
  );
  return { child, ended: ended.promise };
}
