/** Copies of the product with deliberate mistakes, and calls of their functions. Each mistake must turn a proof red. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { buildFunctions, ROOT } from '../../scripts/build.ts';

/** Replaces `find` in `file` (from the project's root), where it must occur exactly once. */
export type Patch = { readonly file: string; readonly find: string; readonly replace: string };

/**
 * Bundles `entry` (from the project's root) with everything that it imports from the project, broken by the patches. Throws if a
 * patch no longer fits: the code that it breaks has changed, so the control would prove nothing. The copy exports what `entry` exports.
 */
export async function brokenCopy(entry: string, patches: readonly Patch[]) {
  const directory = await mkdtemp(join(ROOT, 'dist', 'broken-'));
  const path = join(directory, 'entry.mjs');
  const applied = new Set<Patch>();
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: [entry],
      outfile: path,
      bundle: true,
      ...({ format: 'esm', platform: 'node', target: 'node24', packages: 'external', logLevel: 'silent' } as const),
      plugins: [patching(patches, applied)],
    });
    const left = patches.find((patch) => !applied.has(patch));
    if (left) throw new Error(`${entry} does not import ${left.file}`);
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }
  const remove = (): Promise<void> => rm(directory, { recursive: true });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/** The same for a function, bundled as it is deployed, so that its processes start as fast. */
export async function brokenFunction(name: string, patches: readonly Patch[]) {
  const copy = await brokenCopy(`functions/${name}.ts`, patches);
  const [bundle] = await buildFunctions({ entries: [copy.path], outdir: join(dirname(copy.path), 'bundle') });
  return { ...copy, path: bundle?.path ?? '' };
}

/** The text of the patch's file, broken by the patch. */
export function patched(text: string, { file, find, replace }: Patch): string {
  const [before, after, ...more] = text.split(find);
  if (after === undefined || more.length > 0) throw new Error(`${file} does not have this exactly once: ${find}`);
  return before + replace + after;
}

const patching = (patches: readonly Patch[], applied: Set<Patch>): Plugin => ({
  name: 'broken on purpose',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const own = patches.filter(({ file }) => resolve(ROOT, file) === path);
      if (own.length === 0) return undefined;
      const contents = own.reduce(patched, await readFile(path, 'utf8'));
      for (const patch of own) applied.add(patch);
      return { contents, loader: 'ts' };
    }),
});

/**
 * Calls an exported function of a module in a process of its own, and returns what it returned, as JSON. `path`: from the project's root.
 * Throws if the process fails.
 */
export async function tell<Output>(
  path: string,
  name: string,
  args: readonly unknown[],
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const code = `
    import { ${name} } from '${pathToFileURL(resolve(ROOT, path))}';
    process.stdout.write(JSON.stringify(await ${name}(...${JSON.stringify(args)})));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { env });
  return JSON.parse(stdout) as Output;
}
