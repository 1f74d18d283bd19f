/** Starts the slowest files first, so that no worker waits for another's last file. A fresh clone has no timings from earlier runs. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONG = [
  'proofs/schedules',
  'packaged/commands/',
  'proofs/',
  'packaged/upgrade/',
  'packaged/functions/kills',
  'packaged/functions/deadlines',
  'packaged/',
  'unit/contracts/',
];

const rank = ({ moduleId }: TestSpecification): number => {
  const place = LONG.findIndex((part) => moduleId.includes(`/test/${part}`));
  return place < 0 ? LONG.length : place;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
