/** A writer to the ledger who puts back, plants, or takes away whole items: nothing gets a token, and what notices it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkFleet } from '../../lib/fleet/check.ts';
import { ownerEnd } from '../../lib/leases/end-owner.ts';
import { leaseKey, type Open } from '../../lib/leases/items.ts';
import { refusalOf } from '../../lib/leases/ledger.ts';
import { sweep } from '../../lib/leases/sweep.ts';
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

/** Minutes later. */
async function check() {
  ledger.pass(300);
  arena.passOnArrays(300);
  return checkFleet(ledger.ports, { arrays: ['fb1'] }, soon(ledger.ports));
}

describe('an item that was put back to what it was', () => {
  test('replays a session that has ended: the array refuses it, and it is closed again', async () => {
    const before = await opened('own');
    await tried('logout', 'own');
    await ledger.put(before);
    expect((await tried('logout', 'own')).text).toContain('"CLOSED"');
    expect(ledger.lease('own').state).toBe('CLOSED');
    expect(live()).toBe(0);
  });

  test('revives its lease until that expires: a new session, known and closed like any other', async () => {
    const before = await opened('own');
    await tried('logout', 'own');
    await ledger.put(before);
    expect(await tried('call-array', 'own')).not.toHaveProperty('code');
    expect(live()).toBe(1);
    ledger.pass();
    expect(await sweep(ledger.ports, soon(ledger.ports))).toMatchObject({ closed: 1 });
    expect(live()).toBe(0);
  });

  test('makes the ledger forget the session that took its place: the fleet check finds it', async () => {
    const before = await opened('own');
    arena.arrays.fb1.endSession(arena.arrays.fb1.sessions()[0]?.authToken ?? '');
    expect(await tried('call-array', 'own')).not.toHaveProperty('code');
    await ledger.put(before);
    // The same again: an old token, refused, and a third session.
    expect(await tried('call-array', 'own')).not.toHaveProperty('code');
    expect(live()).toBe(2);
    expect(await check()).toMatchObject({ unknownSessions: 1 });
  });
});

describe('an item that was taken away', () => {
  test('takes its session out of the ledger: the fleet check finds it, and the array ends it as idle', async () => {
    const { id } = await opened('own');
    await ledger.remove(id);
    expect((await tried('call-array', 'own')).code).toBe('LEASE_UNKNOWN');
    expect(await check()).toMatchObject({ unknownSessions: 1 });
    arena.passOnArrays(1801);
    expect(live()).toBe(0);
  });

  test('and in whose place other leases were planted hides its session: nobody is told', async () => {
    const own = await opened('own');
    const planted = { ...own, id: leaseKey('planted'), leaseId: 'planted' };
    await ledger.remove(own.id);
    await ledger.put(planted);
    expect(await check()).toMatchObject({ unknownSessions: 0 });
  });

  test('that marked a refused API token lets the array be asked once more, which marks it again', async () => {
    await ledger.put(refusalOf('fb1', 'v1', Math.floor(Date.now() / 1000)));
    await ledger.remove('refusal#fb1#v1');
    expect(await tried('login', 'own')).not.toHaveProperty('code');
  });
});

describe('a lease that was planted', () => {
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
    ['with a seal that is none', { sealed: '1.AAAA.AAAAAAAAAAAAAAAA.AAAA' }],
    ['with a seal of its own', { sealed: `1.AAAA.AAAAAAAAAAAAAAAA.${'A'.repeat(80)}` }],
  ])('%s sends no token to where it aims', async (_what, fields) => {
    for (const deed of ['call-array', 'renew', 'logout', 'session-events', 'sweep-sessions'] as const) {
      ledger = arena.ledger();
      await ledger.put(planted(fields));
      await tried(deed, 'planted');
    }
    expect(ledger.told()).toContain('SweepFailed');
    const { text } = await arena.trapped();
    expect(text).toBe('');
  });

  test('in OPENING at a host of its own makes nobody log in there: a login goes where the secret says', async () => {
    await ledger.put(planted({ state: 'OPENING', attemptedAt: 1, openingUntil: 1 }));
    expect(await tried('login', 'planted')).not.toHaveProperty('code');
    expect(ledger.told()).toContain('SuspectRecorded');
    expect(ledger.lease('planted').target).toEqual(arena.targetOf('fb1'));
    expect((await arena.trapped()).text).toBe('');
  });

  test('as CLOSED keeps a request from opening: its caller is told, nobody else', async () => {
    await ledger.put(planted({ state: 'CLOSED', closedAt: 1, purgeAt: FAR, target: undefined }));
    expect((await tried('login', 'planted')).code).toBe('LEASE_ENDED');
    expect(ledger.told()).toEqual([]);
  });
});

describe('a writer who keeps others from working', () => {
  test('by slots that nobody holds is found out by the next fleet check', async () => {
    for (const name of ['a', 'b', 'c']) {
      await ledger.store.keepSlot('fb1', { attemptId: name, leaseId: name, until: FAR }, 0);
    }
    expect((await tried('login', 'own')).code).toBe('LEASE_LIMIT');
    const { unhealthy } = await check();
    expect(unhealthy).toMatchObject([{ array: 'fb1', code: 'LEASE_LIMIT' }]);
    expect(ledger.told()).toContain('ArrayUnhealthy');
    // A sweep frees only slots whose time is over.
    ledger.pass();
    await sweep(ledger.ports, soon(ledger.ports));
    expect((await tried('login', 'own')).code).toBe('LEASE_LIMIT');
  });

  test('by slots whose time is over gains nothing: the next sweep frees them', async () => {
    for (const name of ['a', 'b', 'c']) {
      await ledger.store.keepSlot('fb1', { attemptId: name, leaseId: name, until: 1 }, 0);
    }
    await sweep(ledger.ports, soon(ledger.ports));
    expect(await tried('login', 'own')).not.toHaveProperty('code');
  });

  test('by a mark that the API token was refused is found out by the next fleet check', async () => {
    await ledger.put(refusalOf('fb1', 'v1', FAR));
    expect((await tried('login', 'own')).code).toBe('LOGIN_REFUSED');
    expect((await check()).unhealthy).toMatchObject([{ array: 'fb1', code: 'LOGIN_REFUSED' }]);
  });

  test('by the end of an owner that goes on: its caller is told, nobody else', async () => {
    await ledger.put(ownerEnd('job', 1));
    const { code } = await seen(() => ledger.open('fb1', 'own', { owner: 'job' }));
    expect(code).toBe('LEASE_ENDED');
    expect(live()).toBe(0);
  });

  test('by slots that were taken away lets more sessions be opened than the array may have', async () => {
    for (const name of ['a', 'b', 'c']) {
      await opened(name);
      ledger.store.arrays.get('fb1')?.clear();
    }
    expect(await tried('login', 'fourth')).not.toHaveProperty('code');
    expect(live()).toBe(4);
  });
});
