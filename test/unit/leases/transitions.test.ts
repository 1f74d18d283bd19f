/** Each transition of the state diagram in states.ts with its complete items, and each refusal with its exact message. */
import { describe, expect, it } from 'vitest';
import type { FlashBlade } from '../../../lib/core/model.ts';
import { ownerEnd, settleOwner } from '../../../lib/leases/end-owner.ts';
import type { Closed, Closing, LeaseItem, Open, Opening } from '../../../lib/leases/items.ts';
import { refusalOf } from '../../../lib/leases/ledger.ts';
import {
  claim,
  close,
  giveUp,
  intend,
  postpone,
  record,
  release,
  renew,
  reopen,
  suspect,
  whyNotRecorded,
} from '../../../lib/leases/states.ts';

const NOW = 1_800_000_000;
const MONTH = 30 * 86_400;
const DAY = 86_400;
const target: FlashBlade = { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } };

const common = { kind: 'lease', id: 'lease#job', leaseId: 'job', target, createdAt: NOW } as const;
const base = { ...common, attemptId: 'a1', owner: 'me', expiresAt: NOW + 900 } as const;
const opening: Opening = {
  ...base,
  state: 'OPENING',
  attemptedAt: NOW,
  openingUntil: NOW + 36,
  dueAt: NOW + 36,
};
const session = { username: 'pureuser', sealed: '1.a.b.c' };
const again = { attemptId: 'a0', ...session };
const live = { ...base, ...session } as const;
const open: Open = { ...live, state: 'OPEN', dueAt: NOW + 900 };
const closing: Closing = { ...live, state: 'CLOSING', tries: 0, dueAt: NOW + 60 };
const stuck: Closing = { ...closing, state: 'STUCK', tries: 6 };
const closed: Closed = { ...base, state: 'CLOSED', closedAt: NOW + 5, purgeAt: NOW + 5 + MONTH };
const { owner: _owner, ...unowned } = open;
const tombstone: Closed = {
  ...{ kind: 'lease', id: 'lease#job', leaseId: 'job', state: 'CLOSED' },
  ...{ createdAt: NOW, closedAt: NOW, purgeAt: NOW + MONTH },
};

const intent = { leaseId: 'job', attemptId: 'a1', owner: 'me', target, leaseSeconds: 900, openingUntil: NOW + 36 };
const refusal = (code: string, rule: string) => expect.objectContaining({ code, message: `lease job ${rule}` });

describe('an intent', () => {
  it('is written for a new lease', () => {
    expect(intend(undefined, intent, NOW)).toStrictEqual({ write: opening });
  });

  it('takes over from a dead opening and uses a lease that is already open', () => {
    expect(intend(opening, { ...intent, attemptId: 'a2', openingUntil: NOW + 80 }, NOW + 37)).toStrictEqual({
      write: {
        ...{ ...opening, attemptId: 'a2', createdAt: NOW + 37, attemptedAt: NOW + 37 },
        ...{ openingUntil: NOW + 80, expiresAt: NOW + 937, dueAt: NOW + 80 },
      },
    });
    expect(intend(open, intent, NOW + 899)).toStrictEqual({ serve: open });
  });

  it.each<[string, LeaseItem, number, string, string]>([
    [
      'the lease belongs to another array',
      { ...open, target: { ...target, name: 'fb2' } },
      0,
      'LEASE_CONFLICT',
      'belongs to a different array',
    ],
    ['the lease was released', { ...opening, endRequested: true }, 0, 'LEASE_ENDED', 'was released'],
    [
      'the lease was released and its opening died',
      { ...opening, endRequested: true },
      99,
      'LEASE_ENDED',
      'was released',
    ],
    [
      'the lease belongs to another owner',
      { ...open, owner: 'you' },
      0,
      'LEASE_CONFLICT',
      'belongs to a different owner',
    ],
    ['the lease has no owner', unowned, 0, 'LEASE_CONFLICT', 'belongs to a different owner'],
    [
      'the closed lease belonged to another owner',
      { ...closed, owner: 'you' },
      0,
      'LEASE_CONFLICT',
      'belongs to a different owner',
    ],
    ['the lease has expired', open, 900, 'LEASE_ENDED', 'has ended'],
    ['the lease is being closed', closing, 0, 'LEASE_ENDED', 'has ended'],
    ['the lease was closed', closed, 0, 'LEASE_ENDED', 'has ended'],
    ['the lease was released before it was opened', tombstone, 0, 'LEASE_ENDED', 'has ended'],
  ])('is refused if %s', (_, item, seconds, code, rule) => {
    expect(() => intend(item, intent, NOW + seconds)).toThrow(refusal(code, `${rule}. Use a different lease id`));
  });

  it('is refused while another call is opening the lease, including during a relogin', () => {
    const rule = 'is being opened by another call. Try again';
    for (const item of [opening, { ...opening, again }, { ...opening, again: true as const }]) {
      expect(() => intend(item, intent, NOW + 36)).toThrow(refusal('LEASE_OPENING', rule));
    }
    expect(() => intend({ ...opening, again }, intent, NOW + 99)).toThrow(refusal('LEASE_OPENING', rule));
  });
});

describe('an opening', () => {
  it('is recorded if it succeeds, and the lease is due when it expires', () => {
    expect(record(opening, session)).toStrictEqual(open);
    const relogin = { ...opening, again, attemptedAt: NOW + 5 };
    expect(record(relogin, session)).toStrictEqual({ ...open, reloginAt: NOW + 5 });
  });

  it.each<[string, LeaseItem | undefined]>([
    ['was removed', undefined],
    ['is open', open],
    ['belongs to another attempt', { ...opening, attemptId: 'a2' }],
  ])('is not recorded if the lease %s', (_, current) => {
    const rule = 'was taken over by another call during the login. Try again';
    expect(whyNotRecorded(current, opening)).toEqual(refusal('LEASE_OPENING', rule));
  });

  it('is not recorded if another call changed it', () => {
    const rule = 'was changed by another call during the login. Try again';
    expect(whyNotRecorded(opening, opening)).toEqual(refusal('LEASE_OPENING', rule));
  });

  it('is not recorded if the lease was released meanwhile', () => {
    const rule = 'was released while it was being opened';
    expect(whyNotRecorded({ ...opening, endRequested: true }, opening)).toEqual(refusal('LEASE_ENDED', rule));
  });

  it('is removed if it leaves no session, or closed if it must not be repeated', () => {
    for (const retryable of [true, false]) {
      expect(giveUp(opening, NOW, retryable)).toBe('remove');
      expect(giveUp({ ...opening, endRequested: true }, NOW + 5, retryable)).toStrictEqual(closed);
      expect(giveUp({ ...opening, again, endRequested: true }, NOW + 5, retryable)).toStrictEqual(closed);
      expect(giveUp({ ...opening, again: true }, NOW + 5, retryable)).toStrictEqual(closed);
    }
    expect(giveUp({ ...opening, again }, NOW + 5, false)).toStrictEqual(closed);
  });

  it('reverts to the open lease if a relogin fails and can be retried, unless the lease has expired', () => {
    expect(giveUp({ ...opening, again }, NOW + 5, true)).toStrictEqual(open);
    const before = { ...again, reloginAt: NOW };
    expect(giveUp({ ...opening, again: before }, NOW + 5, true)).toStrictEqual({ ...open, reloginAt: NOW });
    const late = { closedAt: NOW + 900, purgeAt: NOW + 900 + MONTH };
    expect(giveUp({ ...opening, again }, NOW + 900, true)).toStrictEqual({ ...closed, ...late });
  });

  it('becomes a SUSPECT until the idle timeout of its session if its outcome is unknown', () => {
    expect(suspect(opening, 1800)).toStrictEqual({
      ...{ kind: 'suspect', id: 'suspect#a1', attemptId: 'a1', leaseId: 'job', target },
      ...{ since: NOW, openingUntil: NOW + 36, until: NOW + 36 + 120 + 1800, dueAt: NOW + 36 + 120 + 1800 },
    });
  });

  it('starts again for a relogin, and the expiry of the lease does not change', () => {
    expect(reopen(open, { attemptId: 'a2', openingUntil: NOW + 136 }, NOW + 100)).toStrictEqual({
      ...{ ...opening, attemptId: 'a2', attemptedAt: NOW + 100, openingUntil: NOW + 136, dueAt: NOW + 136 },
      again: { ...again, attemptId: 'a1' },
    });
    const { again: before } = reopen(
      { ...open, reloginAt: NOW },
      { attemptId: 'a2', openingUntil: NOW + 136 },
      NOW + 100,
    );
    expect(before).toStrictEqual({ ...again, attemptId: 'a1', reloginAt: NOW });
  });
});

describe('a release', () => {
  const released = (item: LeaseItem | undefined, seconds = 0) => release(item, 'job', NOW + seconds);

  it('leaves a tombstone for an unknown lease', () => {
    expect(released(undefined)).toStrictEqual({ state: 'NOTHING', write: tombstone });
  });

  it('marks a lease that is being opened as ending, and closes a dead opening', () => {
    expect(released(opening, 36)).toStrictEqual({ state: 'ENDING', write: { ...opening, endRequested: true } });
    expect(released(opening, 37)).toStrictEqual({
      state: 'DEAD',
      write: { ...closed, closedAt: NOW + 37, purgeAt: NOW + 37 + MONTH },
    });
  });

  it('claims a live lease and does nothing to a closed one', () => {
    expect(released(open)).toStrictEqual({ state: 'LIVE', write: closing });
    const byOwner = { ...closing, byOwner: true } as const;
    expect(release(open, 'job', NOW, true)).toStrictEqual({ state: 'LIVE', write: byOwner });
    expect(close(byOwner, NOW + 5)).toStrictEqual({ ...closed, byOwner: true });
    expect(released(closed)).toStrictEqual({ state: 'CLOSED' });
  });
});

describe('closing a lease', () => {
  it('claims it for a minute and keeps its tries and its STUCK state', () => {
    expect(claim(open, NOW)).toStrictEqual(closing);
    expect(claim({ ...closing, tries: 2 }, NOW + 9)).toStrictEqual({ ...closing, tries: 2, dueAt: NOW + 69 });
    expect(claim(stuck, NOW)).toStrictEqual({ ...stuck, dueAt: NOW + 60 });
  });

  it('removes the token and adds no owner to a lease without one', () => {
    expect(close(closing, NOW + 5)).toStrictEqual(closed);
    const { owner: _, ...ownerless } = closing;
    expect(close(ownerless, NOW + 5)).not.toHaveProperty('owner');
  });

  it('is retried later if it fails, and a STUCK lease stays STUCK', () => {
    expect(postpone(closing, NOW, 0.5, false)).toStrictEqual({ ...closing, tries: 1, dueAt: NOW + 10 });
    expect(postpone({ ...closing, tries: 4 }, NOW, 0.5, false)).toStrictEqual({
      ...closing,
      tries: 5,
      dueAt: NOW + 160,
    });
    const postponed = { state: 'STUCK', dueAt: NOW + 600 } as const;
    expect(postpone({ ...closing, tries: 5 }, NOW, 0.5, false)).toStrictEqual({ ...closing, ...postponed, tries: 6 });
    expect(postpone(closing, NOW, 0.5, true)).toStrictEqual({ ...closing, ...postponed, tries: 1 });
    expect(postpone({ ...stuck, tries: 1 }, NOW, 0.5, false)).toStrictEqual({ ...stuck, ...postponed, tries: 2 });
  });
});

describe('a renewal', () => {
  it('moves the expiry only later', () => {
    expect(renew(open, NOW + 1000, NOW + 899)).toStrictEqual({ ...open, expiresAt: NOW + 1000, dueAt: NOW + 1000 });
    expect(renew(open, NOW + 100, NOW)).toStrictEqual(open);
  });

  it.each<[string, LeaseItem, number, string, string]>([
    ['is being opened', opening, 0, 'LEASE_OPENING', 'is being opened. Try again'],
    ['has expired', open, 900, 'LEASE_ENDED', 'has ended and cannot be renewed. Open another session'],
    ['is being closed', closing, 0, 'LEASE_ENDED', 'has ended and cannot be renewed. Open another session'],
    ['was closed', closed, 0, 'LEASE_ENDED', 'has ended and cannot be renewed. Open another session'],
  ])('is refused if the lease %s', (_, item, seconds, code, rule) => {
    expect(() => renew(item, NOW + 5000, NOW + seconds)).toThrow(refusal(code, rule));
  });
});

describe('the ledger', () => {
  it('stores the end of an owner, due until the index has caught up and kept as long as a closed lease', () => {
    const ended = { kind: 'owner', id: 'owner#me', ownerId: 'me', endedAt: NOW } as const;
    const item = ownerEnd('me', NOW);
    expect(item).toStrictEqual({ ...ended, dueAt: NOW + 60, purgeAt: NOW + DAY });
    expect(settleOwner(item, NOW + 179)).toBeUndefined();
    expect(settleOwner(item, NOW + 180)).toStrictEqual({ ...ended, purgeAt: NOW + DAY });
    expect(settleOwner(item, NOW + 180, { retryable: true })).toBeUndefined();
    // The item stays while the sweeper still needs it.
    const failed = { ...item, dueAt: NOW + 660, purgeAt: NOW + 60 + DAY };
    expect(settleOwner(item, NOW + 60, { retryable: false })).toStrictEqual(failed);
  });

  it('stores the refusal of an API token for ten minutes', () => {
    expect(refusalOf('fb1', 'secret-1', NOW)).toStrictEqual({
      ...{ kind: 'refusal', id: 'refusal#fb1#secret-1' },
      ...{ until: NOW + 600, purgeAt: NOW + 600 },
    });
  });
});
