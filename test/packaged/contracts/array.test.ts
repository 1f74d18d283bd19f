/** `npm run contracts:array` against a simulated array that the command knows only from its environment variables. */
import { describe, expect, it } from 'vitest';
import { readArray } from '../../../scripts/contracts/environment.ts';
import { verifyArray } from '../../../scripts/contracts/runs.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import type { Simulator } from '../../../simulator/index.ts';
import { tokensOf } from '../../kit/leaks.ts';
import { pact } from '../../unit/contracts/providers.ts';
import { API_TOKEN, arrayAndEnvironment, fileWith, run, USERNAME } from './run.ts';

const refusals = ({ requests }: Simulator) =>
  requests.filter(({ path, status }) => path === '/api/login' && status !== 200).length;
const endings = ({ history }: Simulator) => new Set(history.map(({ ended }) => ended?.by));

describe('an array that keeps the contract', () => {
  it('the array passes, the reports contain no token, and no session is left', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    const { code, stdout, stderr, report, junit, all, files } = await run(['--array'], env).ended;
    expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
    expect(stdout).toContain('9 of 10 interactions can be verified on a real array.');
    expect(stdout).toContain('Logins with made-up API tokens, which the array must refuse: 1.');
    expect(stdout).toContain('9 of 9 interactions passed, 0 other findings.');
    expect(report).toContain(`- Provider: 127.0.0.1:${simulator.port}, as ${USERNAME}\n`);
    expect(report).toContain('- Result: **passed**\n');
    expect(report.match(/\| passed \|/g)).toHaveLength(9);
    expect(junit).toContain('<testsuites tests="10" failures="0" errors="0">');
    for (const token of tokensOf(simulator)) expect(all).not.toContain(token);
    expect(endings(simulator)).toEqual(new Set(['logout']));
    expect(refusals(simulator)).toBe(1);
  });

  it('the array passes if it is trusted by the fingerprint of its certificate', async () => {
    const { simulator, env } = await arrayAndEnvironment({ certificate: 'self-signed' });
    const trust = { FLASHBLADE_CA_FILE: undefined, FLASHBLADE_FINGERPRINT: simulator.fingerprint };
    expect(await run(['--array'], { ...env, ...trust }).ended).toMatchObject({ code: 0 });
  });
});

describe('an invalid environment is refused before anything is sent', () => {
  it('the error names every missing variable', async () => {
    const { code, stderr, stdout } = await run(['--array']).ended;
    expect([code, stdout]).toEqual([2, '']);
    for (const name of ['HOST', 'API_TOKEN', 'USERNAME', 'CA_FILE', 'FINGERPRINT']) {
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
    expect(verification).toEqual({ interactions: [], findings: [expect.any(String)] });
    expect(simulator.sessions()).toEqual([]);
    return { simulator, finding: verification.findings[0] };
  }

  it('the run ends before the first interaction if the array cannot be reached', async () => {
    const { finding } = await refused({ FLASHBLADE_HOST: '127.0.0.1:1' });
    expect(finding).toContain('it refuses connections on this port');
  });

  it('the run ends without a request if the array is not trusted', async () => {
    const { certificate } = await createAuthority();
    const { finding, simulator } = await refused({ FLASHBLADE_CA_FILE: fileWith(certificate) });
    expect(finding).toContain('is not trusted');
    expect(simulator.requests).toEqual([]);
  });

  it('the run ends after one login if the array refuses the API token', async () => {
    const { finding, simulator } = await refused({ FLASHBLADE_API_TOKEN: 'T-of-nobody' });
    expect(finding).toContain('it does not accept this API token');
    expect(finding).not.toContain('T-of-nobody');
    expect([refusals(simulator), simulator.requests.length]).toEqual([1, 1]);
  });

  it('the run ends before the first interaction if the API token belongs to another user', async () => {
    const { finding } = await refused({ FLASHBLADE_USERNAME: 'root' });
    expect(finding).toContain(`the API token belongs to ${USERNAME}, not to the user in FLASHBLADE_USERNAME`);
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
    expect(junit).toContain('tests="10" failures="1"');
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
    expect(stdout).toMatch(/FAILED {2}a session that this verification opened could not be closed: .*503/);
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
