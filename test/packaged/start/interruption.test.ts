import type { Readable } from 'node:stream';
import { afterAll, expect, test, vi } from 'vitest';
import type { OnRequest } from '../../../simulator/index.ts';
import { arrayWithSecret, endStarted, PACKAGED, run } from './run.ts';

afterAll(endStarted);

// A run takes two or three seconds, on a busy machine some more.
vi.setConfig({ testTimeout: 120_000 });

/** When the array has acted on a request for `path`, and does not answer until `release` is called. */
function when(path: string): { onRequest: OnRequest; reached: Promise<void>; release: () => void } {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  return {
    reached: reached.promise,
    release: released.resolve,
    onRequest: async (phase, request) => {
      if (phase !== 'done' || request.path !== path) return;
      reached.resolve();
      await released.promise;
    },
  };
}

/** Resolves when a text has come out of a process. */
function told(output: Readable, text: string): Promise<void> {
  let sofar = '';
  return new Promise((resolve) => {
    output.on('data', (chunk: string | Buffer) => {
      sofar += chunk.toString();
      if (sofar.includes(text)) resolve();
    });
  });
}

test('Ctrl-C in the middle of a login closes the session and ends with 130, and further signals do not cut that short', async () => {
  const { onRequest, reached, release } = when('/api/login');
  const { simulator, args } = await arrayWithSecret({ onRequest });
  const { child, ended, signalAll, living } = run(args);
  await reached;
  signalAll('SIGINT');
  await told(child.stdout, 'SIGINT: closing');
  child.kill('SIGTERM');
  await told(child.stdout, 'SIGTERM: closing');
  signalAll('SIGINT');
  release();
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: false });
  expect(stdout.match(/^SIG\w+: closing/gm)).toEqual(['SIGINT: closing', 'SIGTERM: closing']);
  expect(stdout).not.toContain('FAILED');
  expect(stdout).not.toMatch(/^3 /m);
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
});

test('Ctrl-C in the middle of a call that fails closes the session and ends with 130', async () => {
  const { onRequest, reached, release } = when('/api/2.26/arrays');
  const { simulator, args } = await arrayWithSecret({ onRequest });
  simulator.faults.add({ kind: 'answer', path: '/api/2.26/arrays', status: 500 });
  const { child, ended, signalAll, living } = run(args);
  await reached;
  signalAll('SIGINT');
  await told(child.stdout, 'SIGINT: closing');
  release();
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: false });
  expect(stdout).toMatch(/^4 .* failed\n(.*\n)?Lease demo-[0-9a-f]{6}: CLOSED\n$/m);
  expect(stdout).not.toContain('FAILED');
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
});

test('SIGTERM in the middle of a logout ends with 143 when the session has ended', async () => {
  const { onRequest, reached, release } = when('/api/logout');
  const { simulator, args } = await arrayWithSecret({ onRequest });
  const { child, ended, living } = run(args);
  await reached;
  child.kill('SIGTERM');
  await told(child.stdout, 'SIGTERM: closing');
  release();
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 143, files: [], living: false });
  expect(stdout).not.toMatch(/^8 /m);
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
});

test('SIGINT while an event is worked on closes the session that it asked for', async () => {
  const { child, ended, living } = run(PACKAGED);
  await told(child.stdout, '9  An event asks');
  // To the script alone: a function that is only starting would die of it, with nothing begun.
  child.kill('SIGINT');
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: false });
  expect(stdout).toMatch(/^Lease job-[0-9a-f]{6}: CLOSED$/m);
  expect(stdout).not.toContain('FAILED');
});

test('Ctrl-C while the functions are being packaged leaves no file and no process', async () => {
  const { child, ended, signalAll, living } = run([]);
  await told(child.stdout, 'Building');
  signalAll('SIGINT');
  const { code, stdout, files } = await ended;
  expect({ code, files }).toEqual({ code: 130, files: [] });
  // The bundler was told to end, and may take a moment longer.
  await vi.waitFor(() => expect(living()).toBe(false), 10_000);
  expect(stdout).not.toContain('login is invoked');
});
