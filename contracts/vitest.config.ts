/** Runs the consumer tests in one worker. Multiple workers would overwrite each other's interactions in the pact file. */
import { rmSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { outputFolder } from './consumer/output.ts';

// Pact only adds to a pact file, so interactions from an earlier run would remain.
rmSync(outputFolder(), { recursive: true, force: true });
// Pact's native library reads this variable when it is loaded. If the variable is missing, the library reports usage data.
process.env['PACT_DO_NOT_TRACK'] = 'true';

export default defineConfig({
  test: {
    include: ['contracts/{consumer,messages}/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    isolate: false,
    testTimeout: 20_000,
  },
});
