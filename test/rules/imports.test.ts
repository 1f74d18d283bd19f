/** The import rule of the linter, seen at work: forbidden imports are planted in a copy of the folders and must be refused. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/build.ts';

const BIOME = resolve(ROOT, 'node_modules/@biomejs/biome/bin/biome');

const FORBIDDEN: [string, string][] = [
  ['functions', '@aws-sdk/client-kms'],
  ['functions', 'node:fs'],
  ['functions', './login.ts'],
  ['functions', '../test/simulator/index.ts'],
  ['lib', '../functions/login.ts'],
  ['lib', '../test/simulator/index.ts'],
  ['lib/lambda', '../../functions/login.ts'],
  ['lib/story', '../lambda/telemetry.ts'],
  ['lib/story', '../../test/story/world.ts'],
  ['lib/story', '../../scripts/build.ts'],
  ['lib/edges', '../story/edges.ts'],
  ['lib/edges', '../index.ts'],
  ['lib/edges', './seal.ts'],
  ['lib/edges', './flashblade.ts'],
  ['lib/edges', './flashblade/transport.ts'],
  ['lib/edges/flashblade', '../leases.ts'],
  ['lib/edges/flashblade', '../flashblade.ts'],
  ['lib/ground', '../edges/seal.ts'],
  ['lib/ground', '../story/open-session.ts'],
  ['lib/ground', '../index.ts'],
  ['lib/ground', '../../contracts/states.ts'],
  ['scripts', '../functions/login.ts'],
];

const ALLOWED: [string, string][] = [
  ['functions', 'aws-lambda'],
  ['functions', '../lib/story/open-session.ts'],
  ['lib', './story/use-session.ts'],
  ['lib/lambda', '../story/edges.ts'],
  ['lib/story', '../edges/seal.ts'],
  ['lib/edges', '../ground/model.ts'],
  ['lib/edges', '@aws-sdk/client-kms'],
  ['lib/edges/flashblade', './tls.ts'],
  ['lib/edges/flashblade', '../../ground/errors.ts'],
  ['lib/ground', './errors.ts'],
  ['test', '../functions/login.ts'],
];

/** Plants one file per import and lints all of them at once; answers which imports were refused. */
async function refused(plants: readonly [string, string][]): Promise<Set<string>> {
  const copy = await mkdtemp(join(tmpdir(), 'flashblade-imports-'));
  try {
    await cp(resolve(ROOT, 'biome.json'), join(copy, 'biome.json'));
    for (const [n, [folder, specifier]] of plants.entries()) {
      const file = join(copy, folder, `planted-${n}.ts`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `import type { X } from '${specifier}';\nexport type Y = X;\n`);
    }
    const args = [
      'lint',
      '--vcs-enabled=false',
      '--only=style/noRestrictedImports',
      '--reporter=json',
      '--max-diagnostics=none',
    ];
    const run = promisify(execFile)(process.execPath, [BIOME, ...args, '.'], { cwd: copy });
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    const found = new Set([...stdout.matchAll(/planted-(\d+)\.ts/g)].map(([, n]) => Number(n)));
    return new Set(plants.filter((_, n) => found.has(n)).map(String));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

describe('the import rule', () => {
  let seen: Set<string>;
  beforeAll(async () => {
    seen = await refused([...FORBIDDEN, ...ALLOWED]);
  });

  it.each(FORBIDDEN)('refuses in %s/ an import of %s', (...plant) => {
    expect(seen).toContain(String(plant));
  });

  it.each(ALLOWED)('lets %s/ import %s', (...plant) => {
    expect(seen).not.toContain(String(plant));
  });
});
