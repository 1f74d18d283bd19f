/** The documentation comments of the library's public API, and the programs in their `@example`s. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ROOT } from '../../../scripts/build.ts';

/** Returns the text of a file in `lib/`. */
export type Read = (file: string) => string;
export const readLibrary: Read = (file) => readFileSync(resolve(ROOT, file), 'utf8');

export type Documented = {
  /** Such as `connect`, or `Fleet.open` for a member of an interface. */
  readonly name: string;
  readonly kind: 'function' | 'const' | 'class' | 'interface' | 'type' | 'method' | 'property';
  readonly file: string;
  /** Empty if there is no comment. */
  readonly comment: string;
};

const DECLARATION = /^(export )?(?:declare )?(?:async )?(function|const|class|interface|type) (\w+)/;
const MEMBER = /^ {2}(?:(\w+)(?:<.*?>)?\(|readonly (\w+)\??:)/;

/** What a file declares: its exports, and the members of its interfaces. */
export function declarations(file: string, text: string): Documented[] {
  const found: Documented[] = [];
  let owner: string | undefined;
  let comment: string[] = [];
  let isInComment = false;
  for (const line of text.split('\n')) {
    if (isInComment || /^ *\/\*\*/.test(line)) {
      comment = isInComment ? [...comment, line] : [line];
      isInComment = !line.includes('*/');
      continue;
    }
    const [, exported, kind, name] = DECLARATION.exec(line) ?? [];
    const [, method, property] = MEMBER.exec(line) ?? [];
    const described = comment
      .map((one) => one.replace(/^ *(\/\*\*|\*\/|\*) ?/, '').replace(/ ?\*\/$/, ''))
      .join('\n')
      .trim();
    if (name !== undefined) {
      owner = kind === 'interface' && exported ? name : undefined;
      if (exported) found.push({ name, kind: kind as Documented['kind'], file, comment: described });
    } else if (owner !== undefined && (method ?? property) !== undefined) {
      const kind = method === undefined ? 'property' : 'method';
      found.push({ name: `${owner}.${method ?? property}`, kind, file, comment: described });
    }
    if (line === '}') owner = undefined;
    comment = [];
  }
  return found;
}

/** Everything that a program can import from this file. */
export function publicApi(file: string, read: Read): Documented[] {
  const text = read(file);
  const own = declarations(file, text);
  const fromOthers = [...text.matchAll(/^export (?:type )?(?:\{([^}]*)\}|\*) from '(\.[^']*)'/gm)].flatMap(
    ([, names, path = '']) => {
      const others = publicApi(relative('.', join(dirname(file), path)), read);
      if (names === undefined) return others;
      const wanted = names.split(',').map((name) => name.replace(/\btype\b/, '').trim());
      const missing = wanted.filter((name) => name !== '' && !others.some((other) => other.name === name));
      if (missing.length > 0) throw new Error(`${file}: ${path} does not declare ${missing}`);
      return others.filter(({ name }) => wanted.includes(name.replace(/\..*/, '')));
    },
  );
  const all = new Map([...own, ...fromOthers].map((one) => [`${one.file} ${one.name}`, one]));
  return [...all.values()];
}

export const examplesOf = ({ comment }: Documented): string[] =>
  comment
    .split(/^@/m)
    .filter((part) => part.startsWith('example'))
    .map((part) => part.replace(/^example\s*/, '').trim())
    .filter((example) => example !== '');

/** Exports without a comment, and functions, values and methods without an example. */
export const apiFaults = (api: readonly Documented[]): string[] =>
  api.flatMap((one) => {
    if (one.kind === 'property') return [];
    const needsExample = one.kind !== 'interface' && one.kind !== 'type';
    return [
      ...(one.comment.replace(/^@example[\s\S]*/m, '').trim() === ''
        ? [`${one.file}: ${one.name} has no comment`]
        : []),
      ...(needsExample && examplesOf(one).length === 0 ? [`${one.file}: ${one.name} has no @example`] : []),
    ];
  });

/** What an example may use without declaring it, and what to do with it afterward. */
const SURROUNDINGS: Readonly<Record<string, readonly [before: string, after?: string]>> = {
  array: ['const array = { name: "fb1", host: HOST, port: PORT, trust: { kind: "ca", ca: CA } } as const;'],
  token: ['const token = library.apiToken(API_TOKEN);'],
  session: [
    'const session = await library.login({ name: "fb1", host: HOST, port: PORT, trust: { kind: "ca", ca: CA } }, library.apiToken(API_TOKEN));',
    'await library.logout(session);',
  ],
  fb: [
    'const fb = await library.connect({ host: HOST, port: PORT, apiToken: API_TOKEN, trust: { kind: "ca", ca: CA } });',
    'await fb.close();',
  ],
  fleet: ['const fleet = library.createFleet();'],
  leaseId: [
    'const { leaseId } = await library.createFleet().open("fb1");',
    'await library.createFleet().close(leaseId);',
  ],
};

const FAKE_FLEET = ['const fleet = testing.fakeFleet();'] as const;

/** How an example that names a real array and stack runs here. */
const HERE: readonly (readonly [string, string])[] = [
  ["host: 'fb1.example.com'", 'host: HOST, port: PORT'],
  ["trust: { kind: 'public' }", "trust: { kind: 'ca', ca: CA }"],
  ["key: 'alias/leases'", 'key: KEY'],
];

const isDeclared = (name: string, example: string): boolean =>
  new RegExp(
    `(?:const|let|using) (?:\\{[^}]*)?\\b${name}\\b|\\(${name}\\) =>|\\(\\{[^}]*\\b${name}\\b[^)]*\\) =>`,
  ).test(example);

/** A module that exports a function that runs the example of a file. `api` are the names that the example can use. */
export function programOf(example: string, file: string, api: readonly Documented[]): string {
  const names = api.filter(({ name }) => !name.includes('.'));
  const imports = [...new Set(names.map(({ file }) => file))].flatMap((file) => {
    const own = names.filter((one) => one.file === file && new RegExp(`\\b${one.name}\\b`).test(example));
    const list = own.map(({ name, kind }) => (kind === 'interface' || kind === 'type' ? `type ${name}` : name));
    return list.length === 0 ? [] : [`import { ${list.join(', ')} } from '${resolve(ROOT, file)}';`];
  });
  const isTest = file === 'lib/testing.ts';
  const surroundings = Object.entries({ ...SURROUNDINGS, ...(isTest && { fleet: FAKE_FLEET }) });
  const needed = surroundings.filter(
    ([name]) => new RegExp(`\\b${name}\\b`).test(example) && !isDeclared(name, example),
  );
  const here = HERE.reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), example);
  return [
    ...imports,
    "import assert from 'node:assert/strict';",
    `import * as library from '${resolve(ROOT, 'lib/index.ts')}';`,
    `import * as testing from '${resolve(ROOT, 'lib/testing.ts')}';`,
    "const { HOST = '', CA = '', API_TOKEN = '', LEASE_KEY: KEY = '' } = process.env;",
    "const PORT = Number(process.env['PORT']);",
    'export default async function example(): Promise<void> {',
    ...needed.map(([, [before]]) => before),
    'try {',
    here,
    '} finally {',
    ...needed.map(([, [, after = '']]) => after),
    '}',
    '}',
  ].join('\n');
}
