import { describe, expect, it, vi } from 'vitest';
import { brokenCopy } from './controls.ts';
import { LIMIT, PROGRAM, stampede, stampedeOutside } from './stampede.ts';

vi.setConfig({ testTimeout: 120_000 });

describe('500 calls for one array at once', () => {
  it.each([1, 2, 3])(
    'the calls open exactly as many sessions as the limit of the array allows (seed %i)',
    async (seed) => {
      const { opened, most, codes, wrong } = await stampede({ seed });
      expect(wrong).toBeUndefined();
      expect({ opened, most, refused: codes.get('LEASE_LIMIT') }).toEqual({ opened: 50, most: 50, refused: 450 });
    },
  );

  it.each([4, 5, 6])('calls for the same lease open one session (seed %i)', async (seed) => {
    const { opened, most, codes, wrong } = await stampede({ seed, leases: 1 });
    expect(wrong).toBeUndefined();
    expect(most).toBe(1);
    expect(opened + (codes.get('LEASE_OPENING') ?? 0)).toBe(500);
  });
});

describe('equal requests at once for the last slot of an array', () => {
  it.each([2, 4, 8])(
    'of %i equal requests, at least one returns the lease, and all others fail as retryable',
    async (calls) => {
      for (let seed = 1; seed <= 100; seed++) {
        const { opened, codes, wrong } = await stampede({ seed, calls, leases: 1, limit: 1 });
        expect({ wrong, limit: codes.get('LEASE_LIMIT') }, `seed ${seed}`).toEqual({});
        expect(opened, `seed ${seed}`).toBeGreaterThan(0);
        expect(opened + (codes.get('LEASE_OPENING') ?? 0), `seed ${seed}`).toBe(calls);
      }
    },
  );
});

describe('30 calls over real ports at once', () => {
  it('the calls open no more sessions than the limit of the array, and all of them are closed', async () => {
    const { opened, refused, notClosed, wrong } = await stampedeOutside();
    expect(wrong).toEqual([]);
    expect(opened).toBeGreaterThan(0);
    expect(opened).toBeLessThanOrEqual(LIMIT);
    expect(opened + refused.length).toBe(30);
    expect(notClosed).toEqual([]);
  });

  it('the proof finds open sessions if the path of a logout contains a version', async () => {
    await using broken = await brokenCopy(PROGRAM, [
      { file: 'lib/flashblade/client.ts', find: "path: '/api/logout'", replace: "path: '/api/2.15/logout'" },
    ]);
    const { opened, wrong } = await stampedeOutside(broken.path);
    expect(opened).toBeGreaterThan(0);
    expect(wrong).toEqual([`${opened} sessions are open after their leases were closed`]);
  });
});
