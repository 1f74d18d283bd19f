import { expect, test } from 'vitest';
import { tokensIn } from '../functions/secrecy.ts';
import { builtFiles } from './built.ts';
import { canary } from './canary.ts';

/** What an array's API token looks like. */
const API_TOKEN = /\bT-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/i;
const CANARIES = [canary(0), canary(1), canary(1000)];

test('no token and no source map is in what is deployed: bundles, zips, templates', async () => {
  const built = await builtFiles();
  expect(built.filter(({ place }) => /\.zip: .*\.mjs$/.test(place)).length).toBeGreaterThanOrEqual(7);
  expect(built.filter(({ place }) => place.endsWith('.map')).map(({ place }) => place)).toEqual([]);
  // A bundle is the same in its zip.
  const texts = new Map(built.map(({ place, text }) => [text, place]));
  for (const [text, place] of texts) {
    expect(API_TOKEN.test(text), place).toBe(false);
    expect(tokensIn(text, CANARIES), place).toEqual([]);
  }
});
