import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { IN_PROCESS } from './coverage.config.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ORDER = [
  'core/',
  'lambda/metrics',
  'leases/',
  'fleet/',
  'lambda/',
  'aws/',
  'flashblade/',
  'compose',
  'leases/signals',
  'leases/requests',
];
const rank = ({ moduleId }: TestSpecification): number =>
  ORDER.findLastIndex((part) => moduleId.includes(`/test/unit/${part}`));

/** Cheap tests kill first. */
class CheapestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

export default defineConfig({
  root: ROOT,
  test: {
    include: IN_PROCESS,
    exclude: ['test/unit/leases/dispatch-deadlines.test.ts'],
    runner: resolve(import.meta.dirname, 'judge.ts'),
    sequence: { sequencer: CheapestFirst },
    isolate: false,
    testTimeout: 30_000,
  },
});
