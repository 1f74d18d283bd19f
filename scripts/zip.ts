/** Reads Lambda functions' zip files. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { fromBufferPromise } from 'yauzl';

export type ZipEntry = {
  readonly name: string;
  readonly data: Buffer;
  /** Permissions, such as 0o644. */
  readonly mode: number;
};

/** Returns a zip's files in order. Fails if the zip is damaged, or if a name points outside the target directory. */
export const readZip = async (file: string): Promise<ZipEntry[]> => {
  const zip = await fromBufferPromise(await readFile(file), { lazyEntries: true });
  const entries: ZipEntry[] = [];
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName;
    if (name.endsWith('/')) continue;
    const data = await buffer(await zip.openReadStreamPromise(entry));
    // yauzl checks an entry's size, but not the checksum.
    if (crc32(data) !== entry.crc32) throw new Error(`${name} is damaged in the zip file`);
    entries.push({ name, data, mode: (entry.externalFileAttributes >>> 16) & 0o777 });
  }
  return entries;
};

/** Unpacks a zip into a directory. */
export const unzip = async (file: string, directory: string): Promise<void> => {
  for (const { name, data } of await readZip(file)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, data);
  }
};
