/** The sweep of one row of the index: what it shows about the array, and what is reported if it fails. */
import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { FlashBlade, Session } from '../../../lib/core/model.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { endOwner } from '../../../lib/leases/end-owner.ts';
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

const swept = (w: World, leaseId = 'job-1') => sweepLease(w.ports, leaseId, w.deadline());

async function died(w: World): Promise<void> {
  w.once('login', hang);
  void open(w);
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

  it('returns "settled" and reports the failure if the ledger fails', async () => {
    const w = world();
    w.once('read', fail(awsDown));
    expect(await swept(w)).toBe('settled');
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
  it('reads only the index if nothing is due', async () => {
    const w = world();
    await open(w);
    w.once('login', fail(unreachable(true)));
    await expect(open(w, { leaseId: 'job-2' })).rejects.toThrow();
    w.calls.length = 0;
    await sweep(w.ports, w.deadline());
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
    expect(await sweep(w.ports, w.deadline())).toEqual({
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
    await sweep(w.ports, w.deadline());
    const steps = w.calls.filter((name) => /^(write CLOSING|logout|write CLOSED)$/.test(name));
    expect(steps.slice(0, 4)).toEqual(['write CLOSING', 'write CLOSING', 'logout', 'write CLOSED']);
  });
});
