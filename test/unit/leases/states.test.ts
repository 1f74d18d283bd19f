import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlashBlade } from '../../../lib/core/model.ts';
import type { LeaseItem } from '../../../lib/leases/items.ts';
import {
  claim,
  close,
  giveUp,
  intend,
  isDead,
  postpone,
  record,
  release,
  reopen,
  suspect,
} from '../../../lib/leases/states.ts';

const target = (name: string): FlashBlade => ({
  name,
  host: `${name}.example.com`,
  port: 443,
  trust: { kind: 'public' },
});

type Step =
  | { kind: 'intend'; array: string; leaseSeconds: number }
  | { kind: 'record' | 'release' | 'claim' | 'close' | 'reopen' }
  | { kind: 'giveUp'; retryable: boolean }
  | { kind: 'postpone'; random: number; hopeless: boolean }
  | { kind: 'wait'; seconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('intend' as const),
    array: fc.constantFrom('fb1', 'fb2'),
    leaseSeconds: fc.integer({ min: 60, max: 900 }),
  }),
  fc.record({ kind: fc.constantFrom('record', 'release', 'claim', 'close', 'reopen') }),
  fc.record({ kind: fc.constant('giveUp' as const), retryable: fc.boolean() }),
  fc.record({
    kind: fc.constant('postpone' as const),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
    hopeless: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 600 }) }),
);

/** Applies a step that the state diagram allows. Any other step leaves the item unchanged. */
function apply(item: LeaseItem | undefined, taken: Step, now: number, n: number): LeaseItem | undefined {
  try {
    if (taken.kind === 'intend') {
      const intent = {
        leaseId: 'job',
        attemptId: `a${n}`,
        target: target(taken.array),
        leaseSeconds: taken.leaseSeconds,
      };
      const decision = intend(item, { ...intent, openingUntil: now + 36 }, now);
      return 'write' in decision ? decision.write : decision.serve;
    }
    if (taken.kind === 'release') {
      const decision = release(item, 'job', now);
      return 'write' in decision ? decision.write : item;
    }
    if (item?.state === 'OPENING') {
      if (taken.kind === 'record' && !item.endRequested) return record(item, { username: 'pureuser', sealed: '1.x' });
      if (taken.kind === 'giveUp')
        return ((next) => (next === 'remove' ? undefined : next))(giveUp(item, now, taken.retryable));
    }
    if (item?.state === 'OPEN' && taken.kind === 'reopen')
      return reopen(item, { attemptId: `a${n}`, openingUntil: now + 36 }, now);
    if (item?.state === 'OPEN' && taken.kind === 'claim') return claim(item, now);
    if (item?.state === 'CLOSING' || item?.state === 'STUCK') {
      if (taken.kind === 'postpone') return postpone(item, now, taken.random, taken.hopeless);
      if (taken.kind === 'claim') return claim(item, now);
      if (taken.kind === 'close') return close(item, now);
    }
  } catch {}
  return item;
}

describe('a lease', () => {
  it('keeps its invariants for any steps in any order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let item: LeaseItem | undefined;
        let now = 1_800_000_000;
        steps.forEach((taken, n) => {
          if (taken.kind === 'wait') now += taken.seconds;
          const before = item;
          item = apply(item, taken, now, n);
          if (item === undefined) return;
          // Only a closed lease may be purged, and only a closed lease is no longer due.
          expect(item.purgeAt === undefined).toBe(item.state !== 'CLOSED');
          expect(item.dueAt === undefined).toBe(item.state === 'CLOSED');
          expect('sealed' in item).toBe(item.state === 'OPEN' || item.state === 'CLOSING' || item.state === 'STUCK');
          expect(item.leaseId).toBe('job');
          // A lease with a session is never removed or taken over before the session is closed.
          if (before && 'sealed' in before && !('sealed' in item)) expect(['CLOSED', 'OPENING']).toContain(item.state);
          if (before?.state === 'CLOSED') expect(item).toBe(before);
          if (before && taken.kind !== 'intend') expect(item.expiresAt).toBe(before.expiresAt);
          if (before?.target && before.target.name !== item.target?.name) throw new Error('moved to another array');
        });
      }),
      { numRuns: 2000 },
    );
  });

  it('is dead only after the last second of its opening', () => {
    const { write } = intend(
      undefined,
      { leaseId: 'j', attemptId: 'a', target: target('fb1'), leaseSeconds: 60, openingUntil: 100 },
      70,
    ) as {
      write: Parameters<typeof isDead>[0];
    };
    expect(isDead(write, 100)).toBe(false);
    expect(isDead(write, 101)).toBe(true);
  });

  it('counts the idle timeout of its SUSPECT from the last moment at which the login could have succeeded', () => {
    const decision = intend(
      undefined,
      { leaseId: 'j', attemptId: 'a', target: target('fb1'), leaseSeconds: 60, openingUntil: 100 },
      70,
    );
    if (!('write' in decision)) throw new Error('no intent');
    expect(suspect(decision.write, 1800).until).toBe(100 + 120 + 1800);
  });

  it('is retried after 50% to 150% of the usual delay', () => {
    const decision = intend(
      undefined,
      { leaseId: 'j', attemptId: 'a', target: target('fb1'), leaseSeconds: 60, openingUntil: 100 },
      70,
    );
    if (!('write' in decision)) throw new Error('no intent');
    const closing = claim(record(decision.write, { username: 'u', sealed: 's' }), 80);
    expect(postpone(closing, 1000, 0, false).dueAt).toBe(1005);
    expect(postpone(closing, 1000, 1, false).dueAt).toBe(1015);
  });
});
