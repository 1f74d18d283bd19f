/** Rules for every script in package.json, run by npm. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { ROOT } from '../../../scripts/build.ts';
import { startAws } from '../../kit/aws/index.ts';

const SCRIPTS = Object.entries(manifest.scripts);

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a program in a user's directory, without the variables of the npm that runs the tests. */
async function run(program: string, args: readonly string[], { cwd = ROOT, env = {} } = {}): Promise<Ran> {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|AWS_)/.test(name));
  const options = { cwd, env: { ...Object.fromEntries(own), NO_COLOR: '1', ...env } };
  const { stdout, stderr, code = 0 } = await promisify(execFile)(program, args, options).catch((error) => error);
  return { code, stdout, stderr };
}

const npm = (args: readonly string[], options = {}) => run('npm', ['--prefix', ROOT, '--silent', ...args], options);

const helps: Record<string, Promise<Ran>> = {};

/** The output of a script for `--help`. */
function help(command: string): Promise<Ran> {
  helps[command] ??= run('sh', ['-c', `${command} --help`]);
  return helps[command];
}

/** A new directory of a user. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'flashblade-user-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test.each(SCRIPTS)('%s prints help and exits with 0', async (_, command) => {
  const { code, stdout } = await help(command);
  expect(code).toBe(0);
  expect(stdout).toMatch(/--help/);
  // `mutate` packages the functions first, but not for `--help`.
  expect(stdout).not.toMatch(/sha256 [0-9a-f]{64}/);
});

test.each(SCRIPTS)('%s does nothing if npm consumed --dry-run', async (name, command) => {
  const env = { npm_config_dry_run: 'true', npm_lifecycle_event: name, npm_lifecycle_script: command };
  const { code, stdout, stderr } = await run('sh', ['-c', `${command} fb1`], { env });
  expect([code, stdout]).toEqual([2, '']);
  const start = name === 'start' || name === 'test' ? 'npm' : 'npm run';
  expect(stderr).toContain(`\n  ${start} ${name} -- fb1 --dry-run\n`);
});

test.each(SCRIPTS)('%s does nothing if an argument is an API token, and does not print it', async (_, command) => {
  const token = 'T-3f2504e0-4f89-11d3-9a0c-0305e82c3301';
  const { code, stdout, stderr } = await run('sh', ['-c', `${command} ${token}`]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^(an argument looks like an API token|unexpected argument)/);
  expect(stderr).not.toContain(token.slice(2));
});

test('npm reports every option that it consumes to our scripts, so that they can detect it', async () => {
  const ours = SCRIPTS.filter(([, command]) => !command.includes(' tool '));
  const helps = await Promise.all(ours.map(([, command]) => help(command)));
  const options = new Set(helps.flatMap(({ stdout }) => stdout.match(/(?<=[ [])--[a-z][\w-]*/g) ?? []));
  options.delete('--help');
  expect(options.size).toBeGreaterThan(30);
  const cwd = folder();
  writeFileSync(join(cwd, 'package.json'), '{ "scripts": { "show": "env #" } }');
  const flags = [...options].map((option) => `${option}=a-value`);
  const { stdout } = await run('npm', ['run', 'show', ...flags], { cwd });
  const passedOn = [...options].filter((option) =>
    stdout.includes(`\nnpm_config_${option.slice(2).replaceAll('-', '_')}=`),
  );
  expect(passedOn).toEqual([...options]);
  // Negative control: an option that npm consumes without reporting it.
  const { stdout: without } = await run('npm', ['run', 'show', '--cert=a-value'], { cwd });
  expect(without).not.toContain('npm_config_cert=');
});

test.each([
  [['test', '-u', '--bail=1'], 'npm test -- -u --bail 1'],
  [['run', 'check', '--unsafe'], 'npm run check -- --unsafe'],
  [['start', '--array', 'lab'], 'npm start -- --array lab'],
  [['run', 'leases', 'close', '--array', 'fb1'], 'npm run leases -- <arguments> --array <value>'],
  [['run', 'contracts:array', '--report=r.md'], 'npm run contracts:array -- --report r.md'],
])('npm %j prints the correct command: %s', async (args, line) => {
  const { code, stdout, stderr } = await npm(args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`\n  ${line}\n`);
});

test('npm run secret fb1 --dry-run makes no AWS call', async () => {
  const aws = await startAws();
  onTestFinished(() => aws.stop());
  const env = { ...aws.env };
  const { code, stderr } = await npm(['run', 'secret', 'fb1', '--dry-run', '--yes', '--public', '--host=localhost:1'], {
    env,
  });
  expect(code).toBe(2);
  expect(stderr).toContain('  npm run secret -- fb1 --host localhost:1 --public --dry-run --yes\n');
  expect(aws.calls).toEqual([]);
  // Negative control: the printed command calls AWS, and then does not reach an array.
  const typed = ['fb1', '--host', 'localhost:1', '--public', '--dry-run', '--yes'];
  expect(await npm(['run', 'secret', '--', ...typed], { env })).toMatchObject({ code: 1 });
  expect(aws.calls.map(({ action }) => action)).toEqual(['GetSecretValue']);
});

test("a development tool runs in the project's folder, regardless of the user's directory", async () => {
  const cwd = folder();
  const args = [join(ROOT, 'scripts/launch.mjs'), 'tool', 'tsc', '--showConfig'];
  const { code, stdout } = await run(process.execPath, args, { cwd, env: { INIT_CWD: cwd } });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ include: expect.arrayContaining(['lib']) });
});

describe("a relative path is resolved from the user's directory", () => {
  test('when a command reads a file', async () => {
    const cwd = folder();
    const start = () => npm(['start', '--', '--secret-file', 'secret.json'], { cwd });
    expect((await start()).stderr).toMatch(/^--secret-file must be a readable file/);
    writeFileSync(join(cwd, 'secret.json'), '{}');
    expect((await start()).stderr).toMatch(/^the host is missing/);
  });

  test('when a command writes a file, whose path is printed relative to this directory', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'pact.json'), '{}');
    const args = ['--pact', 'pact.json', '--report', 'out/report.md', '--junit', 'out/junit.xml'];
    const { stdout } = await npm(['run', 'contracts', '--', ...args], { cwd });
    expect(stdout).toContain('written: out/report.md\nwritten: out/junit.xml\n');
  });
});
