/** Calls an exported function of a module in a process of its own, and returns what it returned, as JSON. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/build.ts';

const run = promisify(execFile);

/** `path`: from the project's root. Throws if the process fails. */
export async function tell<Output>(
  path: string,
  name: string,
  args: readonly unknown[],
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const code = `
    import { ${name} } from '${pathToFileURL(resolve(ROOT, path))}';
    process.stdout.write(JSON.stringify(await ${name}(...${JSON.stringify(args)})));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { env: { ...env } });
  return JSON.parse(stdout) as Output;
}
