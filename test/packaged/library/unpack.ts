/** Unpacks a tarball from `npm pack`: gzip around ustar. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/** Writes the files of a package's tarball below `directory`, without the leading `package/`. Returns their names, sorted. */
export async function unpack(tarball: string, directory: string): Promise<string[]> {
  const archive = gunzipSync(await readFile(tarball));
  const names: string[] = [];
  for (let at = 0; at < archive.length && archive[at] !== 0; ) {
    const field = (start: number, length: number) =>
      archive.toString('utf8', at + start, at + start + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    if (field(156, 1) !== '0') throw new Error(`${field(0, 100)} is not a plain file`);
    const name = normalize(join(field(345, 155), field(0, 100))).replace(/^package\//, '');
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, archive.subarray(at + BLOCK, at + BLOCK + size));
    names.push(name);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return names.sort();
}
