/** Compares the size of each package in each bundle with a committed table, to show which packages grew. */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/**
 * Bytes per package in each bundle. `ours` is this project's own code. The total excludes the code that esbuild adds to join the modules.
 */
export type Sizes = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The number of bytes by which a bundle may grow without a warning. Any module that is worth a warning is larger. */
const TOLERANCE = 512;

export const TABLE = resolve(import.meta.dirname, 'sizes.json');

/** Returns the package that a source file belongs to. */
export const packageOf = (input: string): string => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? 'ours';

/** Adds up a bundle's bytes per package. */
export function byPackage(
  inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>,
): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
    const name = packageOf(input);
    sizes[name] = (sizes[name] ?? 0) + bytesInOutput;
  }
  return Object.fromEntries(Object.entries(sizes).sort(([a], [b]) => a.localeCompare(b)));
}

/** Returns one line for each bundle that grew by more than the tolerance or is not in the table. */
export function grown(now: Sizes, table: Sizes): string[] {
  return Object.entries(now).flatMap(([name, packages]) => {
    const before = table[name];
    if (before === undefined) return [`${name} is new`];
    const more = sum(packages) - sum(before);
    if (more <= TOLERANCE) return [];
    const by = Object.entries(packages)
      .map(([part, bytes]) => ({ part, bytes: bytes - (before[part] ?? 0) }))
      .filter(({ bytes }) => bytes > 0)
      .sort((a, b) => b.bytes - a.bytes);
    return [`${name} grew by ${more} bytes: ${by.map(({ part, bytes }) => `${part} +${bytes}`).join(', ')}`];
  });
}

export const readTable = async (): Promise<Sizes> => JSON.parse(await readFile(TABLE, 'utf8'));
export const writeTable = (sizes: Sizes): Promise<void> => writeFile(TABLE, `${JSON.stringify(sizes, null, 2)}\n`);

const sum = (sizes: Readonly<Record<string, number>>): number => Object.values(sizes).reduce((a, b) => a + b, 0);
