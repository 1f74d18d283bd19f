/** `npm run contracts:array` against a simulated array that the command knows only from its environment variables. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PACT_FILE, statesOf } from '../../../contracts/pact-file.ts';
import { STATES, type State } from '../../../contracts/states.ts';
import { reportFiles } from '../../../scripts/contracts/arguments.ts';
import { readArray, withApiToken } from '../../../scripts/contracts/environment.ts';
import { couldNotReach, verifyArray } from '../../../scripts/contracts/runs.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import type { Simulator } from '../../../simulator/index.ts';
import { tokensOf } from '../../kit/leaks.ts';
import { runScript } from '../../kit/script.ts';
import { pact } from '../../unit/contracts/providers.ts';
import { API_TOKEN, arrayAndEnvironment, fileWith, run, USERNAME } from './run.ts';

/** How many interactions of the pact a real array can be verified against. */
/** What a real array can be verified for if its user may list everything. */
const LIVE = pact.interactions.filter((one) =>
  statesOf(one).every((name) => STATES[name as State].live && name !== 'a session of a user who may not list is open'),
).length;
const SKIPPED = pact.interactions.length - LIVE;

const refusals = ({ requests }: Simulator) =>
  requests.filter(({ path, status }) => path === '/api/login' && status !== 200).length;
const endings = ({ history }: Simulator) => new Set(history.map(({ ended }) => ended?.by));

describe('an array that keeps the contract', () => {
  it('the array passes, the reports contain no token, and no session is left', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    const { code, stdout, stderr, report, junit, all, files } = await run(['--array'], env).ended;
    expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
    expect(stdout).toContain(`the pact has ${LIVE + SKIPPED} interactions.`);
    expect(stdout).toContain('Logins with unknown API tokens, which the array must refuse: 1.');
    expect(stdout).toContain(`${LIVE} of ${LIVE + SKIPPED} interactions passed, ${SKIPPED} skipped, 0 other findings.`);
    expect(report).toContain(`- Provider: 127.0.0.1:${simulator.port}, as ${USERNAME}\n`);
    expect(report).toContain('- Result: **passed**\n');
    expect(report.match(/\| passed \|/g)).toHaveLength(LIVE);
    expect(report.match(/\| skipped \| logins and logouts alone cannot bring/g)).toHaveLength(2);
    expect(report.match(/\| skipped \| the array lets this user read/g)).toHaveLength(3);
    expect(junit).toContain(`<testsuites tests="${LIVE + SKIPPED + 1}" failures="0" errors="0" skipped="${SKIPPED}">`);
    expect(junit).toContain('<skipped message="logins and logouts alone cannot bring');
    for (const token of tokensOf(simulator)) expect(all).not.toContain(token);
    expect(endings(simulator)).toEqual(new Set(['logout']));
    expect(refusals(simulator)).toBe(1);
  });

  it('an array passes if it refuses a list to the user, and what only other users may read is skipped with the reason', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    simulator.faults.add({ kind: 'answer', path: /\/(sessions|api-tokens)$/, status: 403, body: '{"error":[]}' });
    const { code, stdout } = await run(['--array'], env).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('passed  a read of the open sessions without permission');
    expect(stdout).toContain("passed  a read of the user's own API token without permission");
    expect(stdout).toMatch(
      /skipped {2}a read of the open sessions \(.*\n {8}the array does not let this user read sessions\n/,
    );
    expect(stdout).toContain('the array does not let this user read admins/api-tokens');
  });

  it('an old array passes, and what the client never sends to it is skipped with the reason', async () => {
    const { env } = await arrayAndEnvironment({ versions: ['1.12', '2.2'] });
    const { code, stdout } = await run(['--array'], env).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /skipped {2}a read of the open sessions \(.*\n {8}the client sends this request only to arrays with REST 2\.3 or newer, and this array has 2\.2\n/,
    );
  });

  it('the report says what was verified by what: array, project and pact', async () => {
    const { env } = await arrayAndEnvironment();
    const { PATH } = process.env;
    const { report, junit } = await run(['--array'], { ...env, PATH }).ended;
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
    const sha256 = createHash('sha256').update(readFileSync(PACT_FILE)).digest('hex');
    expect(report).toContain(`- SHA-256 of the pact: ${sha256}\n`);
    expect(report).toMatch(/^- Purity: 4\.6\.2$/m);
    expect(report).toMatch(/^- REST: 1\.\d+ to 2\.\d+$/m);
    expect(report).toMatch(new RegExp(`^- Verified by: flashblade-sessions ${version}, commit ${commit}`, 'm'));
    expect(junit).toContain(`<property name="SHA-256 of the pact" value="${sha256}"/>`);
    expect(junit).toContain('<property name="Purity" value="4.6.2"/>');
  });

  it('the report answers the open questions about arrays with what this array did', async () => {
    const { env } = await arrayAndEnvironment({ refusedLoginStatus: 400, deadSessionStatus: 401 });
    const { report } = await run(['--array'], env).ended;
    const answers = Object.fromEntries(
      [...report.matchAll(/^\| ([^|]*\?) \| ([^|]*) \|$/gm)].map(([, question = '', answer]) => [question, answer]),
    );
    expect(answers).toMatchObject({
      'How does the array refuse an unknown API token?': expect.stringMatching(/^400, JSON with error/),
      'How does it refuse a read with the auth token of an ended session?': expect.stringMatching(/^401, JSON/),
      'How does it refuse a second logout?': expect.stringMatching(/^401, /),
      'What form does its API token have?': expect.stringContaining('and a UUID'),
      'What form do its auth tokens have?': 'a UUID',
      'How many sessions may a user have at the same time?': expect.stringMatching(/^at least [1-9]$/),
      'What idle timeout does it report?': '1800000 ms',
      'Does the idle timeout end REST sessions? Do sessions have a maximum lifetime?': 'not observed in this run',
    });
  });

  it.each([
    ['piped', ''],
    ['piped with a line end', '\n'],
  ])('the API token can be %s', async (_, end) => {
    const { env } = await arrayAndEnvironment();
    const { child, ended } = run(['--array'], { ...env, FLASHBLADE_API_TOKEN: undefined });
    child.stdin.end(`${API_TOKEN}${end}`);
    const { code, stderr, all } = await ended;
    expect([code, stderr]).toEqual([0, 'FLASHBLADE_API_TOKEN is not set. Reading the API token from the pipe ...\n']);
    expect(all).not.toContain(API_TOKEN);
  });

  it('an empty pipe is refused like a missing variable', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    const { child, ended } = run(['--array'], { ...env, FLASHBLADE_API_TOKEN: undefined });
    child.stdin.end();
    const { code, stderr } = await ended;
    expect(code).toBe(2);
    expect(stderr).toContain('environment: FLASHBLADE_API_TOKEN must');
    expect(simulator.requests).toEqual([]);
  });

  it('the API token is typed at a hidden prompt on a terminal, after every other variable is valid', async () => {
    const { env } = await arrayAndEnvironment();
    const { FLASHBLADE_API_TOKEN: _, ...others } = env;
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
    const output = new PassThrough();
    const terminal = { input, output };
    const { signal } = new AbortController();
    await expect(withApiToken({ ...others, FLASHBLADE_USERNAME: '' }, terminal, signal)).rejects.toThrow(
      'FLASHBLADE_USERNAME must be',
    );
    expect(output.read()).toBeNull();
    input.write(`${API_TOKEN}\r`);
    expect(await withApiToken(others, terminal, signal)).toMatchObject(env);
    expect(String(output.read())).toBe(`API token of ${USERNAME} (hidden): \n`);
  });

  it('the array passes if it is trusted by the fingerprint of its certificate', async () => {
    const { simulator, env } = await arrayAndEnvironment({ certificate: 'self-signed' });
    const trust = { FLASHBLADE_CA_FILE: undefined, FLASHBLADE_FINGERPRINT: simulator.fingerprint };
    expect(await run(['--array'], { ...env, ...trust }).ended).toMatchObject({ code: 0 });
  });
});

describe('an invalid environment is refused before anything is sent', () => {
  it('the error names every missing variable but the API token, which is asked for last', async () => {
    const { code, stderr, stdout } = await run(['--array']).ended;
    expect([code, stdout]).toEqual([2, '']);
    for (const name of ['HOST', 'USERNAME', 'CA_FILE', 'FINGERPRINT']) {
      expect(stderr.split('\n')[0]).toContain(`FLASHBLADE_${name}`);
    }
  });

  const good = {
    FLASHBLADE_HOST: 'fb1.example.com',
    FLASHBLADE_API_TOKEN: API_TOKEN,
    FLASHBLADE_USERNAME: USERNAME,
    FLASHBLADE_FINGERPRINT: 'ab'.repeat(32),
  };

  it.each([
    ['FLASHBLADE_HOST', { FLASHBLADE_HOST: 'https://fb1' }],
    ['FLASHBLADE_HOST', { FLASHBLADE_HOST: 'T-3f2504e0-4f89-11d3-9a0c-0305e82c3301' }],
    ['FLASHBLADE_HOST', { FLASHBLADE_HOST: 'opaque-text', FLASHBLADE_API_TOKEN: 'opaque-text' }],
    ['FLASHBLADE_API_TOKEN', { FLASHBLADE_API_TOKEN: 'two words' }],
    ['FLASHBLADE_CA_FILE', { FLASHBLADE_FINGERPRINT: '', FLASHBLADE_CA_FILE: 'no such file' }],
    ['FLASHBLADE_CA_FILE', { FLASHBLADE_FINGERPRINT: '', FLASHBLADE_CA_FILE: import.meta.filename }],
    ['FLASHBLADE_CA_FILE or FLASHBLADE_FINGERPRINT', { FLASHBLADE_FINGERPRINT: '' }],
    ['only one of FLASHBLADE_CA_FILE and FLASHBLADE_FINGERPRINT', { FLASHBLADE_CA_FILE: 'ca.pem' }],
    ['FLASHBLADE_FINGERPRINT', { FLASHBLADE_FINGERPRINT: 'ab' }],
  ])('the error names an invalid %s, but not its value', (name, wrong) => {
    expect(readArray(good)).toMatchObject({ username: USERNAME, array: { host: 'fb1.example.com', port: 443 } });
    const message = messageOf(() => readArray({ ...good, ...wrong }));
    expect(message).toMatch(
      new RegExp(`^environment: ${name}(: the text| must be| may be| looks like an API token| contains the apiToken)`),
    );
    for (const value of ['two words', API_TOKEN, 'https://fb1', '3f2504e0', 'opaque'])
      expect(message).not.toContain(value);
  });
});

describe('an early end of the run', () => {
  async function refused(change: Readonly<Record<string, string>>) {
    const { simulator, env } = await arrayAndEnvironment();
    const signal = new AbortController().signal;
    const { verification } = await verifyArray(pact, readArray({ ...env, ...change }), { signal, say: () => {} });
    const { findings, unreachable } = verification;
    expect(verification.interactions).toEqual([]);
    expect(simulator.sessions()).toEqual([]);
    const [finding, ...others] = [unreachable ?? [], findings].flat();
    expect(others).toEqual([]);
    return { simulator, finding, isUnreachable: couldNotReach(verification) };
  }

  it('the run ends before the first interaction if the array cannot be reached', async () => {
    const { finding, isUnreachable } = await refused({ FLASHBLADE_HOST: '127.0.0.1:1' });
    expect(finding).toContain('it refuses connections on this port');
    expect(isUnreachable).toBe(true);
  });

  it('the run ends without a request if the array is not trusted', async () => {
    const { certificate } = await createAuthority();
    const { finding, simulator, isUnreachable } = await refused({ FLASHBLADE_CA_FILE: fileWith(certificate) });
    expect(finding).toContain('is not trusted');
    expect(isUnreachable).toBe(true);
    expect(simulator.requests).toEqual([]);
  });

  it('the run ends after one login if the array refuses the API token', async () => {
    const { finding, simulator, isUnreachable } = await refused({ FLASHBLADE_API_TOKEN: 'T-of-nobody' });
    expect(isUnreachable).toBe(false);
    expect(finding).toContain('it does not accept this API token');
    expect(finding).not.toContain('T-of-nobody');
    expect([refusals(simulator), simulator.requests.length]).toEqual([1, 1]);
  });

  it('the run ends before the first interaction if the API token belongs to another user', async () => {
    const { finding } = await refused({ FLASHBLADE_USERNAME: 'root' });
    expect(finding).toContain(`the API token belongs to ${USERNAME}, not to the user in FLASHBLADE_USERNAME`);
  });
});

describe('exit codes', () => {
  it('an unreachable array ends the command with code 3 and an error in the JUnit report', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    await simulator.stop();
    const { code, report, junit, stdout } = await run(['--array'], env).ended;
    expect(code).toBe(3);
    expect(stdout).toContain('it refuses connections on this port');
    expect(report).toContain('- Result: **FAILED**');
    expect(junit).toContain('tests="1" failures="0" errors="1" skipped="0"');
    expect(junit).toContain('<error message=');
  });

  it('an invalid environment or option removes the reports of an earlier run', async () => {
    const endedWith = async (code: number, ...args: string[]) => {
      const files = [fileWith('old'), fileWith('old')];
      const [report = '', junit = ''] = files;
      const script = runScript('scripts/contracts.ts', ['--report', report, '--junit', junit, ...args]);
      onTestFinished(script.stop);
      expect((await script.ended).code).toBe(code);
      return files.filter((file) => existsSync(file)).length;
    };
    expect(await endedWith(2, '--array')).toBe(0);
    expect(await endedWith(2, '--nonsense')).toBe(0);
    expect(await endedWith(0, '--help')).toBe(2);
  });

  it('the reports of an array and of this project are different files', () => {
    const [own, array] = [reportFiles([]), reportFiles(['--array'])];
    expect(new Set([...Object.values(own), ...Object.values(array)]).size).toBe(4);
  });
});

describe('an array that breaks the contract', () => {
  it('exactly the broken interaction fails, no token is printed, and no session is left', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    // The array serves an ended session.
    simulator.faults.add({ kind: 'answer', path: /\/arrays$/, status: 200 });
    const { code, stdout, report, junit, all } = await run(['--array'], env).ended;
    expect(code).toBe(1);
    expect(stdout.match(/^FAILED .*/gm)).toEqual(['FAILED  a read in an ended session (the session has ended)']);
    expect(report).toContain('- Result: **FAILED**');
    expect(report).toContain('| **FAILED** | Expected status code 200 to be a 401, 403 |');
    expect(junit).toContain(`tests="${LIVE + SKIPPED + 1}" failures="1"`);
    for (const token of tokensOf(simulator)) expect(all).not.toContain(token);
    expect(endings(simulator)).toEqual(new Set(['logout']));
  });

  it('tokens that the array puts into a response are masked in the output', async () => {
    const { simulator, env } = await arrayAndEnvironment({
      onRequest: (phase, { path, requestId = '' }) => {
        if (phase !== 'received' || path !== '/api/api_version' || !requestId.startsWith('contract-')) return;
        const versions = tokensOf(simulator);
        simulator.faults.add({ kind: 'answer', path, body: JSON.stringify({ versions }), times: 1 });
      },
    });
    const { code, stdout, all } = await run(['--array'], env).ended;
    expect(code).toBe(1);
    expect(stdout.match(/Expected '\[token\]' to match/g)?.length).toBeGreaterThan(1);
    for (const token of tokensOf(simulator)) expect(all).not.toContain(token);
  });

  it('a session that the array does not close is reported as a failure', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    simulator.faults.add({ kind: 'answer', path: '/api/logout', act: false, status: 503 });
    const { code, stdout, report } = await run(['--array'], env).ended;
    expect(code).toBe(1);
    expect(
      stdout.match(/^FAILED {2}\d sessions? may stay open until the array's idle timeout \(.*503.*\)$/gm),
    ).toHaveLength(1);
    expect(report).toContain('could not be closed');
    expect(refusals(simulator)).toBeLessThanOrEqual(1);
  });

  it('an array that locks the user out after a refused login gets no further logins', async () => {
    const { simulator, env } = await arrayAndEnvironment({ maxLoginAttempts: 1 });
    const { code, stdout } = await run(['--array'], env).ended;
    expect(code).toBe(1);
    expect(stdout).toContain('the array already refused this API token, so the token was not sent again');
    expect(refusals(simulator)).toBe(2);
    expect(simulator.sessions()).toEqual([]);
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('it did not fail');
}
