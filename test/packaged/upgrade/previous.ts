/**
 * The kept functions of the previous release: bundles as `npm run build` of that commit made them, in one compressed file.
 * `node test/packaged/upgrade/previous.ts v0.1.0`, with Node.js 24, keeps those of another commit, usually of the latest release.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { ROOT } from '../../../scripts/build.ts';
import { FUNCTIONS, type FunctionName } from '../../kit/packaged.ts';

const BUNDLES = resolve(import.meta.dirname, 'previous/functions.json.br');
const MANIFEST = resolve(import.meta.dirname, 'previous/manifest.json');

/** Where the functions come from. `sha256`: of each `dist/functions/<name>.mjs`. */
type Manifest = {
  readonly version: string;
  readonly commit: string;
  readonly sha256: Readonly<Record<string, string>>;
};

/** The text of each function's bundle by its name. */
type Bundles = Readonly<Record<string, string>>;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const readManifest = (): Manifest => JSON.parse(readFileSync(MANIFEST, 'utf8'));
export const readBundles = (): Bundles => JSON.parse(brotliDecompressSync(readFileSync(BUNDLES)).toString('utf8'));

/** Functions that differ from the manifest: changed, missing or added. */
export function changed(bundles: Bundles, { sha256: expected }: Manifest): string[] {
  const names = new Set([...Object.keys(bundles), ...Object.keys(expected)]);
  return [...names].filter((name) => bundles[name] === undefined || sha256(bundles[name]) !== expected[name]);
}

/** Writes the functions to a directory. Returns their paths. Throws if one is not as it was built. */
export function unpackPrevious(directory: string): Readonly<Record<FunctionName, string>> {
  const bundles = readBundles();
  const wrong = changed(bundles, readManifest());
  if (wrong.length > 0) throw new Error(`Not as they were built: ${wrong.join(', ')}. Run previous.ts again`);
  for (const [name, text] of Object.entries(bundles)) writeFileSync(join(directory, `${name}.mjs`), text);
  return Object.fromEntries(FUNCTIONS.map((name) => [name, join(directory, `${name}.mjs`)])) as Record<
    FunctionName,
    string
  >;
}

/** Builds the functions of the commit as they were, with the dependencies of that commit, and keeps them. */
function keep(commit: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'flashblade-previous-'));
  const run = (command: string, args: readonly string[], cwd: string) =>
    execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    run('git', ['worktree', 'add', '--detach', directory, commit], ROOT);
    run('npm', ['ci'], directory);
    run('npm', ['run', 'build'], directory);
    const bundles = Object.fromEntries(
      globSync('dist/functions/*.mjs', { cwd: directory })
        .sort()
        .map((path) => [basename(path, '.mjs'), readFileSync(join(directory, path), 'utf8')]),
    );
    const manifest: Manifest = {
      version: JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version,
      commit: run('git', ['rev-parse', 'HEAD'], directory).trim(),
      sha256: Object.fromEntries(Object.entries(bundles).map(([name, text]) => [name, sha256(text)])),
    };
    writeFileSync(BUNDLES, brotliCompressSync(JSON.stringify(bundles)));
    writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
    console.log(`Kept ${Object.keys(bundles).length} functions of ${manifest.version} (${manifest.commit}).`);
  } finally {
    run('git', ['worktree', 'remove', '--force', directory], ROOT);
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [commit, ...more] = process.argv.slice(2);
  if (commit !== undefined && !commit.startsWith('-') && more.length === 0) keep(commit);
  else {
    console.error('Usage: node test/packaged/upgrade/previous.ts <commit or tag>');
    process.exitCode = 2;
  }
}
