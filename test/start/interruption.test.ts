import type { Readable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import type { OnRequest } from '../simulator/index.ts';
import { arrayWithSecret, run } from './run.ts';

// A run takes two or three seconds, on a busy machine some more.
vi.setConfig({ testTimeout: 60_000 });

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

test.each([
  ['in the middle of a login', '/api/login'],
  ['in the middle of a call under the lease', '/api/2.26/arrays'],
  ['in the middle of a logout', '/api/logout'],
])('Ctrl-C %s closes the session and ends with 130', async (_, path) => {
  const { onRequest, reached, release } = when(path);
  const { simulator, args } = await arrayWithSecret({ onRequest });
  const { child, ended, signalAll, living } = run(args);
  await reached;
  signalAll('SIGINT');
  await told(child.stdout, 'SIGINT: closing');
  release();
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: [] });
  expect(stdout).toContain('SIGINT: closing what is open');
  expect(stdout).not.toContain('FAILED');
  expect(stdout).not.toMatch(/^8 /m);
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
});

test('SIGTERM ends with 143, and further signals do not cut the closing short', async () => {
  const { onRequest, reached, release } = when('/api/login');
  const { simulator, args } = await arrayWithSecret({ onRequest });
  const { child, ended } = run(args);
  await reached;
  child.kill('SIGTERM');
  await told(child.stdout, 'SIGTERM: closing');
  child.kill('SIGINT');
  await told(child.stdout, 'SIGINT: closing');
  child.kill('SIGINT');
  release();
  const { code, files } = await ended;
  expect({ code, files }).toEqual({ code: 143, files: [] });
  expect(simulator.history.map((session) => session.ended?.by)).toEqual(['logout']);
});

test('Ctrl-C while the array does not answer a login waits until the login has given up, and leaves nothing', async () => {
  const { onRequest, reached, release } = when('/api/login');
  const { simulator, args } = await arrayWithSecret({ onRequest });
  simulator.faults.add({ kind: 'hang', at: 'before-headers', path: '/api/login', act: false });
  const { ended, signalAll, living } = run(args);
  await reached;
  signalAll('SIGINT');
  release();
  const { code, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: [] });
  expect(simulator.sessions()).toEqual([]);
});

test('Ctrl-C while the functions are being packaged leaves no file and no process', async () => {
  const { child, ended, signalAll, living } = run([]);
  await told(child.stdout, 'Building');
  signalAll('SIGINT');
  const { code, stdout, files } = await ended;
  expect({ code, files, living: living() }).toEqual({ code: 130, files: [], living: [] });
  expect(stdout).not.toContain('login is invoked');
});
