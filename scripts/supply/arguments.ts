/** Parses the arguments of `npm run sbom`. */
import { resolve } from 'node:path';
import { ROOT } from '../build.ts';
import { parsed } from '../command-line.ts';

/** If `all` is true, development packages are listed, too. */
export type Command = { readonly all: boolean; readonly outdir: string };

export const USAGE = `npm run sbom -- [--all] [--outdir <directory>]

Lists the packages in the functions' bundles. Writes sbom.cdx.json (CycloneDX 1.6: packages, versions, licenses, and the functions
that contain them) and licenses.txt (the license texts that must accompany the bundles). Needs no network. The output is deterministic.

  --all       also write sbom.all.cdx.json, with every installed package
  --outdir    default: dist
  --help

Exit codes: 0 on success, 1 on failure, 2 for invalid arguments.`;

const OPTIONS = { all: { type: 'boolean' }, outdir: { type: 'string' } } as const;

/** Throws an Error that names the argument. */
export function readCommand(args: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS);
  if (values.help) return 'help';
  if (values.outdir === '') throw new Error('--outdir must name a directory');
  return { all: values.all ?? false, outdir: resolve(values.outdir ?? resolve(ROOT, 'dist')) };
}
