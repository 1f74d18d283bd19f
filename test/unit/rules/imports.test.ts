/** The import rule: the real tree obeys it, and planted imports show that it can refuse. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { findCycles, findViolations, ROOT, readSources } from './imports.ts';

const FORBIDDEN: [file: string, specifier: string][] = [
  ['functions/planted.ts', '@aws-sdk/client-kms'],
  ['functions/planted.ts', 'node:fs'],
  ['functions/planted.ts', 'aws-lambda/trigger'],
  ['functions/planted.ts', './login.ts'],
  ['functions/planted.ts', '../lib/aws/seal.ts'],
  ['functions/planted.ts', '../lib/compose.ts'],
  ['functions/planted.ts', '../simulator/index.ts'],
  ['functions/planted.ts', '../infra/parameters.cjs'],
  ['lib/index.ts', '../functions/login.ts'],
  ['lib/index.ts', './lambda/batch.ts'],
  ['lib/index.ts', './aws/client.ts'],
  ['lib/index.ts', '../simulator/index.ts'],
  ['lib/compose.ts', './index.ts'],
  ['lib/compose.ts', './leases/open.ts'],
  ['lib/compose.ts', './lambda/metrics.ts'],
  ['lib/lambda/planted.ts', '../../functions/login.ts'],
  ['lib/lambda/planted.ts', '../index.ts'],
  ['lib/lambda/planted.ts', '../aws/outbox.ts'],
  ['lib/lambda/planted.ts', '@aws-sdk/client-sqs'],
  ['lib/lambda/batch.ts', '../aws/lease-store.ts'],
  ['lib/lambda/batch.ts', '../aws/secrets.ts'],
  ['lib/lambda/sweep-ports.ts', '../aws/lease-store.ts'],
  ['lib/fleet/planted.ts', '../lambda/metrics.ts'],
  ['lib/fleet/planted.ts', '../aws/secrets.ts'],
  ['lib/fleet/planted.ts', '../compose.ts'],
  ['lib/leases/planted.ts', '../lambda/metrics.ts'],
  ['lib/leases/planted.ts', '../fleet/check.ts'],
  ['lib/leases/planted.ts', '../aws/seal.ts'],
  ['lib/leases/planted.ts', '../compose.ts'],
  ['lib/leases/planted.ts', '../index.ts'],
  ['lib/leases/planted.ts', '@aws-sdk/client-dynamodb'],
  ['lib/leases/planted.ts', '../../simulator/certificates.ts'],
  ['lib/leases/planted.ts', '../../scripts/build.ts'],
  ['lib/aws/planted.ts', '../leases/open.ts'],
  ['lib/aws/planted.ts', '../leases/states.ts'],
  ['lib/aws/planted.ts', '../fleet/check.ts'],
  ['lib/aws/planted.ts', '../compose.ts'],
  ['lib/flashblade/planted.ts', '../leases/ports.ts'],
  ['lib/flashblade/http/planted.ts', '../../aws/client.ts'],
  ['lib/flashblade/planted.ts', '@aws-sdk/client-kms'],
  ['lib/core/planted.ts', '../flashblade/client.ts'],
  ['lib/core/planted.ts', '../leases/open.ts'],
  ['lib/core/planted.ts', '../aws/client.ts'],
  ['lib/core/planted.ts', '../index.ts'],
  ['lib/core/planted.ts', '../../contracts/states.ts'],
  ['scripts/planted.ts', '../functions/login.ts'],
  ['scripts/start/planted.ts', '../../functions/login.ts'],
  ['bench/handlers/planted.mjs', '../../functions/login.ts'],
];

const ALLOWED: [file: string, specifier: string][] = [
  ['functions/planted.ts', 'aws-lambda'],
  ['functions/planted.ts', '../lib/lambda/invocation.ts'],
  ['functions/planted.ts', '../lib/leases/open.ts'],
  ['functions/planted.ts', '../lib/fleet/check.ts'],
  ['lib/index.ts', './compose.ts'],
  ['lib/index.ts', './leases/use.ts'],
  ['lib/compose.ts', './aws/seal.ts'],
  ['lib/compose.ts', './leases/ports.ts'],
  ['lib/compose.ts', '@aws-sdk/client-kms'],
  ['lib/lambda/planted.ts', '../compose.ts'],
  ['lib/lambda/batch.ts', '../aws/outbox.ts'],
  ['lib/lambda/sweep-ports.ts', '../aws/executions.ts'],
  ['lib/fleet/planted.ts', '../leases/open.ts'],
  ['lib/leases/planted.ts', './ports.ts'],
  ['lib/leases/planted.ts', '../flashblade/client.ts'],
  ['lib/aws/planted.ts', '../leases/ports.ts'],
  ['lib/aws/planted.ts', '../leases/items.ts'],
  ['lib/aws/planted.ts', '@aws-sdk/client-kms'],
  ['lib/flashblade/planted.ts', './http/body.ts'],
  ['lib/flashblade/http/planted.ts', '../../core/errors.ts'],
  ['lib/core/planted.ts', './errors.ts'],
  ['lib/core/planted.ts', 'valibot'],
  ['scripts/planted.ts', '../simulator/index.ts'],
  ['bench/planted.ts', '../lib/leases/open.ts'],
];

const plant = (file: string, specifier: string) => ({
  [file]: `import type { X } from '${specifier}';\nexport type Y = X;\n`,
});

describe('the import rule', () => {
  it('is obeyed by every file of bench/, functions/, lib/ and scripts/', () => {
    const sources = readSources();
    expect(Object.keys(sources).length).toBeGreaterThan(100);
    expect(findViolations(sources)).toEqual([]);
  });

  it.each(FORBIDDEN)('forbids %s to import %s', (file, specifier) => {
    expect(findViolations(plant(file, specifier))).toEqual([expect.stringContaining(`${file} imports `)]);
  });

  it.each(ALLOWED)('allows %s to import %s', (file, specifier) => {
    expect(findViolations(plant(file, specifier))).toEqual([]);
  });

  it.each([
    "import '../aws/seal.ts';",
    "import seal from '../aws/seal.ts';",
    "import * as seal from '../aws/seal.ts';",
    "import type { Seal } from '../aws/seal.ts';",
    "import {\n  createSeal, // the adapter\n  type Seal,\n} from '../aws/seal.ts';",
    "import {\n  // the array's token\n  createSeal,\n} from '../aws/seal.ts';",
    'import { createSeal } from "../aws/seal.ts"',
    "import{createSeal}from'../aws/seal.ts'",
    "export { createSeal } from '../aws/seal.ts';",
    "export * from '../aws/seal.ts';",
    "export type * from '../aws/seal.ts';",
    "const { createSeal } = await import('../aws/seal.ts');",
    'const { createSeal } = await import(`../aws/seal.ts`);',
    "const { createSeal } = await import(\n  '../aws/seal.ts'\n);",
    "export type Sealed = import('../aws/seal.ts').Seal;",
    "const { createSeal } = require('../aws/seal.ts');",
    "const { createSeal } = await import('../core/' + name);",
    "const { createSeal } = await import('../aws/seal.ts', {});",
    'const { createSeal } = await import(name);',
  ])('recognizes the import in %j', (statement) => {
    const text = `/** A file. */\nimport { known } from './errors.ts';\n${statement}\nexport const x = 'from nowhere';\n`;
    expect(findViolations({ 'lib/core/planted.ts': text })).toHaveLength(1);
  });

  it('ignores text that only resembles an import', () => {
    const text = "// import x from the array\nexport const from = 'an array';\nexport const list = Array.from('a');\n";
    expect(findViolations({ 'lib/core/planted.ts': text })).toEqual([]);
  });

  it.each(['lib/planted.ts', 'lib/planted/planted.ts'])('requires a row for %s', (file) => {
    expect(findViolations({ [file]: '' })).toEqual([expect.stringContaining('add its folder to the import rule')]);
  });
});

describe('import cycles', () => {
  it('do not exist', () => {
    expect(findCycles(readSources())).toEqual([]);
  });

  it.each([
    ['between two files', { 'lib/a.ts': "import { b } from './b.ts';", 'lib/b.ts': "import { a } from './a.ts';" }],
    ['of types only', { 'lib/a.ts': "import type { B } from './b.ts';", 'lib/b.ts': "export type * from './a.ts';" }],
    ['of one file', { 'lib/a.ts': "import { a } from './a.ts';" }],
    [
      'across folders, behind a file outside the cycle',
      {
        'functions/f.ts': "import { a } from '../lib/core/a.ts';",
        'lib/core/a.ts': "import { b } from '../aws/b.ts';",
        'lib/aws/b.ts': "import { c } from './c.ts';",
        'lib/aws/c.ts': "import { a } from '../core/a.ts';",
      },
    ],
  ])('%s are found', (_, sources) => {
    expect(findCycles(sources)).toHaveLength(1);
  });

  it('are named from file to file', () => {
    const sources = { 'lib/a.ts': "import './b.ts';", 'lib/b.ts': "import './a.ts';" };
    expect(findCycles(sources)).toEqual(['lib/a.ts → lib/b.ts → lib/a.ts']);
  });

  it('are not two ways to the same file', () => {
    const sources = {
      'lib/a.ts': "import './b.ts';\nimport './c.ts';",
      'lib/b.ts': "import './c.ts';",
      'lib/c.ts': "import 'valibot';",
    };
    expect(findCycles(sources)).toEqual([]);
  });
});

describe('`npm run check`', () => {
  const run = (folder: string) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, 'imports-program.ts'), folder]).then(
      () => ({ code: 0, stderr: '' }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
    );

  it('applies the rule', () => {
    expect(manifest.scripts.check).toContain(' --then imports --then ');
  });

  it('fails in a folder without source files', async () => {
    expect(await run(import.meta.dirname)).toEqual({ code: 1, stderr: 'the folder has no source files to check\n' });
  });

  it('fails if an import is forbidden or makes a cycle, and names both files', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'flashblade-imports-'));
    onTestFinished(() => rm(copy, { recursive: true }));
    for (const folder of ['functions', 'lib']) await cp(join(ROOT, folder), join(copy, folder), { recursive: true });
    expect(await run(copy)).toEqual({ code: 0, stderr: '' });
    await writeFile(join(copy, 'lib/core/planted.ts'), "import type { Seal } from '../leases/planted.ts';\n");
    await writeFile(join(copy, 'lib/leases/planted.ts'), "export type { X } from '../core/planted.ts';\n");
    const { code, stderr } = await run(copy);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^lib\/core\/planted\.ts imports lib\/leases\/planted\.ts: lib\/core\/ may import only /);
    expect(stderr).toContain('import cycle: lib/core/planted.ts → lib/leases/planted.ts → lib/core/planted.ts');
  });
});
