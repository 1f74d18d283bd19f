/** Third-party packages: their origin, their licenses, and which of them ship. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { type BundledPackage, bundledPackages, directoryOf, packagesIn } from '../../../scripts/supply/packages.ts';
import { page, tableRows } from '../../kit/pages.ts';
import {
  installScripts,
  integrityFaults,
  isPermissive,
  licenseFaults,
  needlessExceptions,
  type Packages,
} from './lock.ts';

type Manifest = Readonly<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>;

const read = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');
const { packages: locked }: { packages: Packages } = JSON.parse(read('package-lock.json'));
const manifest: Manifest = JSON.parse(read('package.json'));
/** A package without any fault. */
const GOOD = { version: '1.0.0', integrity: `sha512-${'A'.repeat(86)}==`, license: 'MIT' };

let bundled: readonly BundledPackage[];

beforeAll(async () => {
  bundled = await bundledPackages();
}, 600_000);

describe('installed packages', () => {
  test('every package has a hash in the lock file, and none is tied to a registry', () => {
    expect(Object.keys(locked).length).toBeGreaterThan(500);
    expect(integrityFaults(locked)).toEqual([]);
  });

  test('a package without a hash, with a weak hash or with its own address is reported', () => {
    const { integrity: _integrity, ...bare } = GOOD;
    expect(integrityFaults({ '': {}, 'node_modules/a': GOOD })).toEqual([]);
    expect(integrityFaults({ 'node_modules/a': bare })).toEqual(['node_modules/a has no SHA-512']);
    expect(integrityFaults({ 'node_modules/a': { ...GOOD, integrity: 'sha1-AAAA' } })).toHaveLength(1);
    expect(integrityFaults({ 'node_modules/a': { ...GOOD, resolved: 'https://example.com/a.tgz' } })).toHaveLength(1);
  });

  test('every dependency has an exact version, and install scripts are disabled', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    for (const [name, wanted] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      // An alias is the name of a second version of a package.
      const version = wanted.replace(/^npm:[\w-]+@/, '');
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(locked[`node_modules/${name}`]?.version, name).toBe(version);
    }
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
  });

  test('every package has a permissive license or a listed exception, and no exception is unused', () => {
    expect(licenseFaults(locked)).toEqual([]);
    expect(needlessExceptions(locked)).toEqual([]);
  });

  test('a package with another license, with none, or with an exception for other packages is reported', () => {
    const withLicense = (license: string, name = 'a') => licenseFaults({ [`node_modules/${name}`]: { license } });
    for (const one of ['GPL-3.0-only', 'MIT AND GPL-2.0', 'UNLICENSED', 'SEE LICENSE IN LICENSE', 'MPL-2.0', '']) {
      expect(withLicense(one), one).toHaveLength(1);
    }
    expect(licenseFaults({ 'node_modules/a': {} })).toEqual(['node_modules/a: no license']);
    expect(withLicense('(GPL-2.0 OR MIT)')).toEqual([]);
    expect(withLicense('MPL-2.0', 'b/node_modules/lightningcss')).toEqual([]);
    expect(needlessExceptions({ 'node_modules/a': GOOD })).toContain('MPL-2.0');
  });
});

describe('packages in the bundles', () => {
  test('every bundled package has the license of the lock file, and it is permissive without exceptions', () => {
    expect(bundled.length).toBeGreaterThan(15);
    expect(bundled.filter(({ license }) => !isPermissive(license))).toEqual([]);
    for (const { directory, version, license } of bundled) {
      expect(locked[directory], directory).toMatchObject({ version, license });
    }
  });

  test('no bundled package has an install script', () => {
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

  test('the page about the architecture lists exactly the bundled packages that package.json names', () => {
    const listed = tableRows('package', page('architecture.md')).flatMap(([names = '']) =>
      [...names.replace(/\(.*\)/, '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    );
    const { dependencies, devDependencies } = manifest;
    const named = bundled.filter(({ name }) => name in dependencies || name in devDependencies).map(({ name }) => name);
    expect(listed.sort()).toEqual([...new Set(named)].sort());
  });

  test('the bundles contain every dependency of the library', () => {
    const names = bundled.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
  });

  test('a bundled file belongs to its innermost package, and our own files belong to none', async () => {
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
