/**
 * Fields that the seal is not bound to. An attacker who changes them can end, keep or hide a session, but gets no token. Each test shows
 * what detects the change.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkFleet } from '../../../lib/fleet/check.ts';
import { endOwner } from '../../../lib/leases/end-owner.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
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

/** How many sessions without a lease the next fleet check finds, five minutes later. */
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
    '%s uses or closes the lease as if it were unchanged',
    async (deed) => {
      await opened(fields);
      const before = arena.tokenRequests('fb1');
      expect(await tried(deed)).not.toHaveProperty('code');
      expect(arena.tokenRequests('fb1')).toBe(before + 1);
      expect(live()).toBe(deed === 'call-array' ? 1 : 0);
    },
  );
});

describe('a lease with a changed owner', () => {
  test('the lease does not end with its real owner and is closed when it expires', async () => {
    await opened({ owner: 'theirs' }, 'job');
    expect(await endOwner(ledger.ports, 'job', soon(ledger.ports))).toEqual([]);
    expect(live()).toBe(1);
    ledger.pass();
    await sweepNow();
    expect(live()).toBe(0);
  });

  test('the lease ends early, together with the other owner', async () => {
    await opened({ owner: 'theirs' }, 'job');
    await endOwner(ledger.ports, 'theirs', soon(ledger.ports));
    expect(live()).toBe(0);
  });
});

describe('a lease with a changed state', () => {
  test.each(['CLOSING', 'STUCK'])('a lease changed to %s is logged out early, by the next sweep', async (state) => {
    await opened({ state, tries: 0 });
    expect((await tried('call-array')).code).toBe('LEASE_ENDED');
    expect(await sweepNow()).toMatchObject({ closed: 1 });
    expect(live()).toBe(0);
  });

  test('a lease changed to an expired OPENING becomes a SUSPECT, which is reported', async () => {
    await opened({ state: 'OPENING', attemptedAt: LONG_AGO, openingUntil: LONG_AGO, dueAt: LONG_AGO });
    await sweepNow();
    expect(ledger.reported()).toContain('SuspectRecorded');
  });

  test('a lease changed to a current OPENING becomes a SUSPECT when that expires, even after a release', async () => {
    const openingUntil = Math.floor(Date.now() / 1000) + 60;
    await opened({ state: 'OPENING', attemptedAt: LONG_AGO, openingUntil, dueAt: openingUntil });
    expect((await tried('logout')).text).toContain('ENDING');
    ledger.pass(120);
    await sweepNow();
    expect(ledger.reported()).toContain('SuspectRecorded');
  });

  test('a lease changed to CLOSED and removed from the index is reported as closed, and the fleet check finds its session', async () => {
    await opened({ state: 'CLOSED', closedAt: LONG_AGO, dueAt: undefined });
    expect((await tried('logout')).text).toContain('ALREADY_CLOSED');
    expect(live()).toBe(1);
    expect(await unknownLater()).toBe(1);
    expect(ledger.reported()).toContain('ArrayWarned');
  });

  test('a lease changed to CLOSED that stays in the index is reported as overdue', async () => {
    await opened({ state: 'CLOSED', closedAt: FAR });
    // It hides its session from the fleet check.
    expect(await unknownLater()).toBe(0);
    ledger.pass();
    await sweepNow();
    expect(overdue()).toBeGreaterThan(900);
  });
});

describe('a lease with changed times', () => {
  test('a lease with a later expiresAt is not closed on time and is reported as overdue', async () => {
    await opened({ expiresAt: FAR });
    ledger.pass();
    expect(await sweepNow()).toMatchObject({ closed: 0 });
    expect(overdue()).toBeGreaterThan(900);
    expect((await tried('logout')).text).toContain('"CLOSED"');
  });

  test('a lease with a later dueAt is neither swept nor reported, but it is unusable, so the array ends its session as idle', async () => {
    await opened({ dueAt: FAR });
    ledger.pass();
    expect(await sweepNow()).toMatchObject({ closed: 0, live: 1, left: 0, oldestDueSeconds: 0 });
    expect(ledger.reported()).toEqual(['SweepDone', 'ArrayCounted']);
    expect((await tried('call-array')).code).toBe('LEASE_ENDED');
    expect(live()).toBe(1);
    arena.passOnArrays(1801);
    expect(live()).toBe(0);
  });

  test('a lease with a later expiresAt and dueAt stays usable and is not reported', async () => {
    await opened({ expiresAt: FAR, dueAt: FAR });
    ledger.pass();
    await sweepNow();
    expect(ledger.reported()).toEqual(['SweepDone', 'ArrayCounted']);
    expect(await tried('call-array')).not.toHaveProperty('code');
    expect((await tried('logout')).text).toContain('"CLOSED"');
  });

  test('a lease without dueAt is not swept, and the fleet check finds its session', async () => {
    await opened({ dueAt: undefined });
    expect(await unknownLater()).toBe(1);
    // A caller with the lease id can still close it.
    expect((await tried('logout')).text).toContain('"CLOSED"');
  });
});
