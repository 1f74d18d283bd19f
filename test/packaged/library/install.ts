/** A user's project with the packed library installed, as `npm install` would leave it, without network. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../../scripts/build.ts';
import { packLibrary } from '../../../scripts/library.ts';

export type Manifest = Record<string, Record<string, string> | undefined>;

/** Packs the library and installs it in the directory `project`. Returns the names of its files, and its package.json. */
export async function installLibrary(project: string): Promise<{ files: string[]; packed: Manifest }> {
  const home = join(project, 'node_modules/flashblade-sessions');
  await mkdir(home, { recursive: true });
  await promisify(execFile)('tar', ['-xzf', await packLibrary(project), '-C', home, '--strip-components=1']);
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
  return { files, packed };
}
