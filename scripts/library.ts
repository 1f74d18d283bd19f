/** Compiles the library and packs it for others: `npm run library` writes `dist/flashblade-sessions-<version>.tgz`. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './build.ts';

const run = promisify(execFile);

/** What only this project's own work needs. Who installs the library would get our Node.js otherwise. */
const OURS = ['private', 'scripts', 'devDependencies', 'optionalDependencies', 'scarfSettings'];

/** Packs the library into `outdir` (default `dist`). Answers the tarball's path. Needs no network. */
export async function packLibrary(outdir = resolve(ROOT, 'dist')): Promise<string> {
  const staging = await mkdtemp(join(tmpdir(), 'flashblade-library-'));
  try {
    const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
    const lib = join(staging, 'dist/lib');
    await run(process.execPath, [tsc, '-p', resolve(ROOT, 'tsconfig.library.json'), '--outDir', lib]);
    for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) await cp(resolve(ROOT, file), join(staging, file));
    await writeFile(join(staging, 'package.json'), JSON.stringify(await packageForOthers(), undefined, 2));
    const { stdout } = await run('npm', ['pack', '--offline', '--json', '--pack-destination', outdir], {
      cwd: staging,
    });
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    if (!packed) throw new Error('npm packed nothing');
    return join(outdir, packed.filename);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function packageForOthers(): Promise<Record<string, unknown>> {
  const ours: unknown = JSON.parse(await readFile(resolve(ROOT, 'package.json'), 'utf8'));
  return Object.fromEntries(Object.entries(ours as object).filter(([key]) => !OURS.includes(key)));
}

if (import.meta.main) console.log(await packLibrary());
