/**
 * Keeps the functions of a commit for the upgrade test, usually of the latest release:
 * `node test/packaged/upgrade/keep-previous.ts v0.1.0`, with Node.js 24.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ROOT } from '../../../scripts/build.ts';
import { FUNCTIONS, MANIFEST, type Manifest, pack, sha256 } from './previous.ts';

/** Builds the functions of the commit as they were, with the dependencies of that commit. */
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
    writeFileSync(FUNCTIONS, pack(bundles));
    writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
    console.log(`Kept ${Object.keys(bundles).length} functions of ${manifest.version} (${manifest.commit}).`);
  } finally {
    run('git', ['worktree', 'remove', '--force', directory], ROOT);
    rmSync(directory, { recursive: true, force: true });
  }
}

const [commit, ...more] = process.argv.slice(2);
if (commit === undefined || commit.startsWith('-') || more.length > 0) {
  console.error('Usage: node test/packaged/upgrade/keep-previous.ts <commit or tag>');
  process.exitCode = 2;
} else {
  keep(commit);
}
