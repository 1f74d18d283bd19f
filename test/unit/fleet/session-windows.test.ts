import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIn, unaccounted, type Window, windowOf } from '../../../lib/fleet/compare-sessions.ts';
import type { Closed, Open, Opening, Suspect } from '../../../lib/leases/items.ts';

const [SKEW, SLACK] = [60, 120];
const common = {
  kind: 'lease',
  id: 'lease#a',
  version: 'v',
  attemptId: 'a',
  leaseId: 'a',
  createdAt: 1000,
  expiresAt: 1900,
  target: { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } },
} as const;
const open: Open = { ...common, state: 'OPEN', username: 'pureuser', sealed: '' };
const opening: Opening = { ...common, state: 'OPENING', attemptedAt: 1000, openingUntil: 1036 };
const closed: Closed = { ...common, state: 'CLOSED', closedAt: 1500 };
const suspect: Suspect = { ...common, kind: 'suspect', since: 1000, openingUntil: 1036, until: 1036 + 1800 };

describe('the window of a ledger entry', () => {
  it('the window of an open lease begins with its request and never ends, because of relogins', () => {
    expect(windowOf(open, 'pureuser')).toEqual({ from: 1000 - SKEW, to: Number.POSITIVE_INFINITY });
  });

  it('a lease of another user has no window', () => {
    expect(windowOf(open, 'another-user')).toBeUndefined();
  });

  it('the window of an opening lease ends soon after its attempt', () => {
    expect(windowOf(opening, 'pureuser')).toEqual({ from: 1000 - SKEW, to: 1036 + SLACK });
  });

  it('the window of a closed lease ends soon after it was closed', () => {
    expect(windowOf(closed, 'pureuser')).toEqual({ from: 1000 - SKEW, to: 1500 + SLACK });
  });

  it('the window of a SUSPECT ends a while after its attempt gave up', () => {
    expect(windowOf(suspect, 'pureuser')).toEqual({ from: 1000 - SKEW, to: 1036 + SLACK });
    const { openingUntil: _, ...former } = suspect;
    expect(windowOf(former, 'pureuser')).toEqual({ from: 1000 - SKEW, to: 1036 + 1800 + SLACK });
  });

  it('an entry that was removed meanwhile has a window without ends', () => {
    expect(isIn(5, windowOf(undefined, 'pureuser') as Window)).toBe(true);
  });

  it('an entry without a session has no window', () => {
    const refusal = { id: 'x', version: 'v', attemptId: 'a', kind: 'refusal', until: 5 } as const;
    expect(windowOf(refusal, 'pureuser')).toBeUndefined();
  });
});

it('a window includes its first and its last second', () => {
  const window = { from: 5, to: 9 };
  expect([4, 5, 9, 10].map((time) => isIn(time, window))).toEqual([false, true, true, false]);
});

/** The largest number of times that windows account for, by trying everything. */
function most([time, ...times]: readonly number[], windows: readonly Window[]): number {
  if (time === undefined) return 0;
  const tries = windows.flatMap((window, n) => (isIn(time, window) ? [1 + most(times, windows.toSpliced(n, 1))] : []));
  return Math.max(most(times, windows), ...tries);
}

describe('sessions that no window accounts for', () => {
  it('a window accounts for one session at most', () => {
    expect(unaccounted([], [])).toBe(0);
    expect(unaccounted([5, 6], [{ from: 0, to: 10 }])).toBe(1);
    expect(unaccounted([11], [{ from: 0, to: 10 }])).toBe(1);
  });

  it('the count is the smallest possible', () => {
    const time = fc.integer({ min: 0, max: 12 });
    const window = fc.tuple(time, time).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
    fc.assert(
      fc.property(fc.array(time, { maxLength: 5 }), fc.array(window, { maxLength: 5 }), (times, windows) => {
        expect(unaccounted(times, windows)).toBe(times.length - most(times, windows));
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});
