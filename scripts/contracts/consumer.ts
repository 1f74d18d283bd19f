/** Runs the consumer tests, which write the pacts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type MessagePact,
  OUTCOMES_PACT,
  PACT_NAME,
  type Pact,
  REQUESTS_PACT,
  readMessagePact,
  readPact,
} from '../../contracts/pact-file.ts';
import { toolEnvironment } from '../../contracts/verification/verifier.ts';
import { ROOT } from '../build.ts';

export type Pacts = {
  /** The HTTP pact with an array. */
  readonly array: Pact;
  /** The events that session-events accepts. */
  readonly requests: MessagePact;
  /** The events that the functions send, and the results that invocations return. */
  readonly outcomes: MessagePact;
};

/** Returns the pacts that the tests wrote. Throws an Error if a test fails. */
export async function runConsumerTests(signal: AbortSignal): Promise<Pacts> {
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
    if (code !== 0) throw new Error('the consumer tests failed, so nothing was verified');
    return readPacts(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws an Error if the tests wrote any other pact, because nothing would verify that pact. */
function readPacts(folder: string): Pacts {
  const unread = readdirSync(folder).filter((name) => ![PACT_NAME, REQUESTS_PACT, OUTCOMES_PACT].includes(name));
  if (unread.length > 0) throw new Error(`the consumer tests wrote ${unread.join(', ')}, which is never verified`);
  return {
    array: readPact(join(folder, PACT_NAME)),
    requests: readMessagePact(join(folder, REQUESTS_PACT)),
    outcomes: readMessagePact(join(folder, OUTCOMES_PACT)),
  };
}
