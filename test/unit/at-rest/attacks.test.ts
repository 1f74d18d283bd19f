/** An attacker restores, plants or deletes whole ledger items. No token leaks, and each test shows what detects the attack. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkFleet } from '../../../lib/fleet/check.ts';
import { ownerEnd } from '../../../lib/leases/end-owner.ts';
import { leaseKey, type Open } from '../../../lib/leases/items.ts';
import { refusalOf } from '../../../lib/leases/ledger.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
import { type Arena, type Ledger, soon, startArena } from './arena.ts';
import { DEEDS, type DeedName, seen } from './deeds.ts';

let arena: Arena;
let ledger: Ledger;

beforeAll(async () => {
  arena = await startArena();
});

beforeEach(() => {
  ledger = arena.ledger({ sessionsPerArray: 3 });
});

afterAll(() => arena.stop());

const FAR = 9_000_000_000;
const live = (): number => arena.arrays.fb1.sessions().length;
const tried = (deed: DeedName, leaseId: string) => seen(() => DEEDS[deed](ledger, leaseId, async () => {}));
const opened = async (leaseId: string): Promise<Open> => {
  await ledger.open('fb1', leaseId);
  return ledger.lease(leaseId) as Open;
};

/** Runs a fleet check five minutes later. */
async function check() {
  ledger.pass(300);
  arena.passOnArrays(300);
  return checkFleet(ledger.ports, { arrays: ['fb1'] }, soon(ledger.ports));
}

describe('an item that is restored to an earlier state', () => {
  test('the token of an ended session is refused by the array, and its lease is closed again', async () => {
    const before = await opened('own');
    await tried('logout', 'own');
    await ledger.put(before);
    expect((await tried('logout', 'own')).text).toContain('"CLOSED"');
    expect(ledger.lease('own').state).toBe('CLOSED');
    expect(live()).toBe(0);
  });

  test('the restored lease can be used until it expires, and its new session is closed like any other', async () => {
    const before = await opened('own');
    await tried('logout', 'own');
    await ledger.put(before);
    expect(await tried('call-array', 'own')).not.toHaveProperty('code');
    expect(live()).toBe(1);
    ledger.pass();
    expect(await sweep(ledger.ports, soon(ledger.ports))).toMatchObject({ closed: 1 });
    expect(live()).toBe(0);
  });

  test('the fleet check finds the newer session that the ledger has lost', async () => {
    const before = await opened('own');
    arena.arrays.fb1.endSession(arena.arrays.fb1.sessions()[0]?.authToken ?? '');
    expect(await tried('call-array', 'own')).not.toHaveProperty('code');
    await ledger.put(before);
    // Once more: the array refuses the old token, and a third session is opened.
    expect(await tried('call-array', 'own')).not.toHaveProperty('code');
    expect(live()).toBe(2);
    expect(await check()).toMatchObject({ unknownSessions: 1 });
  });
});

describe('an item that is deleted', () => {
  test('the fleet check finds the session of a deleted lease, and the array ends it as idle', async () => {
    const { id } = await opened('own');
    await ledger.remove(id);
    expect((await tried('call-array', 'own')).code).toBe('LEASE_UNKNOWN');
    expect(await check()).toMatchObject({ unknownSessions: 1 });
    arena.passOnArrays(1801);
    expect(live()).toBe(0);
  });

  test('a lease that is replaced by a planted one hides its session, which is not detected', async () => {
    const own = await opened('own');
    const planted = { ...own, id: leaseKey('planted'), leaseId: 'planted' };
    await ledger.remove(own.id);
    await ledger.put(planted);
    expect(await check()).toMatchObject({ unknownSessions: 0 });
  });

  test('deleting the mark of a refused API token allows a new login at the array', async () => {
    await ledger.put(refusalOf('fb1', 'v1', Math.floor(Date.now() / 1000)));
    await ledger.remove('refusal#fb1#v1');
    expect(await tried('login', 'own')).not.toHaveProperty('code');
  });
});

describe('a planted lease', () => {
  const now = Math.floor(Date.now() / 1000);
  const planted = (fields: object) => ({
    kind: 'lease',
    id: leaseKey('planted'),
    version: 'theirs',
    attemptId: 'theirs',
    leaseId: 'planted',
    state: 'OPEN',
    target: arena.forged,
    username: 'pureuser',
    createdAt: now,
    expiresAt: now + 600,
    dueAt: now,
    ...fields,
  });

  test.each<[string, object]>([
    ['without a seal', {}],
    ['with a malformed seal', { sealed: '1.AAAA.AAAAAAAAAAAAAAAA.AAAA' }],
    ['with a forged seal', { sealed: `1.AAAA.AAAAAAAAAAAAAAAA.${'A'.repeat(80)}` }],
  ])('a planted lease %s sends no token to its target', async (_what, fields) => {
    for (const deed of ['call-array', 'renew', 'logout', 'session-events', 'sweep-sessions'] as const) {
      ledger = arena.ledger();
      await ledger.put(planted(fields));
      await tried(deed, 'planted');
    }
    expect(ledger.reported()).toContain('SweepFailed');
    const { text } = await arena.trapped();
    expect(text).toBe('');
  });

  test('a login for a planted lease in OPENING goes to the host in the secret, not to the host in the lease', async () => {
    await ledger.put(planted({ state: 'OPENING', attemptedAt: 1, openingUntil: 1 }));
    expect(await tried('login', 'planted')).not.toHaveProperty('code');
    expect(ledger.reported()).toContain('SuspectRecorded');
    expect(ledger.lease('planted').target).toEqual(arena.targetOf('fb1'));
    expect((await arena.trapped()).text).toBe('');
  });

  test('a planted lease in CLOSED makes a login fail, and only the caller learns of it', async () => {
    await ledger.put(planted({ state: 'CLOSED', closedAt: 1, purgeAt: FAR, target: undefined }));
    expect((await tried('login', 'planted')).code).toBe('LEASE_ENDED');
    expect(ledger.reported()).toEqual([]);
  });
});

describe('an attacker who blocks logins', () => {
  test('the next fleet check detects an array whose slots are all taken by planted entries', async () => {
    for (const name of ['a', 'b', 'c']) {
      await ledger.store.keepSlot('fb1', { attemptId: name, leaseId: name, until: FAR }, 0);
    }
    expect((await tried('login', 'own')).code).toBe('LEASE_LIMIT');
    const { unhealthy } = await check();
    expect(unhealthy).toMatchObject([{ array: 'fb1', code: 'LEASE_LIMIT' }]);
    expect(ledger.reported()).toContain('ArrayUnhealthy');
    // A sweep frees only expired slots.
    ledger.pass();
    await sweep(ledger.ports, soon(ledger.ports));
    expect((await tried('login', 'own')).code).toBe('LEASE_LIMIT');
  });

  test('the next sweep frees planted slots that have expired', async () => {
    for (const name of ['a', 'b', 'c']) {
      await ledger.store.keepSlot('fb1', { attemptId: name, leaseId: name, until: 1 }, 0);
    }
    await sweep(ledger.ports, soon(ledger.ports));
    expect(await tried('login', 'own')).not.toHaveProperty('code');
  });

  test('the next fleet check detects a planted mark of a refused API token', async () => {
    await ledger.put(refusalOf('fb1', 'v1', FAR));
    expect((await tried('login', 'own')).code).toBe('LOGIN_REFUSED');
    expect((await check()).unhealthy).toMatchObject([{ array: 'fb1', code: 'LOGIN_REFUSED' }]);
  });

  test('a planted end of an active owner makes a login fail, and only the caller learns of it', async () => {
    await ledger.put(ownerEnd('job', 1));
    const { code } = await seen(() => ledger.open('fb1', 'own', { owner: 'job' }));
    expect(code).toBe('LEASE_ENDED');
    expect(live()).toBe(0);
  });

  test('deleting slots allows more sessions than the limit of the array', async () => {
    for (const name of ['a', 'b', 'c']) {
      await opened(name);
      ledger.store.slotsOf('fb1').clear();
    }
    expect(await tried('login', 'fourth')).not.toHaveProperty('code');
    expect(live()).toBe(4);
  });
});
