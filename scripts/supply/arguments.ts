/** The command line of `npm run sbom`. */
import { resolve } from 'node:path';
import { ROOT } from '../build.ts';
import { parsed } from '../command-line.ts';

/** `all`: the whole development tree, too. */
export type Command = { readonly all: boolean; readonly outdir: string };

export const USAGE = `npm run sbom -- [--all] [--outdir <directory>]

Writes what the functions' bundles are made of: sbom.cdx.json (CycloneDX 1.6: packages, versions, licenses, which function
has which) and licenses.txt (the license texts that must go with them). Needs no network; the same packages give the same files.

  --all       also sbom.all.cdx.json: every package that is installed for development
  --outdir    default dist
  --help

Ends with 0; 1 if something failed; 2 for arguments.`;

const OPTIONS = { all: { type: 'boolean' }, outdir: { type: 'string' } } as const;

/** Throws an Error that names the argument. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS);
  if (values.help) return 'help';
  if (values.outdir === '') throw new Error('--outdir must name a directory');
  return { all: values.all ?? false, outdir: resolve(values.outdir ?? resolve(ROOT, 'dist')) };
}
