import { expect, test, vi } from 'vitest';
import { proveKills } from './kills.ts';

vi.setConfig({ testTimeout: 240_000 });

// That such a session would be found is shown by the control of test/functions/kills.test.ts, with the same oracle.
test('40 processes that are killed at random moments of their work leave no session that the ledger does not know', async () => {
  const { kills, wrong } = await proveKills({ seed: 1, kills: 40 });
  expect(wrong).toEqual([]);
  expect(kills).toBe(40);
});
