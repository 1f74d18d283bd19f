/** `npm run contracts`, as CI runs it. */
import { describe, expect, it } from 'vitest';
import { readPact } from '../../../contracts/pact-file.ts';
import { readCommand } from '../../../scripts/contracts/arguments.ts';
import { verifySimulator } from '../../../scripts/contracts/runs.ts';
import { arrayAndEnvironment, fileWith, run } from './run.ts';

const LISTENER = 'examples/pact/dashboard-flashblade-sessions.json';

const fromState = (name: string): string => `$\{${name}}`;

/** A pact of another consumer, in version 3 of the specification. */
const OTHERS = {
  consumer: { name: 'backup-reports' },
  provider: { name: 'purity' },
  interactions: [
    {
      description: 'I log in',
      providerStates: [{ name: 'an API token is valid', params: { username: 'backup' } }],
      request: {
        method: 'POST',
        path: '/api/login',
        headers: { 'api-token': 'T-1' },
        generators: { header: { 'api-token': { type: 'ProviderState', expression: fromState('apiToken') } } },
      },
      response: { status: 200, headers: { 'Content-Type': 'application/json' }, body: { username: 'backup' } },
    },
    {
      description: 'I log out',
      providerStates: [{ name: 'a session is open' }],
      request: {
        method: 'POST',
        path: '/api/logout',
        headers: { 'x-auth-token': 'x' },
        generators: { header: { 'x-auth-token': { type: 'ProviderState', expression: fromState('authToken') } } },
      },
      response: { status: 200 },
    },
  ],
  metadata: { pactSpecification: { version: '3.0.0' } },
};

it('the consumer tests, the checks and the verification of the simulator, the documentation and the functions pass', async () => {
  const { code, stdout, report, junit, files } = await run([]).ended;
  expect({ code, files }).toEqual({ code: 0, files: [] });
  expect(stdout).toMatch(/Tests .*85 passed \(85\)/);
  expect(stdout).toContain('Verified the simulator: 16 of 16 interactions passed, 0 skipped, 0 other findings.');
  expect(stdout).toContain('Verified the documented events: 4 of 4 interactions passed, 0 skipped, 0 other findings.');
  expect(stdout).toContain('Verified the functions: 13 of 13 interactions passed, 0 skipped, 0 other findings.');
  expect(report).toContain('- Contract: flashblade-sessions → flashblade\n');
  expect(report).toContain('- Contract: stack → flashblade-sessions\n');
  expect(junit).toContain('<testsuites tests="36" failures="0"');
  expect(junit).toContain('the simulator" tests="17" failures="0"');
});

describe('a pact of another consumer', () => {
  const verifying = (pact: unknown) => run(['--pact', fileWith(JSON.stringify(pact))]).ended;
  const [first, second] = OTHERS.interactions;

  it('is verified with one command', async () => {
    const { code, stdout, report } = await verifying(OTHERS);
    expect(code).toBe(0);
    expect(stdout).toContain('2 of 2 interactions passed');
    expect(report).toContain('- Contract: backup-reports → purity\n');
  });

  it('fails if the simulator behaves differently', async () => {
    const wrong = { ...second, response: { status: 204 } };
    const { code, stdout } = await verifying({ ...OTHERS, interactions: [first, wrong] });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^passed {2}I log in .*\nFAILED {2}I log out .*\n {8}expected 204 but was 200$/m);
  });

  it('is refused with the next step, in output and reports, if it has no interaction', async () => {
    const { code, stdout, report, junit } = await verifying({ ...OTHERS, interactions: [] });
    expect(code).toBe(1);
    expect(stdout).toContain('Check the program that wrote the pact.');
    expect(report).toContain('- Result: **FAILED**');
    expect(junit).toContain('<failure message=');
  });

  it.each([
    [
      'requires an unknown state',
      [{ ...second, request: { method: 'POST', path: '/api/logout' }, providerStates: [{ name: 'x' }] }],
      'Use one of: an API token is valid',
    ],
    ['is pending', [{ ...first, pending: true }], 'Remove "pending".'],
    ['has the same interaction twice', [first, first], 'Give one interaction a different description.'],
  ])('is not verified if it %s', async (_, interactions, advice) => {
    const pact = readPact(fileWith(JSON.stringify({ ...OTHERS, interactions })));
    const { verification } = await verifySimulator(pact, new AbortController().signal);
    expect(verification).toEqual({ interactions: [], findings: [expect.stringContaining(advice)] });
  });
});

describe('a pact that cannot be verified', () => {
  it('an old version of the Pact specification is named as the only problem', async () => {
    const old = {
      ...OTHERS,
      interactions: [{ ...OTHERS.interactions[0], providerStates: undefined, providerState: 'I am logged in' }],
      metadata: { pactSpecification: { version: '2.0.0' } },
    };
    const { code, stdout } = await run(['--pact', fileWith(JSON.stringify(old))]).ended;
    expect(code).toBe(1);
    expect(stdout.match(/^FAILED .*/gm)).toEqual([
      expect.stringContaining('uses version 1 or 2 of the Pact specification, which cannot put the values of states'),
    ]);
  });

  it('messages are not verified against an array', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    const { code, stdout } = await run(['--array', '--pact', LISTENER], env).ended;
    expect([code, simulator.requests]).toEqual([1, []]);
    expect(stdout).toContain('Verify it with `npm run contracts -- --pact`');
  });

  it('a request that may change an array is not sent to it, unless --allow-writes is given', async () => {
    const { simulator, env } = await arrayAndEnvironment();
    const erase = {
      description: 'I erase',
      request: { method: 'DELETE', path: '/api/2.26/file-systems' },
      response: { status: 403 },
    };
    const file = fileWith(JSON.stringify({ ...OTHERS, interactions: [erase] }));
    const { code, stdout } = await run(['--array', '--pact', file], env).ended;
    expect([code, simulator.requests]).toEqual([1, []]);
    expect(stdout).toContain('"I erase": DELETE /api/2.26/file-systems may change the array, so it is not sent.');
    expect(await run(['--array', '--pact', file, '--allow-writes'], env).ended).toMatchObject({ code: 0 });
    expect(simulator.requests.map(({ method }) => method)).toContain('DELETE');
  });

  it('no message of the command names a file of this repository that another team does not have', async () => {
    const wrong = { ...OTHERS, interactions: [{ ...OTHERS.interactions[1], providerStates: [{ name: 'x' }] }] };
    const { stdout } = await run(['--pact', fileWith(JSON.stringify(wrong))]).ended;
    expect(stdout).toContain('FAILED');
    expect(stdout).not.toMatch(/contracts\/[a-z-]+\.ts/);
  });
});

it("a listener's message pact is verified against the functions", async () => {
  const { code, stdout, report } = await run(['--pact', LISTENER]).ended;
  expect(code).toBe(0);
  expect(stdout).toContain('Verified the functions: 3 of 3 interactions passed');
  expect(report).toContain('- Contract: dashboard → flashblade-sessions\n');
});

describe('the command line', () => {
  it.each([[['--accept', '--array']], [['--accept', '--pact', 'x']]])('the combination %j is refused', (args) => {
    expect(() => readCommand(args)).toThrow('--accept cannot be combined with --pact or a real array');
  });

  it('an unknown option is refused with the usage', async () => {
    const { code, stdout, stderr } = await run(['--nonsense']).ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--nonsense');
    expect(stderr).toContain('npm run contracts:array');
  });

  it('--help prints the options and variables', async () => {
    const { code, stdout } = await run(['--help']).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('FLASHBLADE_FINGERPRINT');
  });
});
