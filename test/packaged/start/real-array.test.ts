import { afterAll, expect, test, vi } from 'vitest';
import { login } from '../../../simulator/support.ts';
import { tokensOf } from '../../kit/leaks.ts';
import { arrayWithSecret, endStarted, run } from './run.ts';

afterAll(endStarted);

// A run takes two or three seconds, and more on a busy machine.
vi.setConfig({ testTimeout: 120_000, maxConcurrency: 2 });

test.concurrent('with a secret file, the run shows one session, and the list of the array confirms its end', async () => {
  const { simulator, args } = await arrayWithSecret();
  await login(simulator);
  const others = simulator.requests.length;
  const { code, stdout, stderr, files } = await run([...args, '--array', 'fb-lab']).ended;
  expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
  expect(stdout).toMatch(/GET \/api\/2\.26\/sessions under a separate lease: the session is no longer live/);
  expect(stdout).toContain('"array": "fb-lab"');
  expect(stdout).toMatch(/^9 {2}Total/m);
  expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  expect(simulator.history.map(({ ended }) => ended?.by)).toEqual([undefined, 'logout', 'logout']);
  expect(stdout).toContain(`array calls: ${simulator.requests.length - others}\n`);
  for (const token of tokensOf(simulator)) expect(stdout + stderr).not.toContain(token);
});

test.concurrent('a session that the array still lists fails the run', async () => {
  const { simulator, args } = await arrayWithSecret();
  simulator.faults.add({ kind: 'answer', path: '/api/logout', act: false, status: 200, body: '', times: 1 });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(1);
  expect(stdout).toContain('the session is STILL LIVE');
  expect(stdout).toMatch(/FAILED {2}a session is still open on the array\n$/);
});

test.concurrent('an API token that the array refuses ends the run with the error code and the next step', async () => {
  const { simulator, args } = await arrayWithSecret({}, { apiToken: 'T-of-nobody' });
  const { code, stdout, stderr, files } = await run(args).ended;
  expect({ code, files }).toEqual({ code: 1, files: [] });
  expect(stdout).toMatch(/^2 {2}login opens a session.* failed$/m);
  expect(stdout).toMatch(/^FAILED {2}LOGIN_REFUSED: array fb1 .*401/m);
  expect(stdout).not.toMatch(/^3 /m);
  expect(stdout + stderr).not.toContain('T-of-nobody');
  expect(simulator.history).toEqual([]);
});

test.concurrent('if a call fails and the session cannot be closed, the run reports both', async () => {
  const { simulator, args } = await arrayWithSecret();
  simulator.faults.add({ kind: 'answer', path: '/api/2.26/arrays', status: 500 });
  simulator.faults.add({ kind: 'answer', path: '/api/logout', act: false, status: 503 });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^Lease demo-[0-9a-f]{6} WAS NOT CLOSED\. ARRAY_BUSY: .*\n.*\nFAILED {2}the array responded with 500\n$/m,
  );
  expect(simulator.sessions()).toHaveLength(1);
});

test.concurrent('the session is closed even if the reader of the output ends', async () => {
  const { simulator, args } = await arrayWithSecret();
  const { child, ended, living } = run(args);
  child.stdout.once('data', () => child.stdout.destroy());
  const { code, stdout } = await ended;
  expect({ code, living: living() }).toEqual({ code: 0, living: false });
  expect(stdout).not.toMatch(/^3 /m);
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout', 'logout']);
});
