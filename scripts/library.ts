/** `npm run library` compiles the library and packs it as `dist/flashblade-sessions-<version>.tgz`. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { NEEDED_NODE } from '../lib/core/node-version.ts';
import { ROOT } from './build.ts';
import { runPlain } from './command-line.ts';

const run = promisify(execFile);

/** Fields to remove from package.json. Otherwise, installing the library would also install this project's Node.js. */
const OURS = ['private', 'scripts', 'devDependencies', 'optionalDependencies', 'scarfSettings'];

/** The Node.js versions that the library supports. This repository accepts older versions, because its scripts find a newer one. */
const ENGINES = { node: `>=${NEEDED_NODE}` };

/** Packs the library into `outdir` (default: `dist`). Returns the path to the tarball. Needs no network. */
export async function packLibrary(outdir = resolve(ROOT, 'dist')): Promise<string> {
  const staging = await mkdtemp(join(tmpdir(), 'flashblade-library-'));
  try {
    const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
    const lib = join(staging, 'dist/lib');
    await run(process.execPath, [tsc, '-p', resolve(ROOT, 'tsconfig.library.json'), '--outDir', lib]);
    for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) await cp(resolve(ROOT, file), join(staging, file));
    await writeFile(join(staging, 'package.json'), JSON.stringify(await packageForOthers(), undefined, 2));
    await mkdir(outdir, { recursive: true });
    const { stdout } = await run('npm', ['pack', '--offline', '--json', '--pack-destination', outdir], {
      cwd: staging,
    });
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    if (!packed) throw new Error('npm created no tarball');
    return join(outdir, packed.filename);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function packageForOthers(): Promise<Record<string, unknown>> {
  const ours: unknown = JSON.parse(await readFile(resolve(ROOT, 'package.json'), 'utf8'));
  const kept = Object.entries(ours as object).filter(([key]) => !OURS.includes(key));
  return { ...Object.fromEntries(kept), engines: ENGINES };
}

const USAGE = `npm run library

Compiles the client library, packs it as dist/flashblade-sessions-<version>.tgz, and prints the path.

  --help

Exit codes: 0 on success, 2 for invalid arguments.`;

async function main(): Promise<number> {
  console.log(await packLibrary());
  return 0;
}

if (import.meta.main) await runPlain(USAGE, main);
