import { dirname } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { brokenCopy, type Patch } from './controls.ts';
import { ALL_CASES, type Case, FAULT_KINDS, type FaultsResult, proveFaults } from './faults.ts';

vi.setConfig({ testTimeout: 120_000 });

const cases = (of: Case['of'], ...faults: string[]): Case[] =>
  ALL_CASES.filter((one) => one.of === of && faults.includes(one.fault.name));

// What hangs is waited for: here a few cases that test/functions/deadlines.test.ts does not have. `npm run prove` tries all.
const WAITING = [
  ...cases('call-array', 'array: hangs before its head'),
  ...cases('renew', 'dynamodb: hang'),
  ...cases('sweep-sessions', 'array: hangs before its head'),
];

describe('faults', () => {
  test('are of more than a dozen kinds', () => {
    expect(FAULT_KINDS).toBeGreaterThan(12);
    expect(WAITING).toHaveLength(3);
  });

  test('make no function answer late or forget a session', async () => {
    // Every second one, so that each kind and each function is among them; `npm run prove` tries all.
    const quick = ALL_CASES.filter(({ fault }) => !fault.hangs).filter((_, n) => n % 2 === 0);
    expect(new Set(quick.map(({ of }) => of)).size).toBe(new Set(ALL_CASES.map(({ of }) => of)).size);
    expect(new Set(quick.map(({ fault }) => fault.name)).size).toBeGreaterThan(12);
    const { cases: count, wrong } = await proveFaults([...quick, ...WAITING]);
    expect(wrong).toEqual([]);
    expect(count).toBe(quick.length + WAITING.length);
  });

  test('are found to forget a session if the status of a logout is ignored', async () => {
    const { wrong } = await withBrokenLogout(cases('logout', 'array: answers 503'), {
      file: 'lib/flashblade/client.ts',
      find: '(status === 200 && body.length === 0) || status === 401 || status === 403',
      replace: 'status > 0 || body',
    });
    expect(wrong).toEqual(['logout, array: answers 503: 1 unknown sessions']);
  });

  test('are found to make a function late if its deadline is ignored', async () => {
    const { wrong } = await withBrokenLogout(cases('logout', 'array: hangs before its head'), {
      file: 'lib/core/deadlines.ts',
      find: 'const record = deadline - MARGIN_MS;',
      replace: 'const record = deadline + 60_000;',
    });
    expect(wrong[0]).toContain('Sandbox.Timedout');
  });
});

async function withBrokenLogout(some: readonly Case[], patch: Patch): Promise<FaultsResult> {
  const broken = await brokenCopy('functions/logout.ts', [patch]);
  try {
    return await proveFaults(some, { logout: { directory: dirname(broken.path), name: 'entry' } });
  } finally {
    await broken.remove();
  }
}
