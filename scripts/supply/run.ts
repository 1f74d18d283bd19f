/** Runs `npm run sbom`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { commandOr } from '../command-line.ts';
import { explain } from '../start/failures.ts';
import { type Command, readCommand, USAGE } from './arguments.ts';
import { type Bom, bundledBom, faultsOf, installedBom, textOf } from './bom.ts';
import { licenseTexts } from './licenses.ts';
import { bundledPackages } from './packages.ts';

export type Streams = { readonly output: Writable; readonly errors: Writable };

/** Returns the exit code: 0 on success, 1 on failure, 2 for invalid arguments. Never rejects. */
export async function runSbom(args: readonly string[], streams: Streams): Promise<number> {
  const say = (text: string) => void streams.output.write(`${text}\n`);
  const complain = (text: string) => void streams.errors.write(`${text}\n`);
  const command = commandOr({ read: () => readCommand(args), usage: USAGE, say, complain });
  if ('exitCode' in command) return command.exitCode;
  try {
    for (const line of await write(command)) say(line);
    return 0;
  } catch (error) {
    complain(explain(error));
    return 1;
  }
}

/** Writes the files. Returns one line of output per file. */
async function write({ all, outdir }: Command): Promise<string[]> {
  // Create the directory first, so that an invalid path fails before the build.
  await mkdir(outdir, { recursive: true });
  const [packages, whole] = await Promise.all([bundledPackages(), installedBom()]);
  const bundled = bundledBom(whole, packages);
  const files: [string, string, string][] = [
    ['sbom.cdx.json', await checked(bundled), `${bundled.components.length} packages in the bundles`],
    ['licenses.txt', await licenseTexts(packages), 'license texts for the bundled packages'],
  ];
  if (all) files.push(['sbom.all.cdx.json', await checked(whole), `${whole.components.length} packages installed`]);
  return Promise.all(
    files.map(async ([name, text, about]) => {
      const path = resolve(outdir, name);
      await writeFile(path, text);
      return `${relative('.', path)}: ${about}`;
    }),
  );
}

async function checked(bom: Bom): Promise<string> {
  const [fault] = await faultsOf(bom);
  if (fault !== undefined) throw new Error(`the SBOM violates the CycloneDX schema: ${JSON.stringify(fault)}`);
  return textOf(bom);
}
