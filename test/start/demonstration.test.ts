import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test, vi } from 'vitest';
import { PACKAGED, run } from './run.ts';

// A run takes two or three seconds, with building and packaging ten, on a busy machine some more.
vi.setConfig({ testTimeout: 120_000 });

const ESCAPE = String.fromCharCode(27);

test('without options, nothing built before, the whole life of a session is shown and nothing is left', async () => {
  const { ended, living } = run([]);
  const { code, stdout, stderr, files } = await ended;
  expect({ code, stderr, files, living: living() }).toEqual({ code: 0, stderr: '', files: [], living: [] });
  expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  expect(stdout).toMatch(/Building and packaging .* \d+\n/);
  expect(stdout).toMatch(/^ {3}fb1: host 127\.0\.0\.1, port \d+, trust ca, API token \[API token\]$/m);
  expect(stdout).toMatch(/^2 {2}login is invoked.* \d+ +\d+ +1\n {3}\{\n {5}"leaseId": "demo-[0-9a-f]{6}",\n/m);
  expect(stdout).toMatch(
    /^ {3}lease#demo-[0-9a-f]{6} {2}state OPEN {2}attemptId [0-9a-f-]{36}\n {3}sealed 1\.\S+… \(/m,
  );
  expect(stdout).toMatch(/GET \/api\/2\.26\/arrays → 200 \{"name":"fb1","os":"Purity\/\/FB","version":"4\.6\.2"\}/);
  expect(stdout).toMatch(/^5 {2}The same login again.* 0\n {3}the same lease/m);
  expect(stdout).toMatch(/"outcome":"CLOSED"\}\n7 .*\n {3}ALREADY_CLOSED\n8 .*\n {3}none\n9 {2}Together/);
  expect(stdout).not.toMatch(/\bT-[0-9a-f]{8}-/);
});

test('colours come if they are asked for, and never with NO_COLOR', async () => {
  const [forced, plain] = [
    run(['--array', 'fb7', ...PACKAGED], { FORCE_COLOR: '1' }),
    run(PACKAGED, { NO_COLOR: '1' }),
  ];
  expect((await forced.ended).stdout).toContain(`${ESCAPE}[1m1  The array's secret`);
  expect((await forced.ended).stdout).toContain('fb7: host');
  const { stdout, code } = await plain.ended;
  expect(stdout).not.toContain(ESCAPE);
  expect(code).toBe(0);
});

test("the person's own AWS account is out of reach", async () => {
  const env = { AWS_PROFILE: 'mine', AWS_SESSION_TOKEN: 'mine', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
  const { code, stderr } = await run(PACKAGED, env).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('a reader who goes away does not stop the session from being closed', async () => {
  const { child, ended, living } = run(PACKAGED);
  child.stdout.once('data', () => child.stdout.destroy());
  expect(await ended.catch((error: NodeJS.ErrnoException) => error.code)).toBe('ERR_STREAM_PREMATURE_CLOSE');
  await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(undefined)));
  expect({ code: child.exitCode, living: living() }).toEqual({ code: 0, living: [] });
});

test('--help tells every option', async () => {
  const { code, stdout } = await run(['--help']).ended;
  expect(code).toBe(0);
  for (const option of ['--secret-file', '--host', '--array', '--packaged']) expect(stdout).toContain(option);
});

test('npm start runs this script', () => {
  const { scripts } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(scripts.start).toMatch(/node scripts\/start\.ts$/);
});
