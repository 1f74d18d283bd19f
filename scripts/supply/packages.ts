/** Finds the packages in the functions' bundles. These are the packages that esbuild included, not those that package.json lists. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Bundle, buildFunctions, ROOT } from '../build.ts';

export type BundledPackage = {
  /** The package's directory, relative to the project. Each version of a package has its own directory. */
  readonly directory: string;
  readonly name: string;
  readonly version: string;
  /** The license that the package declares, as an SPDX expression. */
  readonly license: string;
  /** The functions whose bundles contain part of the package, sorted. */
  readonly functions: readonly string[];
};

type Made = Pick<Bundle, 'name' | 'inputs'>;

/** Builds the bundles in a temporary directory. Returns the bundled packages, sorted by directory. */
export async function bundledPackages(): Promise<BundledPackage[]> {
  const outdir = await mkdtemp(join(tmpdir(), 'flashblade-supply-'));
  try {
    return await packagesIn(await buildFunctions({ outdir }));
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

/** Returns the packages that the bundles' source files belong to. Throws if a package does not declare a name, version or license. */
export async function packagesIn(bundles: readonly Made[]): Promise<BundledPackage[]> {
  const functions = new Map<string, Set<string>>();
  for (const { name, inputs } of bundles) {
    for (const directory of inputs.flatMap((input) => directoryOf(input) ?? [])) {
      functions.set(directory, (functions.get(directory) ?? new Set()).add(name));
    }
  }
  const sorted = [...functions].sort(([a], [b]) => (a < b ? -1 : 1));
  return Promise.all(
    sorted.map(async ([directory, users]) => ({ ...(await declared(directory)), functions: [...users].sort() })),
  );
}

/** Returns the directory of the package that a source file belongs to, or undefined for this project's own files. */
export const directoryOf = (input: string): string | undefined =>
  /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];

async function declared(directory: string): Promise<Omit<BundledPackage, 'functions'>> {
  const { name, version, license }: Record<string, unknown> = JSON.parse(
    await readFile(resolve(ROOT, directory, 'package.json'), 'utf8'),
  );
  if (typeof name !== 'string' || typeof version !== 'string' || typeof license !== 'string') {
    throw new Error(`${directory} does not declare a name, version or license`);
  }
  return { directory, name, version, license };
}

/** Returns the texts that must accompany a package (its license and notices), with their file names. */
export async function legalTextsOf({ directory }: Pick<BundledPackage, 'directory'>): Promise<[string, string][]> {
  const files = (await readdir(resolve(ROOT, directory))).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  return Promise.all(
    files
      .sort()
      .map(async (file) => [file, await readFile(resolve(ROOT, directory, file), 'utf8')] as [string, string]),
  );
}
