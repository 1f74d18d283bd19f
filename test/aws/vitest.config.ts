/** `npm test` leaves these tests out, because they need moto, which is written in Python. */
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: resolve(import.meta.dirname, '../..'),
  test: {
    name: 'aws',
    include: ['test/aws/**/*.test.ts'],
    reporters: ['default', './test/kit/last-line-reporter.ts'],
    maxWorkers: 2,
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
