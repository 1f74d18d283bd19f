/** Pact's own verifier, without this project's checks and gateway. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { toolEnvironment } from '../../../contracts/verification/verifier.ts';

/** Returns the exit code: 0 if the provider fulfills every pact. `env` are further environment variables. */
export async function runPactVerifier(options: object, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const child = fork(resolve(import.meta.dirname, 'fixtures/pact-verifier.mjs'), [JSON.stringify(options)], {
    env: toolEnvironment(env),
    execArgv: [],
    stdio: 'ignore',
  });
  return (await once(child, 'exit'))[0];
}
