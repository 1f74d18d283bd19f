import { describe, expect, it, vi } from 'vitest';
import { closeSession } from '../../../lib/leases/close.ts';
import { endOwner } from '../../../lib/leases/end-owner.ts';
import { sweep, sweepOwner } from '../../../lib/leases/sweep.ts';
import { awsDown, busy, fail, hang, open, unreachable, type World, world } from '../../kit/memory/world.ts';

const openOf = (w: World, leaseId: string, owner = 'execution-1') => open(w, { leaseId, owner });
const end = (w: World) => endOwner(w.ports, 'execution-1', w.deadline());

describe('the end of an owner', () => {
  it("closes all of its leases and no other owner's", async () => {
    const w = world();
    await openOf(w, 'a');
    await openOf(w, 'b');
    await openOf(w, 'c', 'execution-2');
    expect((await end(w)).map(({ leaseId, outcome }) => [leaseId, outcome])).toEqual([
      ['a', 'CLOSED'],
      ['b', 'CLOSED'],
    ]);
    expect(w.lease('c')?.state).toBe('OPEN');
  });

  it('can be repeated and succeeds if there is nothing to close', async () => {
    const w = world();
    expect(await end(w)).toEqual([]);
    await openOf(w, 'c', 'execution-2');
    expect(await end(w)).toEqual([]);
    expect(w.calls.filter((name) => name === 'write owner')).toHaveLength(1);
  });

  it('prevents later requests from opening a session', async () => {
    const w = world();
    await end(w);
    const message =
      'the owner of lease late has already ended. Owners are single-use, so use a new owner and a new lease id';
    await expect(openOf(w, 'late')).rejects.toMatchObject({ code: 'LEASE_ENDED', message });
    expect(w.live.size).toBe(0);
    expect(w.lease('late')).toBeUndefined();
  });

  it('ends a lease that is being opened', async () => {
    const w = world();
    w.once('login', async (act) => {
      await end(w);
      return act();
    });
    await expect(openOf(w, 'a')).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.live.size).toBe(0);
  });

  it('is repeated by the sweeper until the index has caught up by any clock', async () => {
    const w = world();
    await openOf(w, 'a');
    w.once('ofOwner', async () => []);
    expect(await end(w)).toEqual([]);
    expect(w.live.size).toBe(1);
    w.pass(59);
    await sweep(w.ports, w.deadline());
    expect(w.live.size).toBe(1);
    w.pass(1);
    await sweep(w.ports, w.deadline());
    expect(w.live.size).toBe(0);
    expect(await w.store.pending(0)).toMatchObject([{ kind: 'owner' }, { kind: 'slots' }]);
    w.pass(119);
    await sweep(w.ports, w.deadline());
    expect((await w.store.pending(0)).map(({ kind }) => kind)).toContain('owner');
    w.pass(1);
    await sweep(w.ports, w.deadline());
    expect((await w.store.pending(0)).map(({ kind }) => kind)).not.toContain('owner');
  });

  it('is retried by the next sweep if a sweep fails', async () => {
    const w = world();
    await openOf(w, 'a');
    w.once('ofOwner', async () => []);
    await end(w);
    w.pass(60);
    w.once('ofOwner', fail(awsDown));
    await sweep(w.ports, w.deadline());
    expect(w.live.size).toBe(1);
    expect(w.events()).toContain('SweepFailed');
    await sweep(w.ports, w.deadline());
    expect(w.live.size).toBe(0);
  });

  it('ends leases that are open, being opened, waiting for a logout or already closed, when the sweeper finds them', async () => {
    const w = world();
    for (const leaseId of ['open', 'closing', 'closed']) await openOf(w, leaseId);
    w.once('logout', fail(busy));
    await expect(closeSession(w.ports, 'closing', w.deadline())).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    await closeSession(w.ports, 'closed', w.deadline());
    const before = w.lease('closing');
    w.once('ofOwner', async () => []);
    await end(w);
    w.once('login', async (act) => {
      w.once('ofOwner', async () => ['open', 'closing', 'opening', 'closed']);
      const ended = await sweepOwner(w.ports, 'execution-1', w.deadline());
      expect(ended).toMatchObject([{ kind: 'lease', id: 'open', state: 'CLOSING', array: 'fb1' }]);
      expect(w.lease('open')).toMatchObject({ state: 'CLOSING', byOwner: true });
      expect(w.lease('opening')).toMatchObject({ state: 'OPENING', endRequested: true });
      return act();
    });
    await expect(openOf(w, 'opening')).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.lease('closing')).toEqual(before);
    expect(w.lease('opening')?.state).toBe('CLOSED');
    expect(w.events()).not.toContain('SweepFailed');
  });

  it('is reported as not swept if one of its leases cannot be read, and the other leases end', async () => {
    const w = world();
    await openOf(w, 'a');
    await openOf(w, 'b');
    w.once('ofOwner', async () => []);
    await end(w);
    w.once('read', fail(awsDown));
    expect(await sweepOwner(w.ports, 'execution-1', w.deadline())).toMatchObject([{ id: 'b' }]);
    expect(w.events()).toContain('SweepFailed');
    w.once('ofOwner', fail(awsDown));
    expect(await sweepOwner(w.ports, 'execution-1', w.deadline())).toEqual([]);
    expect(await sweepOwner(w.ports, 'execution-1', w.deadline())).toMatchObject([{ id: 'a' }]);
  });

  it('tries every lease before it fails', async () => {
    const w = world();
    await openOf(w, 'a');
    await openOf(w, 'b');
    w.once('logout', fail(busy));
    await expect(end(w)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    expect(w.live.size).toBe(1);
    expect((await end(w)).map(({ outcome }) => outcome).sort()).toEqual(['ALREADY_CLOSED', 'CLOSED']);
  });

  it('closes a live lease without reading all the closed ones', async () => {
    const w = world();
    for (let n = 0; n < 100; n++) {
      await openOf(w, `closed-${n}`);
      await closeSession(w.ports, `closed-${n}`, w.deadline());
    }
    await openOf(w, 'live');
    const looked = vi.spyOn(w.store, 'read');
    expect(await end(w)).toMatchObject([{ leaseId: 'live', outcome: 'CLOSED' }]);
    expect(looked.mock.calls.length).toBeLessThan(10);
    expect(w.lease('closed-1')).toMatchObject({ state: 'CLOSED', owner: 'execution-1' });
  });

  it('returns the leases it closed each time it is repeated, even if the sweeper finished a logout', async () => {
    const w = world();
    await openOf(w, 'a');
    w.once('logout', fail(busy));
    await expect(end(w)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    w.pass(61);
    await sweep(w.ports, w.deadline());
    expect(w.lease('a')?.state).toBe('CLOSED');
    for (let times = 0; times < 2; times++) {
      expect(await end(w)).toMatchObject([{ leaseId: 'a', outcome: 'ALREADY_CLOSED' }]);
    }
  });

  it('does not delay the sweep of SUSPECTs and slots of other arrays if its own array hangs', async () => {
    const w = world();
    for (let n = 0; n < 8; n++) {
      await openOf(w, `hung-${n}`, `owner-${n}`);
      w.once('ofOwner', async () => []);
      await endOwner(w.ports, `owner-${n}`, w.deadline());
      w.once('logout', hang);
    }
    w.once('login', fail(unreachable(true)));
    const lost = open(w, { array: 'fb2', leaseId: 'lost' });
    await expect(lost).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    w.pass(36 + 120 + 1800);
    void sweep(w.ports, w.deadline());
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(w.logouts('fb1')).toBe(0);
    expect([w.suspects(), w.slots('fb2')]).toEqual([[], []]);
    expect(await w.store.pending(0)).not.toContainEqual(expect.objectContaining({ kind: 'owner' }));
  });

  it('is looked up before a login, and nothing is opened if the lookup fails', async () => {
    const w = world();
    w.once('read', async (act) => act());
    w.once('read', fail(awsDown));
    await expect(openOf(w, 'a')).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.live.size).toBe(0);
  });
});
