/** Rules for every installed package, checked against the lock file. */

export type LockEntry = {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
};
/** Keys are directories relative to the project. The project itself is ''. */
export type Packages = Readonly<Record<string, LockEntry>>;

/** Licenses that allow use, change and sale, and require only that their text accompanies the code. */
const PERMISSIVE = [
  ...['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'Unlicense'],
  ...['CC0-1.0', 'CC-BY-4.0', 'Python-2.0'],
];

/** Exceptions for tools of which nothing ships: which packages may have another license. */
const EXCEPTIONS: Readonly<Record<string, RegExp>> = {
  'MPL-2.0': /^lightningcss(-[\w-]+)?$/, // a style sheet compiler of the test runner, never called
  'PSF-2.0': /^argparse$/, // a port of a part of Python, under the license of Python
  'CC BY-SA 4.0': /^@cspell\/dict-en-common-misspellings$/, // words that the spelling checker reads
  WTFPL: /^@cspell\/dict-django$/, // words that the spelling checker reads
  'CC-BY-3.0': /^spdx-exceptions$/, // license names that tools read
};

/** Whether permissive licenses alone satisfy an SPDX expression. */
export function isPermissive(expression: string): boolean {
  const inner = expression.replace(/^\(([^()]*)\)$/, '$1');
  if (inner.includes('(')) return false;
  return inner.split(' OR ').some((choice) => choice.split(' AND ').every((license) => PERMISSIVE.includes(license)));
}

const nameOf = (directory: string): string => directory.replace(/^.*node_modules\//, '');
const installed = (packages: Packages): [string, LockEntry][] =>
  Object.entries(packages).filter(([directory]) => directory !== '');

export const licenseFaults = (packages: Packages): string[] =>
  installed(packages).flatMap(([directory, { license = 'no license' }]) => {
    const isExcepted = EXCEPTIONS[license]?.test(nameOf(directory)) ?? false;
    return isExcepted || isPermissive(license) ? [] : [`${directory}: ${license}`];
  });

/** Exceptions that no package needs. */
export const needlessExceptions = (packages: Packages): string[] =>
  Object.keys(EXCEPTIONS).filter((excepted) => installed(packages).every(([, { license }]) => license !== excepted));

/** Without a hash, npm would install any content. An address would tie the project to one registry. */
export const integrityFaults = (packages: Packages): string[] =>
  installed(packages).flatMap(([directory, { integrity = '', resolved, link }]) => [
    ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity) ? [] : [`${directory} has no SHA-512`]),
    ...(resolved === undefined && link === undefined ? [] : [`${directory} comes from an address of its own`]),
  ]);

/** The packages in these directories that have an install script or are not in the lock file. */
export const installScripts = (packages: Packages, directories: readonly string[]): string[] =>
  directories.filter((directory) => packages[directory]?.hasInstallScript ?? packages[directory] === undefined);
