/** Reads the zip files of Lambda functions: stored or deflated entries, no Zip64, no encryption. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { crc32, inflateRawSync } from 'node:zlib';

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

export type ZipEntry = { readonly name: string; readonly data: Buffer };

/** The files of a zip, in its own order. Fails if it is damaged. */
export const readZip = async (file: string): Promise<ZipEntry[]> => {
  const zip = await readFile(file);
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || end + END_BYTES > zip.length || zip.readUInt32LE(end) !== END_SIGNATURE) {
    throw new Error(`${file} is not a zip file`);
  }
  const entries: ZipEntry[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const { entry, next } = readEntry(zip, at);
    if (!entry.name.endsWith('/')) entries.push(entry);
    at = next;
  }
  return entries;
};

/** One entry of the central directory: the local headers of streamed zips know no sizes. */
const readEntry = (zip: Buffer, at: number): { entry: ZipEntry; next: number } => {
  if (zip.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error('The zip file has a damaged directory');
  const nameEnd = at + ENTRY_BYTES + zip.readUInt16LE(at + 28);
  const name = zip.toString('utf8', at + ENTRY_BYTES, nameEnd);
  const local = zip.readUInt32LE(at + 42);
  const start = local + LOCAL_BYTES + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
  const data = unpack(packed, zip.readUInt16LE(at + 10), name);
  if (crc32(data) !== zip.readUInt32LE(at + 16)) throw new Error(`${name} is damaged in the zip file`);
  return { entry: { name, data }, next: nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32) };
};

const unpack = (packed: Buffer, method: number, name: string): Buffer => {
  if (method === STORED) return packed;
  if (method === DEFLATED) return inflateRawSync(packed);
  throw new Error(`${name} is packed with the unknown method ${method}`);
};

/** Unpacks a zip into a directory. Refuses entries that would land outside of it. */
export const unzip = async (file: string, directory: string): Promise<void> => {
  const root = resolve(directory);
  for (const { name, data } of await readZip(file)) {
    const path = resolve(root, name);
    if (!path.startsWith(root + sep)) throw new Error(`${name} would be unpacked outside of the directory`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, data);
  }
};
