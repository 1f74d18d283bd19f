/** Every fault of the client is detected: by `npm run contracts` if an array could notice it, and by a named test if not. */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { toolEnvironment } from '../../../contracts/verification/verifier.ts';
import { firstFailure } from './consumer-tests.ts';
import { BY_CONTRACTS, BY_OTHERS } from './faulty-clients.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

describe('`npm run contracts` fails if the client', () => {
  it.each(Object.entries(BY_CONTRACTS))('%s', async (_, client) => {
    expect(await firstFailure(client.by, client)).toBeTypeOf('string');
  });
});

it.each(globSync('contracts/consumer/*.test.ts', { cwd: ROOT }))(
  'no test in %s fails for the unchanged client',
  async (file) => {
    expect(await firstFailure(file)).toBeUndefined();
  },
);

describe('another test fails if the client', () => {
  let failed: Readonly<Record<string, readonly string[]>> = {};

  beforeAll(async () => {
    const vitest = resolve(ROOT, 'node_modules/vitest/vitest.mjs');
    const args = [vitest, 'run', '--config', 'test/packaged/contracts/faulty-clients.config.ts'];
    const running = promisify(execFile)(process.execPath, args, { cwd: ROOT, env: toolEnvironment({ NO_COLOR: '1' }) });
    const { stdout } = await running.catch((error: { stdout: string }) => error);
    failed = JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')) ?? '{}');
  }, 120_000);

  it.each(Object.entries(BY_OTHERS))('%s', (name, client) => {
    expect(failed[name]).toContain(client.test);
  });

  it('no test fails for the unchanged client', () => {
    expect(failed['unchanged']).toEqual([]);
  });
});
