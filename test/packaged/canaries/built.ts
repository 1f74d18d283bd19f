/** Everything that is deployed, as text: bundles, zips, templates and any other files in their directories. */
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ROOT } from '../../../scripts/build.ts';
import { readZip } from '../../../scripts/zip.ts';

const DIRECTORIES = ['dist/functions', '.serverless'].map((directory) => resolve(ROOT, directory));

export type Built = { readonly file: string; readonly text: string };

/** The files in the directories, and the files in their zips. Default: those of the product. */
export async function builtFiles(directories: readonly string[] = DIRECTORIES): Promise<Built[]> {
  const files = await Promise.all(directories.map(filesOf));
  return (await Promise.all(files.flat().map(textsOf))).flat();
}

const filesOf = async (directory: string): Promise<string[]> =>
  (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => resolve(parentPath, name));

async function textsOf(path: string): Promise<Built[]> {
  if (!path.endsWith('.zip')) return [{ file: path, text: await readFile(path, 'latin1') }];
  const entries = await readZip(path);
  return entries.map(({ name, data }) => ({ file: `${path}: ${name}`, text: data.toString('latin1') }));
}
