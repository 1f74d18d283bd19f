/** What an editor shows about the public API fits on a few lines, because a screenful of inferred type helps nobody. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { publicApi, readLibrary } from './doc-examples.ts';
import { hovers } from './language-server.ts';

const MAX_LINES = 10;
const MAX_CHARACTERS = 260;
/** Lists of names, which is what a reader wants to see. */
const LISTS = ['ErrorCode', 'ErrorCodes', 'EventName', 'GaugeName'];

const API = [...publicApi('lib/index.ts', readLibrary), ...publicApi('lib/testing.ts', readLibrary)].filter(
  ({ name, kind }) => kind !== 'property' && !LISTS.includes(name),
);

/** Programs that use every export, and the values that programs usually have. The name to look at is between stars. */
const LINES = [
  ...new Set(
    API.map(({ name, kind }) =>
      kind === 'method'
        ? `void ({} as ${name.replace('.', ').*')}*;`
        : kind === 'interface' || kind === 'type'
          ? `let of${name}: *${name}*${/WithHttpInfo|MapResult|SessionWork/.test(name) ? '<number>' : ''};`
          : `void *${name}*;`,
    ),
  ),
  'const *fleet* = createFleet();',
  "const *fb* = await connect({ host: '', apiToken: '', trust: { kind: 'public' } });",
  "const *results* = await fleet.map(['fb1'], (one) => one.get('/arrays'));",
  'const *session* = await loginWithHttpInfo({} as FlashBlade, {} as ApiToken);',
  "const *response* = await fb.request({ method: 'GET', path: '/api/2.15/arrays' });",
  "const *lease* = await fleet.open('fb1');",
  'const *fake* = fakeFleet();',
];

/** What an editor shows in each of these lines. */
async function shownIn(lines: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-hovers-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(resolve(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: resolve(ROOT, 'tsconfig.json'), include: ['*.ts'] }),
  );
  const names = (wanted: boolean) =>
    API.filter(({ name, kind }) => !name.includes('.') && (kind === 'interface' || kind === 'type') === wanted);
  const imports = [...names(false), ...names(true)].map(
    ({ name, kind, file }) =>
      `import ${kind === 'interface' || kind === 'type' ? 'type ' : ''}{ ${name} } from '${resolve(ROOT, file)}';`,
  );
  const head = [...new Set(imports)];
  const file = join(folder, 'program.ts');
  writeFileSync(file, [...head, ...lines.map((line) => line.replaceAll('*', ''))].join('\n'));
  return hovers(
    file,
    lines.map((line, n) => ({ line: head.length + n, character: line.indexOf('*') })),
  );
}

const isShort = (text: string): boolean =>
  text !== '' && text.split('\n').length <= MAX_LINES && text.length <= MAX_CHARACTERS;

it('every export, method and usual value of the library has a short type in an editor', async () => {
  const shown = await shownIn(LINES);
  expect(LINES.length).toBeGreaterThan(80);
  expect(shown).toContain('const fleet: Fleet');
  expect(LINES.flatMap((line, n) => (isShort(shown[n] ?? '') ? [] : [`${line}\n${shown[n]}`]))).toEqual([]);
});

it('a long type would be found', async () => {
  const fields = Array.from({ length: 12 }, (_, n) => `field${n}: '${n}'`).join(', ');
  const [shown = ''] = await shownIn([`const *planned* = { ${fields} } as const;`]);
  expect(shown).toContain('field11');
  expect(isShort(shown)).toBe(false);
});
