import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/kit/longest-first.ts';

/** These need the product as it is deployed: bundles, zips and the compiled template. */
const packaged = (name: string) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], globalSetup: ['test/kit/package-once.ts'] },
});

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      packaged('packaged'),
      packaged('proofs'),
    ],
    reporters: ['default', './test/kit/last-line-reporter.ts'],
    // One more than cores: many tests wait for a timeout or for a process of their own.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Files share their workers: loading everything again for each would be a third of the whole time. Every test restores
    // what it changes.
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
