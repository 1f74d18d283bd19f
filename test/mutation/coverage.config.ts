import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The tests that run lib/ in their own process, none of the packaged bundles: only they can be measured and mutated. */
export const IN_PROCESS = [
  'test/unit/{core,leases,fleet,aws,flashblade,lambda}/*.test.ts',
  'test/unit/compose.test.ts',
];

export default defineConfig({
  root: resolve(import.meta.dirname, '../..'),
  test: {
    include: IN_PROCESS,
    // The ledger's store is tested with the table as it is deployed.
    globalSetup: ['test/kit/package-once.ts'],
    isolate: false,
    maxWorkers: 2,
    testTimeout: 120_000,
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['lib/**/*.ts'],
      exclude: ['lib/index.ts'],
      reportsDirectory: 'dist/coverage',
      reporter: ['text', 'json'],
      thresholds: { branches: 95 },
    },
  },
});
