/** The kept functions of the previous release. README.md explains where they come from. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { FUNCTIONS, type FunctionName } from '../../kit/packaged.ts';

const KEPT = resolve(import.meta.dirname, 'previous');

/** Unpacks the functions into a directory. Returns their paths. */
export function unpackPrevious(directory: string): Readonly<Record<FunctionName, string>> {
  const input = zstdDecompressSync(readFileSync(join(KEPT, 'functions.tar.zst')));
  execFileSync('tar', ['-x', '-f', '-', '-C', directory], { input });
  const paths = FUNCTIONS.map((name) => [name, join(directory, `${name}.mjs`)]);
  return Object.fromEntries(paths) as Record<FunctionName, string>;
}

/** The files of a directory that differ from the kept checksums: changed, missing or added. */
export function changed(directory: string): string[] {
  const expected = readFileSync(join(KEPT, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
  const sumOf = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(directory, name)))
      .digest('hex');
  const found = readdirSync(directory).map((name) => `${sumOf(name)}  ${name}`);
  const wrong = [...expected, ...found].filter((line) => !expected.includes(line) || !found.includes(line));
  return [...new Set(wrong.map((line) => line.replace(/^.* /, '')))].sort();
}
