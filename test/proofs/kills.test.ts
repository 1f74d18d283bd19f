import { expect, test, vi } from 'vitest';
import { proveKills } from './kills.ts';

vi.setConfig({ testTimeout: 240_000 });

// The negative control in test/packaged/functions/kills.test.ts shows that the same oracle finds such a session.
test('40 processes that are killed at random moments leave no session that is missing from the ledger', async () => {
  const { kills, wrong } = await proveKills({ seed: 1, kills: 40 });
  expect(wrong).toEqual([]);
  expect(kills).toBe(40);
});
