import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Every test may read the bundles, the zips and the compiled template.
    globalSetup: ['test/packaged.ts'],
    reporters: ['default', './test/last-line-reporter.ts'],
    // One more than cores: many tests wait for a time-out or for a process of their own.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Files share their workers: loading everything anew for each would be a third of the whole time. Every test puts back
    // what it changes.
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
