import { expect, test } from 'vitest';
import { brokenCopy } from './controls.ts';

const ENTRY = 'test/proofs/schedules.ts';

test('a patch whose text is missing or ambiguous in its file is refused', async () => {
  const patch = { file: 'lib/leases/open.ts', find: 'no such text', replace: '' };
  await expect(brokenCopy(ENTRY, [patch])).rejects.toThrow('lib/leases/open.ts does not have this exactly once');
  await expect(brokenCopy(ENTRY, [{ ...patch, find: 'ports' }])).rejects.toThrow('exactly once');
});

test('a patch for a file that the proof does not use is refused', async () => {
  const patch = { file: 'lib/aws/outbox.ts', find: 'emit', replace: '' };
  await expect(brokenCopy(ENTRY, [patch])).rejects.toThrow(`${ENTRY} does not import lib/aws/outbox.ts`);
});
