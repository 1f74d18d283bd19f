/** `npm run build` bundles every Lambda function. */
import { globSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { LEAN_SDK_ALIASES, lazyBuiltins, NO_WEB_GLOBALS, noLogs, noProfiles, versionsOnly } from './build/lean-sdk.ts';
import { shortErrorsOfSdk } from './build/short-errors.ts';
import { byPackage, grown, readTable, writeTable } from './build/sizes.ts';
import { commandOfProcess, parsed } from './command-line.ts';

export const ROOT = resolve(import.meta.dirname, '..');

const { hashOf }: { hashOf: (content: Buffer) => string } = createRequire(import.meta.url)(
  '../infra/check-bundles.cjs',
);

/** The build fails above this size. Most of a cold start is import time, which grows with the bundle size. */
export const BUNDLE_LIMIT_KIB = 350;

export type BuildOptions = {
  /** Paths to TypeScript files, each of which becomes one bundle. Default: every `functions/*.ts`. */
  readonly entries?: readonly string[];
  /** Output directory for the bundles, which is emptied first. Default: `dist/functions`. */
  readonly outdir?: string;
};

export type Bundle = {
  /** The function's name, which is the file name without the extension. */
  readonly name: string;
  readonly path: string;
  readonly kib: number;
  /** Paths to the bundle's source files, relative to the project. */
  readonly inputs: readonly string[];
  /** Bytes per package. */
  readonly packages: Readonly<Record<string, number>>;
};

/** Returns the paths to the functions' entry files, sorted. */
export const functionEntries = (): string[] =>
  globSync('functions/*.ts', { cwd: ROOT, exclude: (name) => name.endsWith('.test.ts') })
    .sort()
    .map((entry) => resolve(ROOT, entry));

/** Bundles each entry into `<outdir>/<name>.mjs`, ready to run in Lambda. The output is deterministic. */
export const buildFunctions = async (options: BuildOptions = {}): Promise<Bundle[]> => {
  const { entries = functionEntries(), outdir = resolve(ROOT, 'dist/functions') } = options;
  await rm(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...entries],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    mainFields: ['module', 'main'],
    banner: { js: NO_WEB_GLOBALS.banner },
    alias: LEAN_SDK_ALIASES,
    define: NO_WEB_GLOBALS.define,
    plugins: [versionsOnly, shortErrorsOfSdk, noProfiles, noLogs, lazyBuiltins],
    metafile: true,
    logLevel: 'warning',
  });
  const bundles = bundlesOf(metafile);
  if (options.entries === undefined) await writeHashes(outdir, bundles);
  return bundles;
};

/** Writes the hash of every source file of the bundles, so that `osls deploy` can refuse bundles that are older than the source. */
async function writeHashes(outdir: string, bundles: readonly Bundle[]): Promise<void> {
  const inputs = bundles.flatMap((bundle) => bundle.inputs).filter((input) => /^(functions|lib)\//.test(input));
  const builders = globSync(['scripts/build.ts', 'scripts/build/*.ts', 'package-lock.json'], { cwd: ROOT });
  const paths = [...new Set([...inputs, ...builders])].sort();
  const hashes = await Promise.all(paths.map(async (path) => [path, hashOf(await readFile(resolve(ROOT, path)))]));
  await writeFile(join(outdir, 'sources.json'), JSON.stringify(Object.fromEntries(hashes), null, 2));
}

const bundlesOf = (metafile: Metafile): Bundle[] =>
  Object.entries(metafile.outputs)
    .map(([path, output]) => ({
      name: basename(path, '.mjs'),
      path: resolve(ROOT, path),
      kib: output.bytes / 1024,
      inputs: Object.keys(output.inputs),
      packages: byPackage(output.inputs),
    }))
    .sort((a, b) => a.name.localeCompare(b.name));

/** Returns the names of the bundles that exceed the limit. */
export const tooLarge = (bundles: readonly Bundle[], limitKib = BUNDLE_LIMIT_KIB): string[] =>
  bundles.filter((bundle) => bundle.kib > limitKib).map((bundle) => bundle.name);

const row = ({ name, kib }: Bundle): string =>
  `${name.padEnd(24)}${kib.toFixed(1).padStart(8)} KiB   limit ${BUNDLE_LIMIT_KIB} KiB`;

const USAGE = `npm run build -- [options]

Bundles every function into dist/functions and prints the bundle sizes.

  --accept   record the sizes in scripts/build/sizes.json, the baseline for later builds
  --help

Exit codes: 0 on success, 1 if a bundle is larger than ${BUNDLE_LIMIT_KIB} KiB, 2 for invalid arguments.`;

const OPTIONS = { accept: { type: 'boolean' } } as const;

function readCommand(args: readonly string[]) {
  const { values } = parsed(args, OPTIONS);
  return values.help ? 'help' : { accept: values.accept === true };
}

async function main(): Promise<number> {
  const command = commandOfProcess(readCommand, USAGE);
  if ('exitCode' in command) return command.exitCode;
  const bundles = await buildFunctions();
  const sizes = Object.fromEntries(bundles.map(({ name, packages }) => [name, packages]));
  if (command.accept) await writeTable(sizes);
  console.log(bundles.map(row).join('\n'));
  for (const line of grown(sizes, await readTable()))
    console.warn(`${line}. To accept the new size, run: npm run build -- --accept`);
  const large = tooLarge(bundles);
  if (bundles.length === 0) console.error('No functions were found in functions/.');
  if (large.length > 0) console.error(`Larger than ${BUNDLE_LIMIT_KIB} KiB: ${large.join(', ')}.`);
  return bundles.length === 0 || large.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = await main();
