/** examples/pact: another consumer's pact, verified with the commands in docs/contracts.md. */
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { readPact } from '../../../contracts/pact-file.ts';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import { startStateServer } from '../../../contracts/verification/state-server.ts';
import { ROOT } from '../../../scripts/build.ts';
import { startSimulator } from '../../../simulator/index.ts';
import { API_TOKEN, arrayAndEnvironment, fileWith, run } from '../contracts/run.ts';
import { EXAMPLES, start } from './files.ts';

const FILE = `${EXAMPLES}/pact/backup-reports-flashblade.json`;
const PACT = readPact(FILE);

/** A copy of the pact in which each interaction is replaced by what `change` returns. */
const copied = (change: (interaction: (typeof PACT.interactions)[number]) => readonly object[]): string =>
  fileWith(JSON.stringify({ ...PACT, interactions: PACT.interactions.flatMap(change) }));

test('the simulator and a real array fulfill the pact', async () => {
  const simulated = await run(['--pact', FILE]).ended;
  expect(simulated.stdout).toContain(
    'Verified the simulator: 4 of 4 interactions passed, 0 skipped, 0 other findings.',
  );
  expect(simulated.code).toBe(0);

  const { simulator, env } = await arrayAndEnvironment();
  const real = await run(['--array', '--pact', FILE], env).ended;
  expect(real.stdout).toContain('4 of 4 interactions passed, 0 skipped, 0 other findings.');
  expect([real.code, simulator.sessions()]).toEqual([0, []]);
});

test.each([
  ['a logout', 'another status', { response: { status: 204 } }, 'expected 204 but was 200'],
  [
    'a read of the file systems',
    'another body',
    { response: { status: 200, body: { content: { gone: [] } } } },
    'gone',
  ],
  ['a logout', 'no generator', { request: { method: 'POST', path: '/api/logout' } }, 'expected 200 but was 403'],
])('"%s" with %s fails', async (description, _, wrong, reason) => {
  const broken = copied((one) => [one.description === description ? { ...one, ...wrong } : one]);
  const { code, stdout } = await run(['--pact', broken]).ended;
  expect(stdout).toMatch(new RegExp(`^FAILED {2}${description} .*\\n {8}.*${reason}`, 'm'));
  expect([code, stdout.match(/^FAILED/gm)]).toEqual([1, ['FAILED']]);
});

test('the interactions may come in any order, and none is needed for another', async () => {
  const logins = copied((one) => (one.description === 'a login with an unknown API token' ? [] : [one]));
  const reversed = fileWith(JSON.stringify({ ...PACT, interactions: PACT.interactions.toReversed() }));
  const { env } = await arrayAndEnvironment();
  for (const file of [logins, reversed]) {
    const { code, stdout } = await run(['--array', '--pact', file], env).ended;
    expect({ code, failed: stdout.match(/^FAILED/gm) }).toEqual({ code: 0, failed: null });
  }
});

test("the functions fulfill a listener's pact, and no other one", async () => {
  const file = `${EXAMPLES}/pact/dashboard-flashblade-sessions.json`;
  const { code, stdout } = await run(['--pact', file]).ended;
  expect(stdout).toContain('Verified the functions: 3 of 3 interactions passed');
  expect(code).toBe(0);
  const other = fileWith(readFileSync(file, 'utf8').replaceAll('"leaseId"', '"lease"'));
  expect((await run(['--pact', other]).ended).code).toBe(1);
});

test('Pact JS verifies a provider with the states in the docs, over verified TLS, for a user with any name', async () => {
  const simulator = await startSimulator({ users: [{ username: 'someone-else', apiToken: API_TOKEN }] });
  onTestFinished(() => simulator.stop());
  const failed: string[] = [];
  const states = await startStateServer(simulatorTarget(simulator), (_, error) => failed.push(error.message));
  onTestFinished(() => states.stop());
  const verifying = () =>
    start(
      process.execPath,
      [`${EXAMPLES}/pact/verify-provider.mjs`, `https://localhost:${simulator.port}`, states.url],
      {
        cwd: ROOT,
        env: { PACT_DO_NOT_TRACK: 'true', NODE_EXTRA_CA_CERTS: fileWith(simulator.certificate) },
      },
    ).ended;
  expect([(await verifying()).code, failed]).toEqual([0, []]);
  simulator.faults.add({ kind: 'answer', path: '/api/api_version', body: '{"version":["2.26"]}' });
  expect((await verifying()).code).not.toBe(0);
});
