/** The consumer tests and the tests of off-contract responses together detect every fault of the client. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { toolEnvironment } from '../../../contracts/verification/verifier.ts';
import { FAULTY_CLIENTS } from './faulty-clients.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

let failed: Readonly<Record<string, readonly string[]>> = {};

beforeAll(async () => {
  const vitest = resolve(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', 'test/packaged/contracts/faulty-clients.config.ts'];
  const running = promisify(execFile)(process.execPath, args, { cwd: ROOT, env: toolEnvironment({ NO_COLOR: '1' }) });
  const { stdout } = await running.catch((error: { stdout: string }) => error);
  failed = JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')) ?? '{}');
}, 120_000);

describe('a test fails if the client', () => {
  it.each(Object.entries(FAULTY_CLIENTS))('%s', (name, client) => {
    expect(failed[name]).toContain(client.test);
  });
});

it('no test fails for the unchanged client', () => {
  expect(failed['unchanged']).toEqual([]);
});
