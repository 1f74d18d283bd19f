/** Runs a program of the proofs in a process of its own, and takes the JSON that it tells. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/build.ts';

const run = promisify(execFile);

/** `path`: from the project's root. Throws if the program fails. */
export async function tell<Told>(
  path: string,
  args: readonly (string | number)[],
  env: Readonly<Record<string, string>> = {},
): Promise<Told> {
  const { stdout } = await run(process.execPath, [resolve(ROOT, path), ...args.map(String)], { env: { ...env } });
  return JSON.parse(stdout) as Told;
}
