/** `npm run library` compiles the library and packs it as `dist/flashblade-sessions-<version>.tgz`. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { NEEDED_NODE } from '../lib/core/node-version.ts';
import { ROOT } from './build.ts';
import { runPlain } from './command-line.ts';

const run = promisify(execFile);

type Manifest = { readonly dependencies: Readonly<Record<string, string>> };

/** Fields to remove from package.json. Otherwise, installing the library would also install this project's Node.js. */
const OURS = ['private', 'scripts', 'devDependencies', 'optionalDependencies', 'scarfSettings'];

/** Fields of the published package.json that differ from this repository's. Every other field of package.json is published as it is. */
const PUBLISHED = {
  description:
    'Opens and closes REST sessions on Pure Storage (Everpure) FlashBlade arrays: on one array, or on a fleet with a ledger in AWS',
  // This repository accepts older versions, because its scripts find a newer one.
  engines: { node: `>=${NEEDED_NODE}` },
  // Bundlers may drop every other module that a program does not use.
  sideEffects: ['./dist/lib/core/node-version.js'],
};

/** Packs the library into `outdir` (default: `dist`). Returns the path to the tarball. Needs no network. */
export async function packLibrary(outdir = resolve(ROOT, 'dist')): Promise<string> {
  const staging = await mkdtemp(join(tmpdir(), 'flashblade-library-'));
  try {
    const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
    const lib = join(staging, 'dist/lib');
    await run(process.execPath, [tsc, '-p', resolve(ROOT, 'tsconfig.library.json'), '--outDir', lib]);
    await finish(lib, staging);
    await cp(resolve(ROOT, 'LICENSE'), join(staging, 'LICENSE'));
    const readme = await readFile(resolve(ROOT, 'lib/README.md'), 'utf8');
    await writeFile(join(staging, 'README.md'), readme.replaceAll('](../', ']('));
    const changes = await readFile(resolve(ROOT, 'CHANGELOG.md'), 'utf8');
    await writeFile(join(staging, 'CHANGELOG.md'), withoutRelativeLinks(changes));
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

/** Makes the compiled files independent of this repository: copies the sources that the source maps refer to into `staging`. */
async function finish(lib: string, staging: string): Promise<void> {
  const files = (await readdir(lib, { recursive: true })).map((name) => join(lib, name));
  for (const path of files.filter((name) => name.endsWith('.map'))) {
    const map: { sources: string[] } = JSON.parse(await readFile(path, 'utf8'));
    const sources = map.sources.map((source) => relative(ROOT, resolve(dirname(path), source)));
    for (const source of sources) await cp(resolve(ROOT, source), join(staging, source));
    map.sources = sources.map((source) => relative(dirname(path), join(staging, source)));
    await writeFile(path, JSON.stringify(map));
  }
  // The compiler rewrites the extensions of imports only in JavaScript.
  for (const path of files.filter((name) => name.endsWith('.d.ts')))
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace(/((?:from |import |import\()(['"])\.[^'"]*)\.ts\2/g, '$1.js$2'),
    );
}

/** Replaces links to files with their text, and removes references in parentheses, because the package does not contain the files. */
const withoutRelativeLinks = (markdown: string): string =>
  markdown.replace(/\s\(\[[^\]]*\]\((?!https:)[^)]*\)\)/g, '').replace(/\[([^\]]*)\]\((?!https:)[^)]*\)/g, '$1');

async function packageForOthers(): Promise<Record<string, unknown>> {
  const ours: Manifest = JSON.parse(await readFile(resolve(ROOT, 'package.json'), 'utf8'));
  const kept = Object.entries(ours).filter(([key]) => !OURS.includes(key));
  // With exact versions, a program that uses a newer version of an AWS client itself would load two copies.
  const dependencies = Object.entries(ours.dependencies).map(([name, version]) => [name, `^${version}`]);
  return { ...Object.fromEntries(kept), ...PUBLISHED, dependencies: Object.fromEntries(dependencies) };
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
