/** What the seal is not bound to: whoever changes it moves, ends or hides a session, but gets no token; and what notices it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkFleet } from '../../lib/fleet/check.ts';
import { endOwner } from '../../lib/leases/end-owner.ts';
import { sweep } from '../../lib/leases/sweep.ts';
import { type Arena, type Ledger, soon, startArena } from './arena.ts';
import { DEEDS, type DeedName, seen } from './deeds.ts';

let arena: Arena;
let ledger: Ledger;

beforeAll(async () => {
  arena = await startArena();
});

afterAll(() => arena.stop());

const FAR = 9_000_000_000;
const LONG_AGO = 1_000_000_000;
const live = (): number => arena.arrays.fb1.sessions().length;
const sweepNow = () => sweep(ledger.ports, soon(ledger.ports));
const overdue = (): number => Math.max(...ledger.reports.map(({ gauges }) => gauges?.OldestDueAge ?? 0));

/** Opens a lease and alters its item. */
async function opened(fields: object = {}, owner?: string): Promise<void> {
  ledger = arena.ledger();
  await ledger.open('fb1', 'own', owner === undefined ? {} : { owner });
  await ledger.change('own', fields);
  ledger.reports.length = 0;
}

const tried = (deed: DeedName) => seen(() => DEEDS[deed](ledger, 'own', async () => {}));

/** How many sessions the next check of the fleet finds that no lease accounts for. Five minutes go by first. */
async function unknownLater(): Promise<number> {
  ledger.pass(300);
  arena.passOnArrays(300);
  return (await checkFleet(ledger.ports, { arrays: ['fb1'] }, soon(ledger.ports))).unknownSessions;
}

describe.each<[string, object]>([
  ['attempt', { attemptId: 'theirs' }],
  ['version', { version: 'theirs' }],
  ['beginning', { createdAt: LONG_AGO + 800_000_000 }],
  ['owner', { owner: 'theirs' }],
  ['user name', { username: 'theirs' }],
  ['number of tries', { tries: 1000 }],
])('a lease with another %s', (_field, fields) => {
  test.each(['call-array', 'logout', 'session-events', 'sweep-sessions'] as const)(
    'is used and closed by %s as if nobody had changed it',
    async (deed) => {
      await opened(fields);
      const before = arena.heard('fb1');
      expect(await tried(deed)).not.toHaveProperty('code');
      expect(arena.heard('fb1')).toBe(before + 1);
      expect(live()).toBe(deed === 'call-array' ? 1 : 0);
    },
  );
});

describe('a lease whose owner was changed', () => {
  test('does not end with its owner: it is closed when it expires', async () => {
    await opened({ owner: 'theirs' }, 'job');
    expect(await endOwner(ledger.ports, 'job', soon(ledger.ports))).toEqual([]);
    expect(live()).toBe(1);
    ledger.pass();
    await sweepNow();
    expect(live()).toBe(0);
  });

  test('ends with the other owner, which is early and not late', async () => {
    await opened({ owner: 'theirs' }, 'job');
    await endOwner(ledger.ports, 'theirs', soon(ledger.ports));
    expect(live()).toBe(0);
  });
});

describe('a lease whose state was changed', () => {
  test.each(['CLOSING', 'STUCK'])('to %s is logged out by the next sweep: early and not late', async (state) => {
    await opened({ state, tries: 0 });
    expect((await tried('call-array')).code).toBe('LEASE_ENDED');
    expect(await sweepNow()).toMatchObject({ closed: 1 });
    expect(live()).toBe(0);
  });

  test('to an opening that died becomes a SUSPECT, which is told', async () => {
    await opened({ state: 'OPENING', attemptedAt: LONG_AGO, openingUntil: LONG_AGO, dueAt: LONG_AGO });
    await sweepNow();
    expect(ledger.told()).toContain('SuspectRecorded');
  });

  test('to an opening that goes on becomes a SUSPECT when its time is over, also if it was released', async () => {
    const openingUntil = Math.floor(Date.now() / 1000) + 60;
    await opened({ state: 'OPENING', attemptedAt: LONG_AGO, openingUntil, dueAt: openingUntil });
    expect((await tried('logout')).text).toContain('ENDING');
    ledger.pass(120);
    await sweepNow();
    expect(ledger.told()).toContain('SuspectRecorded');
  });

  test('to CLOSED, out of the index, is told as closed: the fleet check finds the session that no lease accounts for', async () => {
    await opened({ state: 'CLOSED', closedAt: LONG_AGO, dueAt: undefined });
    expect((await tried('logout')).text).toContain('ALREADY_CLOSED');
    expect(live()).toBe(1);
    expect(await unknownLater()).toBe(1);
    expect(ledger.told()).toContain('ArrayWarned');
  });

  test('to CLOSED, in the index, is overdue for ever: that is told', async () => {
    await opened({ state: 'CLOSED', closedAt: FAR });
    // It hides its session from the fleet check.
    expect(await unknownLater()).toBe(0);
    ledger.pass();
    await sweepNow();
    expect(overdue()).toBeGreaterThan(900);
  });
});

describe('a lease whose times were changed', () => {
  test('in its end is not closed when it was to end: that it is overdue is told', async () => {
    await opened({ expiresAt: FAR });
    ledger.pass();
    expect(await sweepNow()).toMatchObject({ closed: 0 });
    expect(overdue()).toBeGreaterThan(900);
    expect((await tried('logout')).text).toContain('"CLOSED"');
  });

  test('in when it is due is not swept, and nobody is told: but nobody can use it, so the array ends it as idle', async () => {
    await opened({ dueAt: FAR });
    ledger.pass();
    expect(await sweepNow()).toMatchObject({ closed: 0, live: 1, left: 0, oldestDueSeconds: 0 });
    expect(ledger.told()).toEqual(['SweepDone', 'ArrayCounted']);
    expect((await tried('call-array')).code).toBe('LEASE_ENDED');
    expect(live()).toBe(1);
    arena.passOnArrays(1801);
    expect(live()).toBe(0);
  });

  test('in both its end and when it is due lives for as long as it is used, and nobody is told', async () => {
    await opened({ expiresAt: FAR, dueAt: FAR });
    ledger.pass();
    await sweepNow();
    expect(ledger.told()).toEqual(['SweepDone', 'ArrayCounted']);
    expect(await tried('call-array')).not.toHaveProperty('code');
    expect((await tried('logout')).text).toContain('"CLOSED"');
  });

  test('out of the index of what is due is not swept: the fleet check finds its session', async () => {
    await opened({ dueAt: undefined });
    expect(await unknownLater()).toBe(1);
    // Whoever has the lease id can still close it.
    expect((await tried('logout')).text).toContain('"CLOSED"');
  });
});
