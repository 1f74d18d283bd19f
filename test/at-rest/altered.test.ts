/** A lease whose item was altered where the seal is bound to it: its token does not come out, whoever asks, and somebody is told. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authToken } from '../../lib/core/model.ts';
import { request } from '../../lib/flashblade/client.ts';
import type { Open } from '../../lib/leases/items.ts';
import { tokensIn } from '../functions/secrecy.ts';
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
  'its array changed': target(() => ({ name: 'fb3' })),
  "its array another lease's": target((_, other) => ({ name: other.target.name })),
  'its host a trap': target(() => ({ host: 'localhost', port: arena.forged.port })),
  'its port that of a trap': target(() => ({ port: arena.forged.port })),
  "its port another lease's": target((_, other) => ({ port: other.target.port })),
  'its port removed': target(() => ({ port: undefined })),
  'its trust changed': target(() => ({ trust: { kind: 'public' } })),
  'its whole target a trap': () => ({ target: arena.forged }),
  "its whole target another lease's": (_, other) => ({ target: other.target }),
  'its seal removed': () => ({ sealed: undefined }),
  'a number for a seal': () => ({ sealed: 7 }),
  'its ciphertext changed': sealed(3, flipped),
  "its ciphertext another lease's": sealed(3, of),
  'its ciphertext removed': sealed(3, nothing),
  'its data key changed': sealed(1, flipped),
  "its data key another lease's": sealed(1, of),
  'its data key removed': sealed(1, nothing),
  'its nonce changed': sealed(2, flipped),
  "its nonce another lease's": sealed(2, of),
  "its whole seal another lease's": (_, other) => ({ sealed: other.sealed }),
  "everything another lease's": (_, other) => other,
  "everything but its lease id another lease's": ({ leaseId }, other) => ({ ...other, leaseId }),
};

type Seen = { readonly code?: string; readonly told: readonly string[] };
/** Besides, a function reports InvocationFailed with the code of what it throws. */
const EXPECTED: Readonly<Partial<Record<DeedName, Seen>>> = {
  logout: { code: 'LEASE_ALTERED', told: ['LeaseAltered', 'LeaseStuck', 'LogoutFailed'] },
  'call-array': { code: 'LEASE_ALTERED', told: ['LeaseAltered'] },
  renew: { code: 'LEASE_ALTERED', told: ['LeaseAltered'] },
  'sweep-sessions': { told: ['LeaseAltered', 'LeaseStuck', 'LogoutFailed', 'SweepFailed'] },
  'session-events': { told: ['LeaseAltered', 'LeaseStuck', 'LogoutFailed', 'MessageFailed'] },
  'check-fleet': { told: ['ArrayUnhealthy', 'LeaseAltered', 'LeaseStuck', 'LogoutFailed'] },
};
/** What happens all the time, or is about the certificates of these tests. */
const USUAL = ['LoginSucceeded', 'SweepDone', 'ArrayCounted', 'ArrayWarned', 'FleetChecked'];

/** Does a deed on an altered lease; answers what a caller and an operator see. Fails if a token went astray. */
async function altered(deed: DeedName, alteration: Alteration): Promise<Seen> {
  const ledger = arena.ledger();
  await ledger.open('fb1', 'own');
  const before = arena.heard('fb1');
  const { code, text } = await seen(() =>
    DEEDS[deed](ledger, 'own', (leaseId) => ledger.change(leaseId, alteration(ledger.lease(leaseId) as Open, other))),
  );
  expect(tokensIn(text + JSON.stringify(ledger.reports), arena.tokens())).toEqual([]);
  expect(arena.heard('fb2'), 'tokens that the other array heard').toBe(0);
  // The check's own login, before the alteration.
  expect(arena.heard('fb1') - before, 'tokens that its own array heard').toBe(deed === 'check-fleet' ? 1 : 0);
  const told = ledger.told().filter((event) => !USUAL.includes(event));
  return { ...(code === undefined ? {} : { code }), told: told.sort() };
}

async function expectNoTokenInTrap(): Promise<void> {
  const { text } = await arena.trapped();
  expect(text).not.toMatch(/^(api-token|x-auth-token):/im);
  expect(tokensIn(text, arena.tokens())).toEqual([]);
}

describe.each(Object.entries(ALTERATIONS))('a lease with %s', (_what, alteration) => {
  test('does not unseal, and whoever uses or closes it tells so', async () => {
    for (const [deed, expected] of Object.entries(EXPECTED)) {
      expect(await altered(deed as DeedName, alteration), deed).toEqual(expected);
    }
    expect(await arena.trapped()).toEqual({ connections: 0, text: '' });
  });
});

/** Items that no version of this product writes: an error without a token, and every minute an alarm until somebody looks. */
const DAMAGES: Readonly<Record<string, Alteration>> = {
  'its target removed': () => ({ target: undefined }),
  'its host removed': target(() => ({ host: undefined })),
  'its trust removed': target(() => ({ trust: undefined })),
};

describe.each(Object.entries(DAMAGES))('a lease with %s', (_what, alteration) => {
  test('cannot be used, and every sweep tells that it cannot be closed', async () => {
    for (const deed of ['logout', 'call-array', 'renew'] as const) {
      expect(await altered(deed, alteration), deed).toMatchObject({ code: 'INTERNAL' });
    }
    expect((await altered('sweep-sessions', alteration)).told).toContain('SweepFailed');
    expect((await altered('session-events', alteration)).told).toContain('MessageFailed');
    expect((await altered('check-fleet', alteration)).told).toContain('ArrayUnhealthy');
  });
});

test('a lease that nobody altered is used and closed, and its array hears its token', async () => {
  const ledger = arena.ledger();
  await ledger.open('fb1', 'own');
  const before = arena.heard('fb1');
  const nothing = async () => {};
  expect(await seen(() => DEEDS['call-array'](ledger, 'own', nothing))).not.toHaveProperty('code');
  expect(arena.heard('fb1')).toBe(before + 1);
  const { text } = await seen(() => DEEDS.logout(ledger, 'own', nothing));
  expect(text).toContain('"CLOSED"');
  expect(ledger.told()).toEqual(['LoginSucceeded', 'LogoutSucceeded']);
});

test('a token that went astray would be found', async () => {
  const [token = ''] = arena.arrays.fb1.history.map(({ authToken: text }) => text);
  const session = { array: arena.forged, authToken: authToken(token), username: 'pureuser' };
  await request(session, { method: 'GET', path: '/api/2.26/arrays' });
  await expect(expectNoTokenInTrap()).rejects.toThrow('x-auth-token');
});
