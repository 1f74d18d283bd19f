import { describe, expect, test, vi } from 'vitest';
import { brokenCopy, type Patch } from './controls.ts';
import { ALL_CASES, ATTACKED, type Case, FAULT_KINDS, proveFaults } from './faults.ts';

vi.setConfig({ testTimeout: 120_000 });

const cases = (name: Case['name'], ...faults: string[]): Case[] =>
  ALL_CASES.filter((one) => one.name === name && faults.includes(one.fault.name));

// Cases that hang take long. Here are a few that test/packaged/functions/deadlines.test.ts does not have; `npm run prove` tries all.
const WAITING = [
  ...cases('call-array, after a lost session', 'array: hangs before the headers'),
  ...cases('renew', 'dynamodb: hang'),
  ...cases('sweep-sessions', 'array: hangs before the headers'),
];

describe('faults', () => {
  test('the faults are of more than a dozen kinds', () => {
    expect(FAULT_KINDS).toBeGreaterThan(12);
    expect(WAITING).toHaveLength(3);
  });

  test('every function responds in time, forgets no session and leaks no token, whatever the fault', async () => {
    // Every third case still covers each kind and each function; `npm run prove` tries all.
    const quick = ALL_CASES.filter(({ fault }) => !fault.hangs).filter((_, n) => n % 3 === 0);
    expect(new Set(quick.map(({ name }) => name)).size).toBe(ATTACKED.length);
    expect(new Set(quick.map(({ fault }) => fault.name)).size).toBeGreaterThan(12);
    const { cases: count, wrong } = await proveFaults([...quick, ...WAITING]);
    expect(wrong).toEqual([]);
    expect(count).toBe(quick.length + WAITING.length);
  });

  test('the proof finds a forgotten session if the client ignores the status of a logout', async () => {
    const { wrong } = await withBrokenLogout(cases('logout', 'array: returns 503'), {
      file: 'lib/flashblade/client.ts',
      find: '(status === 200 && body.length === 0) || status === 401 || status === 403',
      replace: 'status > 0 || body',
    });
    expect(wrong).toEqual(['logout, array: returns 503: 1 unknown sessions']);
  });

  test('the proof finds a token that a function prints', async () => {
    const logOut = 'await logOut(ports, claimed, session, by.logout);';
    const { wrong } = await withBrokenLogout(cases('logout', 'array: returns 503'), {
      file: 'lib/leases/close.ts',
      find: logOut,
      replace: `console.log(session().authToken.reveal()); ${logOut}`,
    });
    expect(wrong).toEqual(['logout: a token appears in what logout wrote']);
  });

  test('the proof finds a late function if the function ignores its deadline', async () => {
    const { wrong } = await withBrokenLogout(cases('logout', 'array: hangs before the headers'), {
      file: 'lib/core/deadlines.ts',
      find: 'const record = deadline - MARGIN_MS;',
      replace: 'const record = deadline + 60_000;',
    });
    expect(wrong[0]).toContain('Sandbox.Timedout');
  });
});

async function withBrokenLogout(some: readonly Case[], patch: Patch) {
  await using broken = await brokenCopy('functions/logout.ts', [patch]);
  return await proveFaults(some, { logout: broken.path });
}
