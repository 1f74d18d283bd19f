import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readZip, unzip } from '../../../scripts/zip.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flashblade-zip-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const UTF8_NAMES = 0x0800;

type Part = { name: string; content: string; method?: number; mode?: number };

/** Creates a zip in the form of osls: sizes only in the central directory. */
const makeZip = (parts: Part[]): Buffer => {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  for (const { name, content, method = 8, mode = 0o644 } of parts) {
    const data = Buffer.from(content);
    const packed = method === 8 ? deflateRawSync(data) : data;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(UTF8_NAMES, 6);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(UTF8_NAMES, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc32(data), 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(data.length, 24);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    entry.writeUInt32LE((0o100_000 | mode) * 0x1_0000, 38);
    entry.writeUInt32LE(Buffer.concat(locals).length, 42);
    locals.push(local, Buffer.from(name), packed);
    central.push(entry, Buffer.from(name));
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(Buffer.concat(locals).length, 16);
  return Buffer.concat([...locals, ...central, end]);
};

const saved = async (name: string, bytes: Buffer): Promise<string> => {
  await writeFile(join(directory, name), bytes);
  return join(directory, name);
};

test('files of a zip are read with their content, folders and permissions, whether compressed or not', async () => {
  const parts = [
    { name: 'dist/functions/', content: '', method: 0 },
    { name: 'dist/functions/größe.mjs', content: 'export {};'.repeat(100) },
    { name: 'plain.txt', content: 'plain', method: 0, mode: 0o600 },
  ];
  const zip = await saved('good.zip', makeZip(parts));
  expect((await readZip(zip)).map(({ name, mode }) => [name, mode])).toEqual([
    ['dist/functions/größe.mjs', 0o644],
    ['plain.txt', 0o600],
  ]);
  await unzip(zip, join(directory, 'good'));
  expect(await readFile(join(directory, 'good/dist/functions/größe.mjs'), 'utf8')).toBe('export {};'.repeat(100));
  expect(await readFile(join(directory, 'good/plain.txt'), 'utf8')).toBe('plain');
});

test('a file with altered content is refused', async () => {
  const bytes = makeZip([{ name: 'a', content: 'content', method: 0 }]);
  bytes.write('X', bytes.indexOf('content'));
  await expect(readZip(await saved('altered.zip', bytes))).rejects.toThrow('a is damaged');
});

test('a truncated zip and a file that is not a zip are refused', async () => {
  const bytes = makeZip([{ name: 'a', content: 'content' }]);
  await expect(readZip(await saved('cut.zip', bytes.subarray(0, -1)))).rejects.toThrow(
    'Either not a zip file, or file is truncated',
  );
  await expect(readZip(await saved('text.zip', Buffer.from('no zip')))).rejects.toThrow(
    'Either not a zip file, or file is truncated',
  );
});

test('an entry with another compression method is refused', async () => {
  const zip = await saved('lzma.zip', makeZip([{ name: 'a', content: 'content', method: 14 }]));
  await expect(readZip(zip)).rejects.toThrow('unsupported compression method: 14');
});

test('an entry that points outside the directory is not written', async () => {
  const zip = await saved('escape.zip', makeZip([{ name: '../escaped', content: 'content' }]));
  await expect(unzip(zip, join(directory, 'inside'))).rejects.toThrow('invalid relative path: ../escaped');
  expect(existsSync(join(directory, 'escaped'))).toBe(false);
});
