/** The sweep, and the sweep of one row of the index: what it shows about the array, and what is reported if it fails. */
import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { FlashBlade, Session } from '../../../lib/core/model.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { endOwner } from '../../../lib/leases/end-owner.ts';
import type { Open } from '../../../lib/leases/items.ts';
import type { Pending } from '../../../lib/leases/ports.ts';
import { sweep, sweepLease, sweepOwner, sweepSlots, sweepSuspect } from '../../../lib/leases/sweep.ts';
import { hooked } from '../../kit/memory/hook.ts';
import {
  awsDown,
  busy,
  fail,
  hang,
  open,
  unreachable,
  untilCalled,
  type World,
  world,
} from '../../kit/memory/world.ts';

const run = (w: World) => sweep(w.ports, w.deadline());
const swept = (w: World, leaseId = 'job-1') => sweepLease(w.ports, leaseId, w.deadline());
const logouts = (w: World): number => w.calls.filter((name) => name === 'logout').length;

async function died(w: World, leaseId = 'job-1'): Promise<void> {
  w.once('login', async (act) => {
    await act();
    return new Promise(() => {});
  });
  void open(w, { leaseId });
  await untilCalled(w, 'login');
}

describe('sweepLease', () => {
  it('returns "closed" if it closed the lease, and "settled" if there is nothing to do now', async () => {
    const w = world();
    expect(await swept(w)).toBe('settled');
    await died(w);
    expect(await swept(w)).toBe('settled');
    w.pass(60);
    expect(await swept(w)).toBe('settled');
    expect(w.suspects()).toHaveLength(1);
    await open(w);
    expect(await swept(w)).toBe('settled');
    w.pass(900);
    w.once('write CLOSING', async () => undefined);
    expect(await swept(w)).toBe('settled');
    expect(await swept(w)).toBe('closed');
    expect(await swept(w)).toBe('settled');
    expect(w.events()).not.toContain('SweepFailed');
  });

  it.each([
    ['ARRAY_UNREACHABLE', () => unreachable(true)],
    ['ARRAY_UNTRUSTED', () => new FlashBladeError('ARRAY_UNTRUSTED', 'wrong name')],
    ['ARRAY_BUSY', busy],
    ['OUT_OF_TIME', () => new FlashBladeError('OUT_OF_TIME', 'no time was left')],
  ])('returns "silent" after %s and does not report a failed sweep', async (_, error) => {
    const w = world();
    await open(w);
    w.pass(900);
    w.once('logout', fail(error));
    expect(await swept(w)).toBe('silent');
    expect(w.events()).not.toContain('SweepFailed');
  });

  it('returns "failed" and reports the failure if the ledger fails', async () => {
    const w = world();
    w.once('read', fail(awsDown));
    expect(await swept(w)).toBe('failed');
    const message = 'lease job-1 was not swept: no answer from AWS';
    expect(w.reports).toStrictEqual([{ event: 'SweepFailed', code: 'AWS_UNAVAILABLE', message }]);
  });
});

describe('the sweep of owners, SUSPECTs and slots', () => {
  it.each([
    ['owner me was not swept', (w: World) => sweepOwner(w.ports, 'me', w.deadline()), 'ofOwner'],
    ['SUSPECT a1 was not swept', (w: World) => sweepSuspect(w.ports, 'a1', w.deadline()), 'read'],
    ['the slots of array fb1 were not swept', (w: World) => sweepSlots(w.ports, 'fb1', w.deadline()), 'slots'],
  ])('reports its failure: %s', async (what, work, call) => {
    const w = world();
    w.once(call, fail(awsDown));
    await work(w);
    const message = `${what}: no answer from AWS`;
    expect(w.reports).toStrictEqual([{ event: 'SweepFailed', code: 'AWS_UNAVAILABLE', message }]);
  });

  it('reads the lease of a slot only after its opening is over by any clock', async () => {
    const w = world();
    await open(w, { leaseId: 'job-1' });
    await open(w, { leaseId: 'job-2' });
    w.pass(36 + 120);
    w.calls.length = 0;
    await sweepSlots(w.ports, 'fb1', w.deadline());
    expect(w.calls).toEqual(['slots', 'lookAtSlots']);
    w.pass(1);
    w.calls.length = 0;
    await sweepSlots(w.ports, 'fb1', w.deadline());
    expect(w.calls).toEqual(['slots', 'read', 'read', 'lookAtSlots']);
    expect(w.slots('fb1')).toEqual(['job-1', 'job-2']);
    expect(await w.store.pending(0)).toContainEqual({
      kind: 'slots',
      id: 'fb1',
      array: 'fb1',
      dueAt: w.seconds() + 600,
    });
  });

  it('frees a slot whose lease is now on another array', async () => {
    const w = world();
    await open(w);
    const attemptId = w.lease('job-1')?.attemptId ?? '';
    await w.store.takeSlot('fb2', { attemptId, leaseId: 'job-1', until: 0 }, 9, 0);
    await sweepSlots(w.ports, 'fb2', w.deadline());
    expect([w.slots('fb1'), w.slots('fb2')]).toEqual([['job-1'], []]);
  });

  it('frees the slots of attempts that were taken over, unless they are SUSPECTs', async () => {
    const w = world();
    await open(w);
    for (const attemptId of ['lost', 'suspected']) {
      await w.store.takeSlot('fb1', { attemptId, leaseId: 'job-1', until: 0 }, 9, 0);
    }
    const suspect = { kind: 'suspect', id: 'suspect#suspected', version: 'v', attemptId: 'suspected' } as const;
    const target = w.lease('job-1')?.target as FlashBlade;
    await w.store.write({ ...suspect, leaseId: 'job-1', target, since: 0, until: 9 }, undefined, 0);
    await sweepSlots(w.ports, 'fb1', w.deadline());
    expect([...w.store.slotsOf('fb1').keys()]).toEqual([w.lease('job-1')?.attemptId, 'suspected']);
  });

  it('frees slots that version 0.1.0 wrote if their lease or SUSPECT no longer exists', async () => {
    const w = world();
    await open(w);
    const former = w.store.slotsOf('fb1');
    former.clear();
    for (const name of ['job-1', 'gone', 'suspect#kept', 'suspect#gone'])
      former.set(name, { attemptId: 'a', until: 0 });
    const suspect = { kind: 'suspect', id: 'suspect#kept', version: 'v', attemptId: 'kept' } as const;
    const target = w.lease('job-1')?.target as FlashBlade;
    await w.store.write({ ...suspect, leaseId: 'x', target, since: 0, until: 9 }, undefined, 0);
    await sweepSlots(w.ports, 'fb1', w.deadline());
    expect([...former.keys()]).toEqual(['job-1', 'suspect#kept']);
  });
});

describe('sweep', () => {
  it('does not touch a lease that is not due', async () => {
    const w = world();
    await open(w);
    expect(await run(w)).toEqual({
      live: 1,
      expired: 0,
      closed: 0,
      stuck: 0,
      suspect: 0,
      left: 0,
      oldestDueSeconds: 0,
    });
    expect(w.live.size).toBe(1);
  });

  it('closes leases that have expired', async () => {
    const w = world();
    await open(w);
    w.pass(960);
    expect(await run(w)).toMatchObject({ live: 1, expired: 1, closed: 1, left: 0, oldestDueSeconds: 60 });
    expect(w.live.size).toBe(0);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
    expect(await run(w)).toMatchObject({ live: 0, expired: 0, closed: 0 });
  });

  it('retries a failed logout once it is due', async () => {
    const w = world();
    await open(w);
    w.once('logout', fail(busy));
    await expect(closeSession(w.ports, 'job-1', w.deadline())).rejects.toThrow();
    w.pass(10);
    expect(await run(w)).toMatchObject({ closed: 1 });
    expect(w.live.size).toBe(0);
  });

  it('turns a dead opening into a SUSPECT, so that the same request can be repeated, and drops the SUSPECT in time', async () => {
    const w = world();
    await died(w);
    w.pass(30);
    expect(await run(w)).toMatchObject({ suspect: 0 });
    expect(w.lease('job-1')?.state).toBe('OPENING');
    w.pass(30);
    await run(w);
    expect(w.lease('job-1')).toBeUndefined();
    expect(w.suspects()).toHaveLength(1);
    expect(w.slots('fb1')).toEqual(['SUSPECT job-1']);
    await open(w);
    // Only now is its session gone by any clock: the array may have opened it late and kept it until the idle timeout.
    w.pass(36 + 120 + 1800 - 61);
    await run(w);
    expect(w.suspects()).toHaveLength(1);
    w.pass(1);
    await run(w);
    expect(w.suspects()).toEqual([]);
    expect(w.slots('fb1')).toEqual([]);
  });

  it('ignores stale rows of the index', async () => {
    const w = world();
    await died(w);
    await open(w, { leaseId: 'open' });
    const rows: Pending[] = [
      { kind: 'lease', id: 'gone', dueAt: 0, array: 'fb1', state: 'OPEN' },
      { kind: 'lease', id: 'job-1', dueAt: 0, array: 'fb1', state: 'OPENING' },
      { kind: 'lease', id: 'open', dueAt: 0, array: 'fb1', state: 'OPEN' },
      { kind: 'suspect', id: 'gone', dueAt: 0, array: 'fb1' },
      { kind: 'owner', id: 'gone', dueAt: 0 },
      { kind: 'slots', id: 'gone', dueAt: 0, array: 'gone' },
    ];
    w.once('pending', async () => rows);
    w.calls.length = 0;
    expect(await run(w)).toMatchObject({ closed: 0, left: 0 });
    expect(w.calls.filter((name) => /^(write|remove|login|logout|freeSlot|takeSlot)/.test(name))).toEqual([]);
    expect(w.events()).not.toContain('SweepFailed');
    expect(w.lease('job-1')?.state).toBe('OPENING');
    expect(w.live.size).toBe(2);
  });

  it('does not touch a lease that another call claims at the same moment', async () => {
    const w = world();
    await open(w);
    w.pass(900);
    w.once('write CLOSING', async () => undefined);
    expect(await run(w)).toMatchObject({ closed: 0, left: 0 });
    expect(logouts(w)).toBe(0);
    expect(w.events()).not.toContain('SweepFailed');
  });

  it('keeps a SUSPECT until its time is over, even if the index lists it as due', async () => {
    const w = world();
    await died(w);
    w.pass(60);
    await run(w);
    const [suspect] = w.suspects();
    w.once('pending', async () => [{ kind: 'suspect', id: suspect?.attemptId, dueAt: 0, array: 'fb1' }]);
    await run(w);
    expect(w.suspects()).toEqual([suspect]);
  });

  it('does not close a lease that was renewed after the index was read', async () => {
    const w = world();
    await open(w);
    w.pass(900);
    w.once('pending', async (act) => {
      const rows = await act();
      const item = w.lease('job-1');
      if (item?.state !== 'OPEN') throw new Error('not open');
      await w.store.write({ ...item, expiresAt: w.seconds() + 60 }, item, 0);
      return rows;
    });
    expect(await run(w)).toMatchObject({ closed: 0, left: 0 });
    expect(w.live.size).toBe(1);
  });

  it('skips the remaining leases of an array after its first logout without a response, and sweeps the other arrays', async () => {
    const w = world();
    for (let n = 0; n < 5; n++) await open(w, { leaseId: `a${n}`, array: 'fb1' });
    for (let n = 0; n < 5; n++) await open(w, { leaseId: `b${n}`, array: 'fb2' });
    w.pass(900);
    w.dead.add('fb1');
    expect(await run(w)).toMatchObject({ expired: 10, closed: 5, left: 5 });
    expect(w.logouts('fb1')).toBe(1);
    expect([...w.live.values()].map(({ array }) => array)).toEqual(Array(5).fill('fb1'));
    w.dead.clear();
    w.pass(60);
    expect(await run(w)).toMatchObject({ closed: 5, left: 0 });
    expect(w.live.size).toBe(0);
  });

  it('tries one waiting lease of each array, due or not, and all of them once the array responds', async () => {
    const w = world();
    for (let n = 0; n < 4; n++) await open(w, { leaseId: `a${n}` });
    w.dead.add('fb1');
    for (let n = 0; n < 4; n++) {
      for (let round = 0; round < 6; round++) await closeSession(w.ports, `a${n}`, w.deadline()).catch(() => {});
    }
    const before = w.logouts('fb1');
    expect(await run(w)).toMatchObject({ stuck: 4, closed: 0 });
    expect(w.logouts('fb1')).toBe(before + 1);
    w.dead.clear();
    expect(await run(w)).toMatchObject({ closed: 4 });
    expect(w.live.size).toBe(0);
  });

  it('closes the other leases of an array if one lease does not unseal', async () => {
    const w = world();
    await open(w, { leaseId: 'altered' });
    w.pass(1);
    await open(w, { leaseId: 'good' });
    w.pass(900);
    w.once('unseal', (_act) => Promise.reject(Object.assign(new Error(), { name: 'InvalidCiphertextException' })));
    expect(await run(w)).toMatchObject({ closed: 1 });
    expect(w.lease('good')?.state).toBe('CLOSED');
    expect(w.lease('altered')?.state).toBe('STUCK');
  });

  it.each(['read', 'write CLOSING', 'unseal'] as const)(
    'counts each lease as left whose %s gets no response from AWS, and closes the others of its array',
    async (call) => {
      const w = world();
      for (const leaseId of ['a', 'b', 'c']) await open(w, { leaseId });
      w.pass(900);
      w.once(call, fail(awsDown));
      w.reports.length = 0;
      expect(await run(w)).toMatchObject({ expired: 3, closed: 2, left: 1 });
      expect(w.reports.find(({ event }) => event === 'SweepDone')?.gauges).toMatchObject({ LeftBySweep: 1 });
      w.pass(60);
      expect(await run(w)).toMatchObject({ closed: 1, left: 0 });
    },
  );

  it('leaves the remaining leases for the next sweep when its time is up', async () => {
    const w = world();
    for (const leaseId of ['a', 'b', 'c']) {
      await open(w, { leaseId });
      w.pass(1);
    }
    w.pass(900);
    for (let n = 0; n < 3; n++) {
      w.once('logout', async (act) => {
        w.pass(14);
        return act();
      });
    }
    expect(await run(w)).toMatchObject({ expired: 3, left: 0 });
    const slow = world();
    for (const leaseId of ['a', 'b', 'c']) await open(slow, { leaseId });
    slow.pass(900);
    slow.once('logout', async (act) => {
      slow.pass(29);
      return act();
    });
    expect(await run(slow)).toMatchObject({ expired: 3, closed: 1, left: 2 });
  });

  it('keeps the slot of a SUSPECT whose session was recorded after all', async () => {
    const w = world({ sessionsPerArray: 1 });
    await open(w, { leaseSeconds: 86_400 });
    const { attemptId, leaseId, target } = w.lease('job-1') as Open;
    const item = { kind: 'suspect', id: `suspect#${attemptId}`, version: 'v', attemptId, leaseId, target } as const;
    const until = w.seconds() + 60;
    await w.store.write({ ...item, since: 0, until, dueAt: until }, undefined, 0);
    await w.store.keepSlot('fb1', { attemptId, leaseId, until, suspect: true }, 0);
    w.pass(61);
    await run(w);
    expect([w.suspects(), w.slots('fb1')]).toEqual([[], ['SUSPECT job-1']]);
    await expect(open(w, { leaseId: 'other' })).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
    await closeSession(w.ports, 'job-1', w.deadline());
    expect(w.slots('fb1')).toEqual([]);
  });

  it('frees the slots of openings that left no other item', async () => {
    const w = world();
    w.once('write OPENING', hang);
    void open(w, { leaseId: 'killed' });
    await untilCalled(w, 'takeSlot');
    await open(w, { leaseId: 'alive' });
    expect(w.slots('fb1')).toEqual(['killed', 'alive']);
    w.pass(160);
    await run(w);
    expect(w.slots('fb1')).toEqual(['alive']);
    await closeSession(w.ports, 'alive', w.deadline());
    w.pass(600);
    await run(w);
    expect(await w.store.pending(0)).toEqual([]);
  });

  it('frees a slot that could not be freed when its lease was closed', async () => {
    const w = world();
    await open(w);
    w.once('freeSlot', fail(awsDown));
    await closeSession(w.ports, 'job-1', w.deadline());
    expect(w.slots('fb1')).toEqual(['job-1']);
    w.pass(160);
    await run(w);
    expect(w.slots('fb1')).toEqual([]);
  });

  it('reports its counts in total and per array', async () => {
    const w = world();
    await open(w);
    await open(w, { leaseId: 'job-2', array: 'fb2' });
    w.pass(900);
    w.dead.add('fb2');
    await run(w);
    expect(w.reports.filter(({ event }) => event === 'SweepDone')).toMatchObject([
      { gauges: { LiveLeases: 2, ExpiredLeases: 2, ClosedBySweep: 1, LeftBySweep: 1, OldestDueAge: 0 } },
    ]);
    const counted = w.reports.filter(({ event }) => event === 'ArrayCounted');
    expect(counted.map(({ array, gauges }) => [array, gauges?.LiveLeases])).toEqual([
      ['fb1', 1],
      ['fb2', 1],
    ]);
  });

  it('reports a lease that it cannot sweep and continues with the others', async () => {
    const w = world();
    await open(w);
    await open(w, { leaseId: 'job-2', array: 'fb2' });
    w.pass(900);
    w.once('write CLOSING', fail(awsDown));
    expect(await run(w)).toMatchObject({ closed: 1 });
    expect(w.events()).toContain('SweepFailed');
    expect(logouts(w)).toBe(1);
  });

  it('throws an error if the ledger cannot be read', async () => {
    const w = world();
    w.once('pending', fail(awsDown));
    await expect(run(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  });

  it('counts one try if the array does not respond', async () => {
    const w = world();
    await open(w);
    w.pass(900);
    w.once('logout', fail(unreachable(true)));
    await run(w);
    expect(w.lease('job-1')).toMatchObject({ state: 'CLOSING', tries: 1 });
  });

  it('reads only the index if nothing is due', async () => {
    const w = world();
    await open(w);
    w.once('login', fail(unreachable(true)));
    await expect(open(w, { leaseId: 'job-2' })).rejects.toThrow();
    w.calls.length = 0;
    await run(w);
    expect(w.calls).toEqual(['pending']);
  });

  it('counts each kind of item separately', async () => {
    const w = world();
    for (const leaseId of ['expired', 'closing']) await open(w, { leaseId });
    w.once('login', fail(unreachable(true)));
    await expect(open(w, { leaseId: 'lost', array: 'fb2' })).rejects.toThrow();
    w.once('logout', fail(busy));
    await closeSession(w.ports, 'closing', w.deadline()).catch(() => {});
    await endOwner(w.ports, 'me', w.deadline());
    w.pass(900);
    w.calls.length = 0;
    expect(await run(w)).toEqual({
      ...{ live: 1, expired: 1, closed: 2, stuck: 0, suspect: 1, left: 0 },
      oldestDueSeconds: 890,
    });
    const counted = w.reports.filter(({ event }) => event === 'ArrayCounted');
    expect(counted.map(({ array, gauges, message }) => [array, gauges, message])).toEqual([
      ['fb1', { LiveLeases: 1, StuckLeases: 0, Suspects: 0 }, 'ledger counts for this array'],
      ['fb2', { LiveLeases: 0, StuckLeases: 0, Suspects: 1 }, 'ledger counts for this array'],
    ]);
    expect(w.reports.find(({ event }) => event === 'SweepDone')?.message).toBe('swept: 2 closed, 0 left');
  });

  it('sweeps arrays that failed before after the others', async () => {
    const w = world();
    const asked: string[] = [];
    const ports = hooked(w.ports, ({ method, args, act }) => {
      if (method === 'logout') asked.push((args[0] as Session).array.name);
      return act();
    });
    await open(w, { leaseId: 'a', array: 'fb1' });
    await open(w, { leaseId: 'b', array: 'fb1' });
    await open(w, { leaseId: 'c', array: 'fb2' });
    w.once('logout', fail(busy));
    await closeSession(w.ports, 'a', w.deadline()).catch(() => {});
    w.pass(900);
    await sweep(ports, w.deadline());
    expect(asked).toEqual(['fb2', 'fb1', 'fb1']);
  });

  it('tries one lease after another until the array responds to one of them', async () => {
    const w = world();
    for (const leaseId of ['a', 'b', 'c']) await open(w, { leaseId });
    w.pass(900);
    w.once('write CLOSING', async () => undefined);
    w.calls.length = 0;
    await run(w);
    const steps = w.calls.filter((name) => /^(write CLOSING|logout|write CLOSED)$/.test(name));
    expect(steps.slice(0, 4)).toEqual(['write CLOSING', 'write CLOSING', 'logout', 'write CLOSED']);
  });
});
