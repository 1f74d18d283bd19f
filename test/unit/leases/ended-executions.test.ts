import { describe, expect, it } from 'vitest';
import { BUSY, EXECUTION_ENDS, ownerKey } from '../../../lib/leases/items.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
import { awsDown, fail, loseResponse, open, type World, world } from '../../kit/memory/world.ts';

const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52';
/** Sweeps once. With the random number 0, the sweep looks at each open lease. */
const run = (w: World, random = (): number => 0) => sweep({ ...w.ports, random }, w.deadline());
const asked = (w: World): number => w.calls.filter((call) => call === 'status').length;

async function withOwner(owner: string | undefined, leaseIds = ['job-1']): Promise<World> {
  const w = world();
  for (const leaseId of leaseIds) await open(w, { leaseId, ...(owner === undefined ? {} : { owner }) });
  w.calls.length = 0;
  w.reports.length = 0;
  return w;
}

describe('an execution whose end was not reported', () => {
  it.each(EXECUTION_ENDS)(
    'that is %s loses all its sessions in the same sweep, and is asked about once',
    async (status) => {
      const w = await withOwner(EXECUTION, ['job-1', 'job-2', 'job-3']);
      await open(w, { array: 'fb2', leaseId: 'other', owner: `${EXECUTION}-2` });
      w.executions.end(EXECUTION, status);
      expect(await run(w)).toMatchObject({ closed: 3, left: 0 });
      expect([...w.live.values()].map(({ array }) => array)).toEqual(['fb2']);
      expect(w.store.items.get(ownerKey(EXECUTION))).toMatchObject({ kind: 'owner', endedAt: w.seconds() });
      expect(asked(w)).toBe(2);
    },
  );

  it('can open no session later', async () => {
    const w = await withOwner(EXECUTION);
    w.executions.end(EXECUTION);
    await run(w);
    await expect(open(w, { leaseId: 'late', owner: EXECUTION })).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.live.size).toBe(0);
  });

  it('can open no session while the sweeper looks for its leases', async () => {
    const w = await withOwner(EXECUTION);
    w.executions.end(EXECUTION);
    w.once('ofOwner', async (act) => {
      const leases = await act();
      await expect(open(w, { leaseId: 'late', owner: EXECUTION })).rejects.toMatchObject({ code: 'LEASE_ENDED' });
      return leases;
    });
    await run(w);
    expect(w.live.size).toBe(0);
  });

  it('keeps the time of its end if the event arrived first', async () => {
    const w = await withOwner(EXECUTION);
    w.executions.end(EXECUTION);
    await run(w);
    const before = w.store.items.get(ownerKey(EXECUTION));
    await open(w, { leaseId: 'other' });
    w.pass(10);
    await run(w);
    expect(w.store.items.get(ownerKey(EXECUTION))).toEqual(before);
  });

  it('is closed by a later sweep if its end could not be recorded', async () => {
    const w = await withOwner(EXECUTION);
    w.executions.end(EXECUTION);
    w.once('write owner', fail(awsDown));
    expect(await run(w)).toMatchObject({ closed: 0 });
    expect(w.reports).toMatchObject([{ event: 'SweepFailed', code: 'AWS_UNAVAILABLE' }, {}, {}]);
    expect(await run(w)).toMatchObject({ closed: 1 });
  });

  it('is closed if its end was recorded and only the response was lost', async () => {
    const w = await withOwner(EXECUTION);
    w.executions.end(EXECUTION);
    w.once('write owner', loseResponse(awsDown()));
    await run(w);
    expect(await run(w)).toMatchObject({ closed: 1 });
  });
});

it.each(['RUNNING', 'PENDING_REDRIVE', 'SOMETHING_NEW'])(
  'an execution that is %s keeps its sessions',
  async (status) => {
    const w = await withOwner(EXECUTION);
    w.executions.end(EXECUTION, status);
    expect(await run(w)).toMatchObject({ closed: 0, live: 1 });
    expect(asked(w)).toBe(1);
    expect(w.store.items.has(ownerKey(EXECUTION))).toBe(false);
  },
);

it.each([undefined, 'job-7', EXECUTION.replace(':execution:', ':express:')])(
  'the sweeper does not ask about the owner %s',
  async (owner) => {
    const w = await withOwner(owner);
    await run(w);
    expect(asked(w)).toBe(0);
    expect(w.live.size).toBe(1);
  },
);

it('without the port for executions, a sweep reads no open lease', async () => {
  const w = await withOwner(EXECUTION);
  const { executions: _, ...ports } = w.ports;
  await sweep({ ...ports, random: () => 0 }, w.deadline());
  expect(w.calls).toEqual(['pending']);
});

describe('the number of questions', () => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `job-${n}`);

  async function reads(count: number, random?: () => number): Promise<number> {
    const w = world({ sessionsPerArray: 500 });
    for (const leaseId of many(count)) await open(w, { leaseId, owner: `${EXECUTION}-${leaseId}` });
    w.calls.length = 0;
    await run(w, random);
    expect(asked(w)).toBe(w.calls.filter((call) => call === 'read').length);
    return asked(w);
  }

  it('is one for about every fifth lease', async () => {
    expect(await reads(10, () => 0.19)).toBe(10);
    expect(await reads(10, () => 0.21)).toBe(0);
  });

  it('does not grow with the number of leases', async () => {
    let n = 0;
    expect(await reads(400, () => (n++ % 400) / 400)).toBe(50);
    expect(await reads(400)).toBe(100);
  });

  it('is zero for a lease that is closing', async () => {
    const w = await withOwner(EXECUTION);
    w.dead.add('fb1');
    w.pass(901);
    await run(w);
    w.calls.length = 0;
    await run(w);
    expect(asked(w)).toBe(0);
  });
});

describe('a failure', () => {
  it('stops the questions of this sweep, is reported once, and stops nothing else', async () => {
    const w = await withOwner(EXECUTION);
    for (let n = 0; n < 20; n++) await open(w, { leaseId: `more-${n}`, owner: `${EXECUTION}-${n}` });
    await open(w, { array: 'fb2', leaseId: 'expired', leaseSeconds: 60 });
    for (let n = 0; n < 21; n++) w.once('status', fail(awsDown));
    w.pass(61);
    w.reports.length = 0;
    w.calls.length = 0;
    expect(await run(w)).toMatchObject({ closed: 1 });
    expect(asked(w)).toBe(4);
    expect(w.reports.filter(({ event }) => event === 'SweepFailed')).toMatchObject([{ code: 'AWS_UNAVAILABLE' }]);
  });

  it('a lease that cannot be read is reported, and its sweep does the rest', async () => {
    const w = await withOwner(EXECUTION);
    w.once('read', fail(awsDown));
    expect(await run(w)).toMatchObject({ live: 1 });
    expect(w.events()).toContain('SweepFailed');
    expect(w.events()).toContain('SweepDone');
  });

  it('a busy Step Functions is no failure, and is asked nothing more in this sweep', async () => {
    const w = await withOwner(EXECUTION);
    for (let n = 0; n < 20; n++) await open(w, { leaseId: `more-${n}`, owner: `${EXECUTION}-${n}` });
    w.once('status', async () => BUSY);
    await run(w);
    expect(w.events()).not.toContain('SweepFailed');
    expect([asked(w), w.live.size]).toEqual([4, 21]);
  });
});
