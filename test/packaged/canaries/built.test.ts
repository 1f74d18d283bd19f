import { expect, test } from 'vitest';
import { canary } from '../../kit/canary.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { builtFiles } from './built.ts';

/** The format of an array's API token. */
const API_TOKEN = /\bT-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/i;
const CANARIES = [canary(0), canary(1), canary(1000)];

test('deployed bundles, zips and templates contain no token and no source map', async () => {
  const built = await builtFiles();
  expect(built.filter(({ file }) => /\.zip: .*\.mjs$/.test(file)).length).toBeGreaterThanOrEqual(7);
  expect(built.filter(({ file }) => file.endsWith('.map')).map(({ file }) => file)).toEqual([]);
  // A bundle is the same in its zip.
  const texts = new Map(built.map(({ file, text }) => [text, file]));
  for (const [text, file] of texts) {
    expect(API_TOKEN.test(text), file).toBe(false);
    expect(tokensIn(text, CANARIES), file).toEqual([]);
  }
});
