/** Runs the consumer tests, which write the pacts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ANSWERS_PACT, REQUESTS_PACT } from '../../contracts/messages/vocabulary.ts';
import { type MessagePact, PACT_NAME, type Pact, readMessagePact, readPact } from '../../contracts/pact-file.ts';
import { toolEnvironment } from '../../contracts/verification/environment.ts';
import { ROOT } from '../build.ts';

export type Pacts = {
  /** With an array. */
  readonly array: Pact;
  /** Events that session-events understands. */
  readonly requests: MessagePact;
  /** Events that are sent, and results of invocations. */
  readonly answers: MessagePact;
};

/** The pacts that they wrote. Throws an Error if one of them fails. */
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
    if (code !== 0)
      throw new Error('consumer tests failed: the client does not do what they say. Nothing was verified.');
    return readPacts(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A pact that is not read would not be verified. */
function readPacts(folder: string): Pacts {
  const unread = readdirSync(folder).filter((name) => ![PACT_NAME, REQUESTS_PACT, ANSWERS_PACT].includes(name));
  if (unread.length > 0) throw new Error(`consumer tests wrote ${unread.join(', ')}, which nothing verifies`);
  return {
    array: readPact(join(folder, PACT_NAME)),
    requests: readMessagePact(join(folder, REQUESTS_PACT)),
    answers: readMessagePact(join(folder, ANSWERS_PACT)),
  };
}
