/** The content of the bundles: bytes per package compared with the committed table, and code that must not be in them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { byPackage, grown, readTable } from '../../../scripts/build/sizes.ts';
import { type Bundle, buildFunctions } from '../../../scripts/build.ts';

let outdir: string;
let bundles: readonly Bundle[];

beforeAll(async () => {
  outdir = await mkdtemp(join(tmpdir(), 'flashblade-sizes-'));
  bundles = await buildFunctions({ outdir });
});

afterAll(() => rm(outdir, { recursive: true, force: true }));

const named = (name: string): Bundle => {
  const bundle = bundles.find((one) => one.name === name);
  if (bundle === undefined) throw new Error(`there is no function ${name}`);
  return bundle;
};
const has = (bundle: Bundle, part: string): boolean => bundle.inputs.some((input) => input.includes(part));

test('no bundle is larger than in the committed table (to accept growth: npm run build -- --accept)', async () => {
  expect(bundles).toHaveLength(7);
  expect(grown(Object.fromEntries(bundles.map(({ name, packages }) => [name, packages])), await readTable())).toEqual(
    [],
  );
});

test('a larger bundle is reported with the packages that grew', () => {
  const before = { login: { ours: 1000, zod: 5000 } };
  expect(grown({ login: { ours: 1500, zod: 5012 } }, before)).toEqual([]);
  expect(grown({ login: { ours: 1001, zod: 5000, lodash: 700 } }, before)).toEqual([
    'login grew by 701 bytes: lodash +700, ours +1',
  ]);
  expect(grown({ logout: { ours: 1 } }, before)).toEqual(['logout is new']);
});

test('bytes are counted for the innermost package', () => {
  const inputs = {
    'lib/a.ts': { bytesInOutput: 1 },
    'functions/b.ts': { bytesInOutput: 2 },
    'node_modules/@aws-sdk/core/x.js': { bytesInOutput: 3 },
    'node_modules/@aws-sdk/core/node_modules/zod/y.js': { bytesInOutput: 4 },
  };
  expect(byPackage(inputs)).toEqual({ '@aws-sdk/core': 3, ours: 3, zod: 4 });
});

test('a function that only closes sessions contains no client that can read an API token', () => {
  const withSecrets = bundles
    .filter((bundle) => has(bundle, '@aws-sdk/client-secrets-manager'))
    .map(({ name }) => name);
  expect(withSecrets).toEqual(['call-array', 'check-fleet', 'login', 'renew', 'session-events']);
});

test('unused parts of the AWS SDK are replaced in every bundle', () => {
  expect(has(named('login'), 'scripts/build/no-endpoint-discovery.ts')).toBe(true);
  for (const bundle of bundles) {
    for (const part of ['@aws-sdk/endpoint-cache', 'submodules/event-streams', '@aws-sdk/credential-provider-node']) {
      expect(has(bundle, part), `${part} in ${bundle.name}`).toBe(false);
    }
  }
});

test('no bundle uses more than randomUUID of the replaced global crypto', async () => {
  for (const { name, path } of bundles) {
    const asked = (await readFile(path, 'utf8')).matchAll(/cryptoOfBundle\.(\w+)/g);
    expect([...new Set([...asked].map(([, what]) => what))], name).toEqual(['randomUUID']);
  }
});
