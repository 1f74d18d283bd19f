import { expect, test, vi } from 'vitest';
import { selfSigned } from '../certificates.ts';
import { login } from '../simulator/support.ts';
import { arrayWithSecret, run, tokensOf } from './run.ts';

// A run takes two or three seconds, on a busy machine some more.
vi.setConfig({ testTimeout: 60_000 });

test("on an array given by host and secret file, the array's own list tells that the session has ended", async () => {
  const { simulator, args } = await arrayWithSecret();
  const { code, stdout, stderr, files } = await run([...args, '--array', 'fb-lab']).ended;
  expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
  expect(stdout).toMatch(/GET \/api\/2\.26\/sessions, asked under another lease: the session is not live any more/);
  expect(stdout).toContain('"array": "fb-lab"');
  expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  expect(simulator.history.map(({ ended }) => ended?.by)).toEqual(['logout', 'logout']);
  expect(stdout).toContain(`array calls: ${simulator.requests.length}\n`);
  for (const token of tokensOf(simulator)) expect(stdout + stderr).not.toContain(token);
});

test('a session that the array still lists fails the run', async () => {
  const { simulator, args } = await arrayWithSecret();
  simulator.faults.add({ kind: 'answer', path: '/api/logout', act: false, status: 200, body: '', times: 1 });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(1);
  expect(stdout).toContain('the session is STILL LIVE');
  expect(stdout).toMatch(/FAILED {2}a session is left on the array\n$/);
});

test('another session of the same user is not taken for ours, also if the list comes in pages', async () => {
  const { simulator, args } = await arrayWithSecret();
  await login(simulator);
  const firstPage = JSON.stringify({ items: [], continuation_token: Buffer.from('start:0').toString('base64url') });
  simulator.faults.add({ kind: 'answer', path: '/api/2.26/sessions', body: firstPage, times: 1 });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(0);
  expect(stdout).toContain('the session is not live any more');
  expect(simulator.sessions()).toHaveLength(1);
});

test('an array without REST 2.3 cannot show its sessions, and that is said', async () => {
  const { simulator, args } = await arrayWithSecret({ versions: ['1.0', '1.9', '1.12'] });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(0);
  expect(stdout).toContain('GET /api/1.12/arrays → 200');
  expect(stdout).toContain('it cannot be seen, it serves no REST 2.3; its logout was confirmed');
  expect(simulator.sessions()).toEqual([]);
});

test('a list of sessions that this user may not see is said, and no failure', async () => {
  const { simulator, args } = await arrayWithSecret();
  simulator.faults.add({ kind: 'answer', path: '/api/2.26/sessions', status: 403, body: '' });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(0);
  expect(stdout).toContain('it cannot be seen, it shows this user no list of sessions');
  expect(simulator.sessions()).toEqual([]);
});

test('an API token that the array refuses ends the run with its code and what to do', async () => {
  const { simulator, args } = await arrayWithSecret({}, { apiToken: 'T-of-nobody' });
  const { code, stdout, stderr, files } = await run(args).ended;
  expect({ code, files }).toEqual({ code: 1, files: [] });
  expect(stdout).toMatch(/^2 {2}login is invoked.* failed$/m);
  expect(stdout).toMatch(/^FAILED {2}LOGIN_REFUSED: array fb1 .*401/m);
  expect(stdout).not.toMatch(/^3 /m);
  expect(stdout + stderr).not.toContain('T-of-nobody');
  expect(simulator.history).toEqual([]);
});

test('another server than the trusted one gets no token and is told as ARRAY_UNTRUSTED', async () => {
  const { certificate } = await selfSigned();
  const { simulator, args } = await arrayWithSecret({}, { trust: { ca: certificate } });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAILED {2}ARRAY_UNTRUSTED: /m);
  expect(simulator.requests).toEqual([]);
});

test('a call that fails under the lease fails the run, and the session is closed all the same', async () => {
  const { simulator, args } = await arrayWithSecret();
  simulator.faults.add({ kind: 'answer', path: '/api/2.26/arrays', status: 500 });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/^Lease demo-[0-9a-f]{6}: CLOSED\nFAILED {2}the array answered 500\n$/m);
  expect(simulator.history.map(({ ended }) => ended?.by)).toEqual(['logout']);
});

test('a logout that fails once is repeated at the end, and the run has failed', async () => {
  const { simulator, args } = await arrayWithSecret();
  simulator.faults.add({ kind: 'answer', path: '/api/logout', act: false, status: 503, times: 1 });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/Lease demo-[0-9a-f]{6}: CLOSED\nFAILED {2}ARRAY_BUSY: /);
  expect(simulator.sessions()).toEqual([]);
});

test('a session that could not be closed is said loudly', async () => {
  const { simulator, args } = await arrayWithSecret();
  simulator.faults.add({ kind: 'answer', path: '/api/logout', act: false, status: 503 });
  const { code, stdout } = await run(args).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/Lease demo-[0-9a-f]{6} WAS NOT CLOSED\. ARRAY_BUSY: /);
  expect(simulator.sessions()).toHaveLength(1);
});
