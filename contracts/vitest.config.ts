/** The consumer's side of the contract. One worker: workers of their own would write into one pact file and lose parts of it. */
import { rmSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { outputFolder } from './consumer/output.ts';

// A pact file is only ever added to: what an earlier run left in it would stay.
rmSync(outputFolder(), { recursive: true, force: true });
// Read by Pact's native library when it is loaded: it reports its use otherwise.
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
