/** What `npm run test:aws` does without moto, how CI counts it, and that the workflow requires moto. */
import { execFile, execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { INSTALL, MOTO_VERSION, motoCommand } from '../../aws/moto.ts';

const RUN = resolve(ROOT, 'test/aws/run.ts');

async function runWith(env: Readonly<Record<string, string>>) {
  const options = { env: { PATH: '/nowhere', ...env } };
  const { code = 0, stdout } = await promisify(execFile)(process.execPath, [RUN], options).catch((error) => error);
  return { code, stdout };
}

test('without moto, the command prints one line that names the installation, and succeeds', async () => {
  const line = `skipped: moto_server is not installed. Install it with: ${INSTALL}\n`;
  expect(await runWith({})).toEqual({ code: 0, stdout: line });
});

test('without moto, the command fails if moto is required', async () => {
  const line = `failed: moto_server is not installed. Install it with: ${INSTALL}\n`;
  expect(await runWith({ REQUIRE_MOTO: '1' })).toEqual({ code: 1, stdout: line });
});

test('MOTO_SERVER replaces the command, with its arguments', () => {
  expect(motoCommand({ MOTO_SERVER: 'python3  -m moto.server' })).toEqual(['python3', '-m', 'moto.server']);
  expect(motoCommand({ MOTO_SERVER: '', PATH: '/nowhere' })).toBeUndefined();
});

test('the workflow installs the same version, and requires it', () => {
  const workflow = readFileSync(join(ROOT, '.github/workflows/ci.yml'), 'utf8');
  expect(workflow).toContain(`'moto[server]==${MOTO_VERSION}'`);
  expect(workflow).toMatch(/REQUIRE_MOTO: 1\n/);
});

test.each([
  ['echo skipped: no moto', 'echo 7 passed, 0 failed, 2 skipped', 0, '7 passed, 0 failed, 3 skipped'],
  [
    'echo 5 passed, 0 failed, 0 skipped',
    'echo 7 passed, 1 failed, 2 skipped; exit 1',
    1,
    '12 passed, 1 failed, 2 skipped',
  ],
  [
    'echo 4 passed, 1 failed, 0 skipped; exit 1',
    'echo 7 passed, 0 failed, 2 skipped',
    1,
    '11 passed, 1 failed, 2 skipped',
  ],
  ['echo crashed', 'echo 7 passed, 0 failed, 2 skipped', 1, '7 passed, 1 failed, 2 skipped'],
])('.ci/run ends with the total of both runs: %s and %s', (aws, all, code, total) => {
  const directory = mkdtempSync(join(tmpdir(), 'flashblade-ci-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const npm = `#!/bin/sh\ncase "$*" in "run test:aws") ${aws};; "run test") ${all};; esac\n`;
  for (const [name, text] of Object.entries({ npm, npx: '#!/bin/sh\n', git: '#!/bin/sh\n' }))
    writeFileSync(join(directory, name), text, { mode: 0o755 });
  const run = `cd "${ROOT}" && PATH="${directory}:$PATH" .ci/run; echo "exit code $?"`;
  const lines = execFileSync('bash', ['-c', run], { encoding: 'utf8' }).trim().split('\n');
  expect(lines.slice(-2)).toEqual([total, `exit code ${code}`]);
});

test('npm test runs every test file except those that need moto', () => {
  const folders = globSync('test/**/*.test.ts', { cwd: ROOT }).map((path) => path.split(/[\\/]/)[1]);
  expect([...new Set(folders)].sort()).toEqual(['aws', 'packaged', 'proofs', 'unit']);
});
