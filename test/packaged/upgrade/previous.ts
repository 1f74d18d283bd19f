/** The kept functions of the previous release: bundles as `npm run build` of that commit made them, in one compressed file. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';

export const FUNCTIONS = resolve(import.meta.dirname, 'previous/functions.json.br');
export const MANIFEST = resolve(import.meta.dirname, 'previous/manifest.json');

/** Where the functions come from. `sha256`: of each `dist/functions/<name>.mjs`. */
export type Manifest = {
  readonly version: string;
  readonly commit: string;
  readonly sha256: Readonly<Record<string, string>>;
};

/** The text of each function's bundle by its name. */
export type Bundles = Readonly<Record<string, string>>;

export const readManifest = (): Manifest => JSON.parse(readFileSync(MANIFEST, 'utf8'));

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const pack = (bundles: Bundles): Buffer => brotliCompressSync(JSON.stringify(bundles));

export const unpack = (packed: Buffer): Bundles => JSON.parse(brotliDecompressSync(packed).toString('utf8'));

/** Functions that differ from the manifest: changed, missing or added. */
export function changed(bundles: Bundles, { sha256: expected }: Manifest): string[] {
  const names = new Set([...Object.keys(bundles), ...Object.keys(expected)]);
  return [...names].filter((name) => bundles[name] === undefined || sha256(bundles[name]) !== expected[name]);
}

/** Writes the functions to a new temporary directory, as their zips would be unpacked. Throws if one is not as it was built. */
export function unpackPrevious(): string {
  const bundles = unpack(readFileSync(FUNCTIONS));
  const wrong = changed(bundles, readManifest());
  if (wrong.length > 0) throw new Error(`Not as they were built: ${wrong.join(', ')}. Run keep-previous.ts again`);
  const directory = mkdtempSync(join(tmpdir(), 'flashblade-previous-'));
  mkdirSync(join(directory, 'dist/functions'), { recursive: true });
  for (const [name, text] of Object.entries(bundles))
    writeFileSync(join(directory, `dist/functions/${name}.mjs`), text);
  return directory;
}
