import { afterAll, expect, test, vi } from 'vitest';
import { holding } from '../../kit/script.ts';
import { arrayWithSecret, endStarted, PACKAGED, run } from './run.ts';

afterAll(endStarted);

// A run takes two or three seconds, and more on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

test('Ctrl-C during a login closes the session and ends with 130, and further signals do not interrupt that', async () => {
  const { onRequest, reached, release } = holding('/api/login');
  const { simulator, args } = await arrayWithSecret({ onRequest });
  const { child, ended, printed, signalAll, living } = run(args);
  await reached;
  signalAll('SIGINT');
  await printed(/SIGINT: closing/);
  child.kill('SIGTERM');
  await printed(/SIGTERM: closing/);
  signalAll('SIGINT');
  release();
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: false });
  expect(stdout.match(/^SIG\w+: closing/gm)).toEqual(['SIGINT: closing', 'SIGTERM: closing']);
  expect(stdout).not.toContain('FAILED');
  expect(stdout).not.toMatch(/^3 /m);
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
});

test('Ctrl-C during a call that fails closes the session and ends with 130', async () => {
  const { onRequest, reached, release } = holding('/api/2.26/arrays');
  const { simulator, args } = await arrayWithSecret({ onRequest });
  simulator.faults.add({ kind: 'answer', path: '/api/2.26/arrays', status: 500 });
  const { ended, printed, signalAll, living } = run(args);
  await reached;
  signalAll('SIGINT');
  await printed(/SIGINT: closing/);
  release();
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: false });
  expect(stdout).toMatch(/^4 .* failed\n(.*\n)?Lease demo-[0-9a-f]{6}: CLOSED\n$/m);
  expect(stdout).not.toContain('FAILED');
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
});

test('SIGTERM during a logout ends with 143 after the session has ended', async () => {
  const { onRequest, reached, release } = holding('/api/logout');
  const { simulator, args } = await arrayWithSecret({ onRequest });
  const { child, ended, printed, living } = run(args);
  await reached;
  child.kill('SIGTERM');
  await printed(/SIGTERM: closing/);
  release();
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 143, files: [], living: false });
  expect(stdout).not.toMatch(/^8 /m);
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
});

test('SIGINT while an event is processed closes the session that the event requested', async () => {
  const { child, ended, printed, living } = run(PACKAGED);
  await printed(/9 {2}An event requests/);
  // Only to the script, because the signal would kill a function that is still starting.
  child.kill('SIGINT');
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: false });
  expect(stdout).toMatch(/^Lease job-[0-9a-f]{6}: CLOSED$/m);
  expect(stdout).not.toContain('FAILED');
});

test('Ctrl-C while the functions are packaged leaves no file and no process', async () => {
  const { ended, printed, signalAll, living } = run([]);
  await printed(/Building/);
  signalAll('SIGINT');
  const { code, stdout, files } = await ended;
  expect({ code, files }).toEqual({ code: 130, files: [] });
  // The bundler may take a moment to end.
  await vi.waitFor(() => expect(living()).toBe(false), 10_000);
  expect(stdout).not.toContain('login opens');
});
