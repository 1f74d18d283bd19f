/** Runs the consumer tests. One worker, because several would write to the same pact file and lose parts of it. */
import { rmSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { outputFolder } from './consumer/output.ts';

// Pact only adds to a pact file, so interactions of an earlier run would stay.
rmSync(outputFolder(), { recursive: true, force: true });
// Pact's native library reads it when it is loaded. Without it, the library reports its usage.
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
