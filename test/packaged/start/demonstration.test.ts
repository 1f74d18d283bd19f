import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { endStarted, PACKAGED, run } from './run.ts';

afterAll(endStarted);

// A run takes a few seconds, about ten with building and packaging, and more on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const OWN_ACCOUNT = { AWS_PROFILE: 'mine', AWS_SESSION_TOKEN: 'mine', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };

test("without options, all steps succeed without a previous build, the user's AWS account is not used, and nothing is left", async () => {
  const { ended, living } = run([], OWN_ACCOUNT);
  const { code, stdout, stderr, files } = await ended;
  expect({ code, stderr, files, living: living() }).toEqual({ code: 0, stderr: '', files: [], living: false });
  expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  expect(stdout).toMatch(/Building and packaging .* \d+\n/);
  expect(stdout).not.toMatch(/\bT-[0-9a-f]{8}-/);

  expect(stdout).toMatch(/^ {3}fb1: host 127\.0\.0\.1, port \d+, trust ca, API token \[API token\]$/m);
  expect(stdout).toMatch(/^2 {2}login opens a session.* \d+ +\d+ +1\n {3}\{\n {5}"leaseId": "demo-[0-9a-f]{6}",\n/m);
  expect(stdout).toMatch(
    /^ {3}lease#demo-[0-9a-f]{6} {2}state OPEN {2}attemptId [0-9a-f-]{36}\n {3}sealed 1\.\S+… \(.*\n {3}\{"target":\{"name":"fb1",.*"expiresAt":\d+/m,
  );
  expect(stdout).toMatch(/GET \/api\/2\.26\/arrays → 200 \{"name":"fb1","os":"Purity\/\/FB","version":"4\.6\.2"\}/);
  expect(stdout).toMatch(/^5 {2}The same login again.* 0\n {3}the same lease/m);
  expect(stdout).toMatch(/"outcome":"CLOSED"\}\n7 .*\n {3}ALREADY_CLOSED\n8 .*\n {3}none\n9 {2}An event/);

  const byEvent = /"Session Opened":\{"leaseId":"(job-[0-9a-f]{6})","array":"fb1"/.exec(stdout)?.[1];
  const attemptId = /state OPENING {2}attemptId ([0-9a-f-]{36})$/m.exec(stdout)?.[1];
  expect([byEvent, attemptId]).toEqual([expect.any(String), expect.any(String)]);
  expect(stdout).toMatch(/^10 .* 0\n {3}session-events reports the same lease; live sessions on fb1: 1\n11 /m);
  expect(stdout).toMatch(/^11 .* 1\n {3}SIGKILL ended its process; live sessions on fb1: 2$/m);
  expect(stdout).toContain(`   lease#${byEvent}  state CLOSED`);
  expect(stdout).toMatch(new RegExp(`^ {3}suspect#${attemptId} {2}SUSPECT.*; live sessions on fb1: 1$`, 'm'));
  expect(stdout).toMatch(
    /"checked":3,"healthy":2,"notChecked":0,"unknownSessions":0.*\n {3}ARRAY_UNREACHABLE: array fb3 /,
  );
  expect(stdout).toMatch(
    /because of idleness; the sweep returned:\n.*"suspect":1.*\n {3}live sessions on all arrays: 0; unfinished .*: 0\n/,
  );
  expect(stdout).toMatch(
    /\n15 Total.*\n {3}AWS calls: .*events 2; array calls: 19\nEvery step succeeded, and no array has a live session/,
  );
});

test('a failed step of the unattended part fails the run, and all leases are closed', async () => {
  const packaged = mkdtempSync(join(tmpdir(), 'flashblade-start-test-'));
  onTestFinished(() => rmSync(packaged, { recursive: true }));
  cpSync(String(PACKAGED[1]), packaged, { recursive: true });
  const template = join(packaged, 'cloudformation-template-update-stack.json');
  const changed = readFileSync(template, 'utf8').replaceAll(/("SESSIONS_PER_ARRAY": ?)[^,}]+/g, '$1"1"');
  writeFileSync(template, changed);
  const { code, stdout, files } = await run(['--packaged', packaged]).ended;
  expect({ code, files }).toEqual({ code: 1, files: [] });
  expect(stdout).toMatch(/^11 .* failed$/m);
  expect(stdout).toMatch(/^Lease job-[0-9a-f]{6}: CLOSED\nLease demo-[0-9a-f]{6}: NEVER_OPENED\nFAILED/m);
  expect(stdout).toMatch(/\nFAILED {2}the login process was not killed, but ended with LEASE_LIMIT\n$/);
});

test('--help lists every option', async () => {
  const { code, stdout } = await run(['--help']).ended;
  expect(code).toBe(0);
  for (const option of ['--secret-file', '--host', '--array', '--packaged']) expect(stdout).toContain(option);
});

test('npm start runs this script', () => {
  const { scripts } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../package.json'), 'utf8'));
  expect(scripts.start).toBe('node scripts/launch.mjs start');
});
