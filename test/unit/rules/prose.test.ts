/** The prose rule and the spelling: the real files obey them, and planted text shows that they can refuse. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import spelling from '../../../cspell.json' with { type: 'json' };
import manifest from '../../../package.json' with { type: 'json' };
import { ROOT } from '../../../scripts/build.ts';
import { checkDocument, checkProse, findTerms } from './prose.ts';
import { TERMS } from './terms.ts';

const run = promisify(execFile);
const found = (text: string, isDocument = false) => findTerms(text, { isDocument }).map(({ found: words }) => words);

async function plant(name: string, text: string): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'flashblade-prose-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, name), text);
  return { folder, file: join(folder, name) };
}

describe('the prose rule', () => {
  it('is a step of npm run check and accepts the project', async () => {
    expect(manifest.scripts.check).toContain('--then prose ');
    const { stderr } = await run(process.execPath, ['test/unit/rules/prose-program.ts'], { cwd: ROOT });
    expect(stderr).toBe('');
  });

  it('fails with the place and the replacement of a word in a file that is named as an argument', async () => {
    const { file } = await plant('planted.md', '# Title\n\nThe sweeper mends it.\n');
    const { status, stderr } = spawnSync(process.execPath, ['test/unit/rules/prose-program.ts', file], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/planted\.md:3 "mends": write fixes\n$/);
  });

  it.each([
    ['The array told us.', 'told'],
    ['It tells more.', 'tells'],
    ['nobody knows', 'nobody'],
    ['Somebody else', 'Somebody'],
    ['whoever reads', 'whoever'],
    ['It bears 400 arrays.', 'bears'],
    ['A repetition mends it.', 'mends'],
    ['and lays it into the queue', 'lays it into'],
    ['laid into the queue', 'laid into'],
    ['takes it for unknown', 'takes it for'],
    ['is taken for refused', 'taken for'],
    ['has its default again', 'has its default again'],
    ['gets to know', 'gets to know'],
    ['and so begin the names of its parts', 'so begin the names of'],
    ['be it that', 'be it that'],
    ['end it by hand', 'by hand'],
    ['and if you like, an owner', 'if you like'],
    ['not live any more', 'any more'],
    ['a secret manager', 'secret manager'],
    ['flash blade', 'flash blade'],
    ['the session token', 'session token'],
    ['the lease ID', 'lease ID'],
    ['its time-out', 'time-out'],
  ])('refuses %j in a document', (text, words) => {
    expect(found(text, true)).toEqual([words]);
  });

  it.each([
    'It reports an error. FlashBlade, Secrets Manager, auth token, lease id and timeout are the names.',
    'The AWS session token of the role, `flashblade-sessions`, and a path such as lib/flashblade/http.',
    'It is in Secrets\nManager.',
    'any more than two',
  ])('accepts %j', (text) => {
    expect(found(text, true)).toEqual([]);
  });

  it('finds words that the next line continues, in a document and in each kind of comment', () => {
    for (const text of [
      'end it by\nhand',
      '/**\n * end it by\n * hand\n */',
      '// end it by\n// hand',
      '# by\n# hand',
    ]) {
      expect(found(text), text).toHaveLength(1);
    }
  });

  it('does not read identifiers of code as names of things', () => {
    expect(found('const timeout = authtoken; // auth-token')).toEqual([]);
  });

  it('reads the comments of a block of code, and neither its code, nor quoted code, nor addresses', () => {
    const block =
      '# Title\n\n```sh\nnobody --told # by hand\n```\n\nSee `nobody` and [it](https://example.com/told).\n';
    expect(checkDocument('a.md', block)).toEqual(['a.md:4 "by hand": write manually']);
  });

  it.each([
    ['a heading that skips a level', '# A\n\n### B\n'],
    ['two titles', '# A\n\n# B\n'],
    ['two headings of the same text', '# A\n\n## B\n\n## B\n'],
    ['a block of code without its language', '# A\n\n```\nx\n```\n'],
    ['an empty link', '# A\n\n[x]()\n'],
    ['an image without a text', '# A\n\n![](x.png)\n'],
    ['a row with too few cells', '# A\n\n| a | b |\n| --- | --- |\n| c |\n'],
    ['an undefined reference', '# A\n\n[x][gone]\n'],
  ])('refuses a document with %s', (_, text) => {
    expect(checkDocument('a.md', text)).toHaveLength(1);
  });

  it('cannot be turned off in a document', () => {
    expect(checkDocument('a.md', '# A\n\n<!-- markdownlint-disable -->\n\nby hand\n')).toHaveLength(1);
  });

  it('reads code as text', async () => {
    const { folder } = await plant('a.ts', "// by hand\nexport const message = 'nobody knows';\n");
    expect(checkProse(folder, ['a.ts'])).toEqual([
      'a.ts:1 "by hand": write manually',
      'a.ts:2 "nobody": write the name of the actor',
    ]);
  });

  it('has no term twice, and each has a replacement', () => {
    expect(new Set(TERMS.map(({ find }) => find)).size).toBe(TERMS.length);
    expect(TERMS.filter(({ write }) => write === '')).toEqual([]);
  });
});

describe('the spelling', () => {
  const cspell = resolve(ROOT, 'node_modules/cspell/bin.mjs');

  it('is a step of npm run check', () => {
    expect(manifest.scripts.check).toContain('--then cspell lint ');
  });

  it('refuses wrong and British words in a document, in a comment and in a string, and accepts the words of the project', async () => {
    const { folder, file } = await plant('planted.ts', "// It is recieved.\nexport const text = 'the colour';\n");
    await writeFile(join(folder, 'planted.md'), '# Behaviour\n\nThe relogin of a FlashBlade by osls.\n');
    const args = [cspell, 'lint', '--no-progress', '--no-summary', '--words-only', '--no-cache', '--root', folder];
    const config = join(folder, 'cspell.json');
    await writeFile(config, JSON.stringify({ ...spelling, files: ['**'], ignorePaths: ['cspell.json'], cache: {} }));
    const { status, stdout } = spawnSync(process.execPath, [...args, '--config', config], { encoding: 'utf8' });
    expect(file).toContain(folder);
    expect(stdout.split('\n').filter(Boolean).sort()).toEqual(['Behaviour', 'colour', 'recieved']);
    expect(status).toBe(1);
  });
});
