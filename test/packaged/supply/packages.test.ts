/** Where the code of others comes from, which of it ships, and under which licences. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { type BundledPackage, bundledPackages, directoryOf, packagesIn } from '../../../scripts/supply/packages.ts';
import { tableRows } from '../../unit/docs/readme.ts';
import {
  installScripts,
  integrityFaults,
  isPermissive,
  licenceFaults,
  needlessExceptions,
  type Packages,
} from './lock.ts';

type Manifest = Readonly<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>;

const read = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');
const { packages: locked }: { packages: Packages } = JSON.parse(read('package-lock.json'));
const manifest: Manifest = JSON.parse(read('package.json'));
/** A package that is there and in order. */
const GOOD = { version: '1.0.0', integrity: `sha512-${'A'.repeat(86)}==`, license: 'MIT' };

let bundled: readonly BundledPackage[];

beforeAll(async () => {
  bundled = await bundledPackages();
}, 600_000);

describe('what is installed', () => {
  test('is what the lock file has the hash of, from whichever registry', () => {
    expect(Object.keys(locked).length).toBeGreaterThan(500);
    expect(integrityFaults(locked)).toEqual([]);
  });

  test('without a hash, with a weak one or from an address of its own is found', () => {
    const { integrity: _integrity, ...bare } = GOOD;
    expect(integrityFaults({ '': {}, 'node_modules/a': GOOD })).toEqual([]);
    expect(integrityFaults({ 'node_modules/a': bare })).toEqual(['node_modules/a has no SHA-512']);
    expect(integrityFaults({ 'node_modules/a': { ...GOOD, integrity: 'sha1-AAAA' } })).toHaveLength(1);
    expect(integrityFaults({ 'node_modules/a': { ...GOOD, resolved: 'https://example.com/a.tgz' } })).toHaveLength(1);
  });

  test('is of one exact version, and runs nothing when it is installed', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(locked[`node_modules/${name}`]?.version, name).toBe(version);
    }
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
  });

  test('has a licence that allows what is done with it, with few exceptions, each of them needed', () => {
    expect(licenceFaults(locked)).toEqual([]);
    expect(needlessExceptions(locked)).toEqual([]);
  });

  test('under another licence, under none, or under one that is excepted for others is found', () => {
    const withLicence = (license: string, name = 'a') => licenceFaults({ [`node_modules/${name}`]: { license } });
    for (const one of ['GPL-3.0-only', 'MIT AND GPL-2.0', 'UNLICENSED', 'SEE LICENSE IN LICENSE', 'MPL-2.0', '']) {
      expect(withLicence(one), one).toHaveLength(1);
    }
    expect(licenceFaults({ 'node_modules/a': {} })).toEqual(['node_modules/a: no licence']);
    expect(withLicence('(GPL-2.0 OR MIT)')).toEqual([]);
    expect(withLicence('MPL-2.0', 'b/node_modules/lightningcss')).toEqual([]);
    expect(needlessExceptions({ 'node_modules/a': GOOD })).toContain('MPL-2.0');
  });
});

describe('what is in the bundles', () => {
  test('has a permissive licence, the same as in the lock file, without exceptions', () => {
    expect(bundled.length).toBeGreaterThan(15);
    expect(bundled.filter(({ licence }) => !isPermissive(licence))).toEqual([]);
    for (const { directory, version, licence } of bundled) {
      expect(locked[directory], directory).toMatchObject({ version, license: licence });
    }
  });

  test('has no install script', () => {
    expect(
      installScripts(
        locked,
        bundled.map(({ directory }) => directory),
      ),
    ).toEqual([]);
    expect(installScripts(locked, ['node_modules/zod', 'node_modules/esbuild', 'node_modules/not-there'])).toEqual([
      'node_modules/esbuild',
      'node_modules/not-there',
    ]);
  });

  test('and that we name ourselves, is what the README lists', () => {
    const listed = tableRows('at run time, in the bundles').flatMap(([names = '']) =>
      [...names.replace(/\(.*\)/, '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    );
    const { dependencies, devDependencies } = manifest;
    const named = bundled.filter(({ name }) => name in dependencies || name in devDependencies).map(({ name }) => name);
    expect(listed.sort()).toEqual([...new Set(named)].sort());
  });

  test('holds every package that the library asks for', () => {
    const names = bundled.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
  });

  test('is told by the innermost package of a file, and nothing of ours is among it', async () => {
    expect(directoryOf('lib/index.ts')).toBeUndefined();
    expect(directoryOf('built-in:node:crypto')).toBeUndefined();
    expect(directoryOf('node_modules/@a/b/node_modules/c/x.js')).toBe('node_modules/@a/b/node_modules/c');
    const inputs = ['lib/index.ts', 'node_modules/zod/v4/mini/index.js'];
    expect(
      await packagesIn([
        { name: 'logout', inputs },
        { name: 'login', inputs },
      ]),
    ).toMatchObject([{ directory: 'node_modules/zod', name: 'zod', functions: ['login', 'logout'] }]);
  });
});
