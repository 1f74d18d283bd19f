/** A user's project with the packed library installed, as `npm install` would leave it, without network. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { packLibrary } from '../../../scripts/library.ts';

const run = promisify(execFile);

export type Manifest = Record<string, Record<string, string> | undefined>;

/** The directory of the installed library. */
export const homeIn = (project: string): string => join(project, 'node_modules/flashblade-sessions');

/** Packs the library and installs it in the directory `project`. Returns the names of its files, its package.json and the tarball. */
export async function installLibrary(project: string): Promise<{ files: string[]; packed: Manifest; tarball: string }> {
  const home = homeIn(project);
  await mkdir(home, { recursive: true });
  const tarball = await packLibrary(project);
  await run('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(home, join(parentPath, name)))
    .sort();
  const packed = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as Manifest;
  // Exactly the dependencies that the library declares.
  for (const name of [...Object.keys(packed['dependencies'] ?? {}), '@types/node', 'undici-types']) {
    const link = join(project, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(resolve(ROOT, 'node_modules', name), link);
  }
  return { files, packed, tarball };
}

/**
 * Copies the project for one test, with a mistake in one file of the library: `find` becomes `replacement`. An empty `find` is the start of
 * the file. Returns the copy and a tarball of its library.
 */
export async function withMistake(
  project: string,
  file: string,
  find: string,
  replacement: string,
): Promise<{ project: string; tarball: string }> {
  const copy = await mkdtemp(join(tmpdir(), 'flashblade-mistake-'));
  onTestFinished(() => rm(copy, { recursive: true, force: true }));
  await cp(project, copy, { recursive: true, verbatimSymlinks: true });
  const path = join(homeIn(copy), file);
  const text = await readFile(path, 'utf8');
  if (!text.includes(find)) throw new Error(`${file} does not contain ${find}`);
  await writeFile(
    path,
    text.replace(find, () => replacement),
  );
  const tarball = join(copy, 'mistake.tgz');
  await cp(homeIn(copy), join(copy, 'package'), { recursive: true });
  await run('tar', ['-czf', tarball, '-C', copy, 'package']);
  return { project: copy, tarball };
}

export type ModuleResolution = 'node16' | 'nodenext' | 'bundler';

/** Type-checks programs in a strict project, with the declarations of all packages. Returns the compiler's errors. */
export async function typeCheck(
  project: string,
  programs: readonly string[],
  moduleResolution: ModuleResolution = 'nodenext',
  compiler = 'typescript',
): Promise<string> {
  const module = moduleResolution === 'bundler' ? 'esnext' : moduleResolution;
  const args = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2022', '--types', 'node'];
  const tsc = resolve(ROOT, 'node_modules', compiler, 'bin/tsc');
  const kind = ['--module', module, '--moduleResolution', moduleResolution];
  try {
    await run(process.execPath, [tsc, ...args, ...kind, ...programs], { cwd: project });
    return '';
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (!stdout?.includes('error TS')) throw error;
    return stdout;
  }
}
