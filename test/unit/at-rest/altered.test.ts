/** A lease item is altered in a field that its seal is bound to. No caller gets its token, and the alteration is reported. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authToken } from '../../../lib/core/model.ts';
import { request } from '../../../lib/flashblade/client.ts';
import type { Open } from '../../../lib/leases/items.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { type Arena, startArena } from './arena.ts';
import { DEEDS, type DeedName, seen } from './deeds.ts';

let arena: Arena;
/** An open lease on the other array, sealed by the same key. */
let other: Open;

beforeAll(async () => {
  arena = await startArena();
  const ledger = arena.ledger();
  await ledger.open('fb2', 'other');
  other = ledger.lease('other') as Open;
});

afterAll(() => arena.stop());

/** The fields that replace those of an open lease; `other` is an open lease on the other array. */
type Alteration = (own: Open, other: Open) => object;

const target = (change: (own: Open, other: Open) => object): Alteration => {
  return (own, other) => ({ target: { ...own.target, ...change(own, other) } });
};
/** The sealed text is `1.<data key>.<nonce>.<ciphertext and tag>`. */
const sealed = (part: 1 | 2 | 3, change: (part: string, others: string) => string): Alteration => {
  return (own, other) => {
    const others = other.sealed.split('.');
    const parts = own.sealed.split('.').map((text, n) => (n === part ? change(text, others[n] ?? '') : text));
    return { sealed: parts.join('.') };
  };
};
const flipped = (text: string): string => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
const of = (_own: string, others: string): string => others;
const nothing = (): string => '';

const ALTERATIONS: Readonly<Record<string, Alteration>> = {
  'a changed array': target(() => ({ name: 'fb3' })),
  "another lease's array": target((_, other) => ({ name: other.target.name })),
  'the host and port of a trap': target(() => ({ host: 'localhost', port: arena.forged.port })),
  'the port of a trap': target(() => ({ port: arena.forged.port })),
  "another lease's port": target((_, other) => ({ port: other.target.port })),
  'no port': target(() => ({ port: undefined })),
  'a changed trust': target(() => ({ trust: { kind: 'public' } })),
  'a trap as its target': () => ({ target: arena.forged }),
  "another lease's target": (_, other) => ({ target: other.target }),
  'no seal': () => ({ sealed: undefined }),
  'a number as its seal': () => ({ sealed: 7 }),
  'a changed ciphertext': sealed(3, flipped),
  "another lease's ciphertext": sealed(3, of),
  'no ciphertext': sealed(3, nothing),
  'a changed data key': sealed(1, flipped),
  "another lease's data key": sealed(1, of),
  'no data key': sealed(1, nothing),
  'a changed nonce': sealed(2, flipped),
  "another lease's nonce": sealed(2, of),
  "another lease's seal": (_, other) => ({ sealed: other.sealed }),
  'all fields of another lease': (_, other) => other,
  'all fields of another lease except the lease id': ({ leaseId }, other) => ({ ...other, leaseId }),
};

type Seen = { readonly code?: string; readonly reported: readonly string[] };
/** A function also reports InvocationFailed with the code of its error. */
const EXPECTED: Readonly<Partial<Record<DeedName, Seen>>> = {
  logout: { code: 'LEASE_ALTERED', reported: ['LeaseAltered', 'LeaseStuck', 'LogoutFailed'] },
  'call-array': { code: 'LEASE_ALTERED', reported: ['LeaseAltered'] },
  renew: { code: 'LEASE_ALTERED', reported: ['LeaseAltered'] },
  'sweep-sessions': { reported: ['LeaseAltered', 'LeaseStuck', 'LogoutFailed', 'SweepFailed'] },
  'session-events': { reported: ['LeaseAltered', 'LeaseStuck', 'LogoutFailed', 'MessageFailed'] },
  'check-fleet': { reported: ['ArrayUnhealthy', 'LeaseAltered', 'LeaseStuck', 'LogoutFailed'] },
};
/** Reports that are routine, or concern the certificates of these tests. */
const USUAL = ['LoginSucceeded', 'SweepDone', 'ArrayCounted', 'ArrayWarned', 'FleetChecked'];

/** Does a deed on an altered lease. Returns what a caller and an operator see. Fails if a token leaked. */
async function altered(deed: DeedName, alteration: Alteration): Promise<Seen> {
  const ledger = arena.ledger();
  await ledger.open('fb1', 'own');
  const before = arena.tokenRequests('fb1');
  const { code, text } = await seen(() =>
    DEEDS[deed](ledger, 'own', (leaseId) => ledger.change(leaseId, alteration(ledger.lease(leaseId) as Open, other))),
  );
  expect(tokensIn(text + JSON.stringify(ledger.reports), arena.tokens())).toEqual([]);
  expect(arena.tokenRequests('fb2'), 'tokens that the other array received').toBe(0);
  // The check's own login, before the alteration.
  expect(arena.tokenRequests('fb1') - before, 'tokens that its own array received').toBe(
    deed === 'check-fleet' ? 1 : 0,
  );
  const reported = ledger.reported().filter((event) => !USUAL.includes(event));
  return { ...(code === undefined ? {} : { code }), reported: reported.sort() };
}

async function expectNoTokenInTrap(): Promise<void> {
  const { text } = await arena.trapped();
  expect(text).not.toMatch(/^(api-token|x-auth-token):/im);
  expect(tokensIn(text, arena.tokens())).toEqual([]);
}

describe.each(Object.entries(ALTERATIONS))('a lease with %s', (_what, alteration) => {
  test('the lease does not unseal, and every function that uses or closes it reports the alteration', async () => {
    for (const [deed, expected] of Object.entries(EXPECTED)) {
      expect(await altered(deed as DeedName, alteration), deed).toEqual(expected);
    }
    expect(await arena.trapped()).toEqual({ connections: 0, text: '' });
  });
});

/** Items that no version of this product writes: they cause an error without a token, and an alarm every minute until an operator acts. */
const DAMAGES: Readonly<Record<string, Alteration>> = {
  'no target': () => ({ target: undefined }),
  'no host': target(() => ({ host: undefined })),
  'no trust': target(() => ({ trust: undefined })),
};

describe.each(Object.entries(DAMAGES))('a lease with %s', (_what, alteration) => {
  test('the lease cannot be used, and every sweep reports that it cannot be closed', async () => {
    for (const deed of ['logout', 'call-array', 'renew'] as const) {
      expect(await altered(deed, alteration), deed).toMatchObject({ code: 'INTERNAL' });
    }
    expect((await altered('sweep-sessions', alteration)).reported).toContain('SweepFailed');
    expect((await altered('session-events', alteration)).reported).toContain('MessageFailed');
    expect((await altered('check-fleet', alteration)).reported).toContain('ArrayUnhealthy');
  });
});

test('an unaltered lease can be used and closed, and its array receives its token', async () => {
  const ledger = arena.ledger();
  await ledger.open('fb1', 'own');
  const before = arena.tokenRequests('fb1');
  const nothing = async () => {};
  expect(await seen(() => DEEDS['call-array'](ledger, 'own', nothing))).not.toHaveProperty('code');
  expect(arena.tokenRequests('fb1')).toBe(before + 1);
  const { text } = await seen(() => DEEDS.logout(ledger, 'own', nothing));
  expect(text).toContain('"CLOSED"');
  expect(ledger.reported()).toEqual(['LoginSucceeded', 'LogoutSucceeded']);
});

test('a token that reached the trap would be found', async () => {
  const [token = ''] = arena.arrays.fb1.history.map(({ authToken: text }) => text);
  const session = { array: arena.forged, authToken: authToken(token), username: 'pureuser' };
  await request(session, { method: 'GET', path: '/api/2.26/arrays' });
  await expect(expectNoTokenInTrap()).rejects.toThrow('x-auth-token');
});
