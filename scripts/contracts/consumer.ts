/** Runs the consumer tests, which write the pact. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PACT_NAME, type Pact, readPact } from '../../contracts/pact-file.ts';
import { toolEnvironment } from '../../contracts/verification/environment.ts';
import { ROOT } from '../build.ts';

/** The pact that they wrote. Throws an Error if one of them fails. */
export async function runConsumerTests(signal: AbortSignal): Promise<Pact> {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-consumer-'));
  try {
    const vitest = resolve(ROOT, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--config', 'contracts/vitest.config.ts'], {
      cwd: ROOT,
      env: toolEnvironment({ CONTRACTS_PACT_FOLDER: folder }),
      stdio: ['ignore', 'inherit', 'inherit'],
      signal,
    });
    const [code] = await once(child, 'exit');
    if (code !== 0)
      throw new Error('consumer tests failed: the client does not do what they say. Nothing was verified.');
    return readPact(join(folder, PACT_NAME));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
