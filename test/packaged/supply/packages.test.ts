/** Third-party packages: their origin, their licenses, and which of them ship. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { type BundledPackage, bundledPackages, directoryOf, packagesIn } from '../../../scripts/supply/packages.ts';
import { page, tableRows } from '../../kit/pages.ts';

type LockEntry = {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
};
/** Keys are directories relative to the project. The project itself is ''. */
type Packages = Readonly<Record<string, LockEntry>>;

/** Licenses that allow use, change and sale, and require only that their text accompanies the code. */
const PERMISSIVE = [
  ...['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'Unlicense'],
  ...['CC0-1.0', 'CC-BY-4.0', 'Python-2.0'],
];

/** Exceptions for tools of which nothing ships: which packages may have another license, and why. */
const EXCEPTIONS: Readonly<Record<string, { readonly packages: RegExp; readonly why: string }>> = {
  'MPL-2.0': { packages: /^lightningcss(-[\w-]+)?$/, why: 'a style sheet compiler of the test runner, never called' },
  'PSF-2.0': { packages: /^argparse$/, why: 'a port of a part of Python, under the license of Python' },
  'CC-BY-3.0': { packages: /^spdx-exceptions$/, why: 'a list of license names that tools read' },
};

/** Whether permissive licenses alone satisfy an SPDX expression. */
function isPermissive(expression: string): boolean {
  const inner = expression.replace(/^\(([^()]*)\)$/, '$1');
  if (inner.includes('(')) return false;
  return inner.split(' OR ').some((choice) => choice.split(' AND ').every((licence) => PERMISSIVE.includes(licence)));
}

const nameOf = (directory: string): string => directory.replace(/^.*node_modules\//, '');
const installed = (packages: Packages): [string, LockEntry][] =>
  Object.entries(packages).filter(([directory]) => directory !== '');

const licenceFaults = (packages: Packages): string[] =>
  installed(packages).flatMap(([directory, { license = 'no licence' }]) => {
    const isExcepted = EXCEPTIONS[license]?.packages.test(nameOf(directory)) ?? false;
    return isExcepted || isPermissive(license) ? [] : [`${directory}: ${license}`];
  });

/** Exceptions that no package needs. */
const needlessExceptions = (packages: Packages): string[] =>
  Object.keys(EXCEPTIONS).filter((licence) => installed(packages).every(([, { license }]) => license !== licence));

/** Without a hash, npm would install any content. An address would tie the project to one registry. */
const integrityFaults = (packages: Packages): string[] =>
  installed(packages).flatMap(([directory, { integrity = '', resolved, link }]) => [
    ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity) ? [] : [`${directory} has no SHA-512`]),
    ...(resolved === undefined && link === undefined ? [] : [`${directory} comes from an address of its own`]),
  ]);

/** The packages in these directories that have an install script or are not in the lock file. */
const installScripts = (packages: Packages, directories: readonly string[]): string[] =>
  directories.filter((directory) => packages[directory]?.hasInstallScript ?? packages[directory] === undefined);

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
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(locked[`node_modules/${name}`]?.version, name).toBe(version);
    }
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
  });

  test('every package has a permissive license or a listed exception, and no exception is unused', () => {
    expect(licenceFaults(locked)).toEqual([]);
    expect(needlessExceptions(locked)).toEqual([]);
  });

  test('a package with another license, with none, or with an exception for other packages is reported', () => {
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

describe('packages in the bundles', () => {
  test('every bundled package has the license of the lock file, and it is permissive without exceptions', () => {
    expect(bundled.length).toBeGreaterThan(15);
    expect(bundled.filter(({ licence }) => !isPermissive(licence))).toEqual([]);
    for (const { directory, version, licence } of bundled) {
      expect(locked[directory], directory).toMatchObject({ version, license: licence });
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
