/** How many sessions per second the ledger takes, in a model of DynamoDB's limits per partition. */
import { describe, expect, it } from 'vitest';
import { page, tableRows } from '../kit/pages.ts';
import { SWEEP_SECONDS, sweepOnce } from './sweep-throughput.ts';
import { type Load, recordSession, simulate, unitsOf, WRITE_UNITS } from './throughput.ts';

const THOUSAND: Omit<Load, 'shards'> = {
  ...{ sessionsPerSecond: 1000, seconds: 600, sessionSeconds: 10 },
  // Ten live sessions per array, and as many partitions as the table's own writes need.
  ...{ arrays: 1000, tablePartitions: 8 },
};
const recorded = (shards: number) => recordSession({ shards, live: 9 });

describe('a session', () => {
  it.each([1, 16])('needs as many units as the formula in the runbook, with %i shards', async (shards) => {
    expect(unitsOf((await recorded(shards)).calls)).toEqual({
      ...{ 'write table': 4, 'write slots': 2, 'write due': 6, 'read table': 2 },
    });
    expect(page('operations.md')).toContain('Write units per session = 4 w + 2 p + 6');
  });

  it('needs one more read and two units in the owner index if it has an owner', async () => {
    const { calls } = await recordSession({ shards: 16, live: 9, owner: 'nightly' });
    expect(unitsOf(calls)).toMatchObject({ 'write owner': 2, 'write due': 6, 'read table': 3 });
  });
});

describe('a thousand sessions per second for ten minutes', () => {
  it('are not throttled with sixteen shards', async () => {
    const { sessions, throttled, busiest } = simulate((await recorded(16)).calls, { ...THOUSAND, shards: 16 });
    expect(sessions).toBe(600_000);
    expect([...throttled]).toEqual([]);
    // The busiest shard has almost half of its units left, and the load did reach the index and the table.
    expect(busiest.due).toBeGreaterThan(375);
    expect(busiest.due).toBeLessThan(600);
    expect(busiest.table).toBeGreaterThan(750);
  });

  it.each([1, 2, 4])('are throttled in the first minute with only %i shards', async (shards) => {
    const { throttled } = simulate((await recorded(shards)).calls, { ...THOUSAND, seconds: 60, shards });
    expect(throttled.size).toBe(shards);
    for (const [partition, calls] of throttled) {
      expect(partition).toMatch(/^write due due/);
      expect(calls).toBeGreaterThan(1000);
    }
  });

  it('are throttled if the table has too few partitions for its own writes', async () => {
    const few = { ...THOUSAND, seconds: 60, shards: 16, tablePartitions: 4 };
    const { throttled } = simulate((await recorded(16)).calls, few);
    expect([...throttled.keys()].sort()).toEqual([0, 1, 2, 3].map((n) => `write table ${n}`));
  });
});

describe('the table of scaling limits', () => {
  const limits = new Map(
    tableRows('what', page('performance.md')).map(([what = '', limit = '']) => [
      what.replaceAll('`', ''),
      Number(/[\d,]+/.exec(limit)?.[0].replaceAll(',', '')),
    ]),
  );
  const throttles = async (shards: number, load: Partial<Load>) =>
    simulate((await recorded(shards)).calls, { ...THOUSAND, shards, seconds: 60, tablePartitions: 64, ...load })
      .throttled.size > 0;

  it('has the limit of an index without shards, and one session more is throttled', async () => {
    const limit = limits.get('sessions per second, dueShards 1');
    expect(limit).toBe(Math.floor(WRITE_UNITS / 6));
    expect(await throttles(1, { sessionsPerSecond: Number(limit) })).toBe(false);
    expect(await throttles(1, { sessionsPerSecond: Number(limit) + 1 })).toBe(true);
  });

  it('has the limit of sixteen shards, near which the busiest shard is throttled', async () => {
    const limit = Number(limits.get('sessions per second, dueShards 16'));
    expect(limit).toBe(Math.floor((16 * WRITE_UNITS) / 6));
    expect(await throttles(16, { sessionsPerSecond: limit * 0.75 })).toBe(false);
    expect(await throttles(16, { sessionsPerSecond: limit })).toBe(true);
  });

  it.each([10, 50, 500])('has the limit of one array with %i live sessions, whose slots are one item', async (live) => {
    const { calls } = await recordSession({ shards: 16, live: live - 1 });
    const perSession = Number(unitsOf(calls)['write slots']);
    expect(limits.get(`sessions per second per array, with ${live} live`)).toBe(Math.floor(WRITE_UNITS / perSession));
  });

  it('has the limit of one owner', async () => {
    const { calls } = await recordSession({ shards: 16, live: 9, owner: 'nightly' });
    const perSession = Number(unitsOf(calls)['write owner']);
    expect(limits.get('sessions per second per owner')).toBe(WRITE_UNITS / perSession);
  });
});

describe('a sweep', () => {
  const times = { arrayMs: 100, awsMs: 5 };
  const rows = new Map(tableRows('arrays', page('performance.md')).map(([arrays = '', ...cells]) => [arrays, cells]));
  const published = (arrays: number): number => Number(rows.get(String(arrays))?.[0]?.replaceAll(',', ''));

  it('closes as many sessions of one array as the page says, and the rest are left', async () => {
    const { closed, left, open } = await sweepOnce(1, 2000, times);
    expect([closed + left, open]).toEqual([2000, left]);
    expect(left).toBeGreaterThan(0);
    expect(Math.floor(closed / 100) * 100).toBe(published(1));
  });

  it('closes sessions on 64 arrays at the rate that the page says', async () => {
    const { closed, left, ms } = await sweepOnce(64, 6400, times);
    expect({ closed, left }).toEqual({ closed: 6400, left: 0 });
    // A sweep starts no logout in its last three seconds.
    const perSweep = (closed / ms) * 1000 * (SWEEP_SECONDS - 3);
    expect(perSweep).toBeGreaterThanOrEqual(published(64));
    expect(perSweep).toBeLessThan(published(64) * 1.1);
  });
});
