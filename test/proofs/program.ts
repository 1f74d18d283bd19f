/** Runs a program of the proofs in a separate process and returns the JSON that it prints. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/build.ts';

const run = promisify(execFile);

/** `path`: from the project's root. Throws if the program fails. */
export async function tell<Output>(
  path: string,
  args: readonly (string | number)[],
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const { stdout } = await run(process.execPath, [resolve(ROOT, path), ...args.map(String)], { env: { ...env } });
  return JSON.parse(stdout) as Output;
}
