import { expect, test } from 'vitest';
import { tokensIn } from '../functions/secrecy.ts';
import { builtFiles } from './built.ts';
import { canary } from './canary.ts';

/** What an array's API token looks like. */
const API_TOKEN = /\bT-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/i;
const CANARIES = [canary(0), canary(1), canary(1000)];

test('no token is in what is deployed: bundles, zips, templates', async () => {
  const built = await builtFiles();
  expect(built.filter(({ place }) => /\.zip: .*\.mjs$/.test(place)).length).toBeGreaterThanOrEqual(7);
  const holding = built.filter(({ text }) => API_TOKEN.test(text) || tokensIn(text, CANARIES).length > 0);
  expect(holding.map(({ place }) => place)).toEqual([]);
});

test('no source map is built or referred to', async () => {
  const built = await builtFiles();
  const withMap = built.filter(({ place, text }) => place.endsWith('.map') || text.includes('sourceMappingURL=data:'));
  expect(withMap.map(({ place }) => place)).toEqual([]);
});
