import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Every test may read the bundles, the zips and the compiled template.
    globalSetup: ['test/packaged.ts'],
    reporters: ['default', './test/last-line-reporter.ts'],
    // Vitest would leave one core idle.
    maxWorkers: 2,
    // Files share their workers: loading everything anew for each would be a third of the whole time. Every test puts back what
    // it changes; `npm test -- --sequence.shuffle.files` tries another order.
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
