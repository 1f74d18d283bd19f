import { describe, expect, it } from 'vitest';
import { endOwnerOf } from '../../lib/story/end-owner.ts';
import { openSession } from '../../lib/story/open-session.ts';
import { sweep } from '../../lib/story/sweep.ts';
import { awsDown, busy, fail, type World, world } from './world.ts';

const open = (w: World, leaseId: string, owner = 'execution-1') =>
  openSession(w.edges, { array: 'fb1', leaseId, leaseSeconds: 900, owner }, w.deadline());
const end = (w: World) => endOwnerOf(w.edges, 'execution-1', w.deadline());

describe("an owner's end", () => {
  it("closes all of its leases and nobody else's", async () => {
    const w = world();
    await open(w, 'a');
    await open(w, 'b');
    await open(w, 'c', 'execution-2');
    expect((await end(w)).map(({ leaseId, outcome }) => [leaseId, outcome])).toEqual([
      ['a', 'CLOSED'],
      ['b', 'CLOSED'],
    ]);
    expect(w.lease('c')?.state).toBe('OPEN');
  });

  it('may come again, and may come when there is nothing to close', async () => {
    const w = world();
    expect(await end(w)).toEqual([]);
    await open(w, 'c', 'execution-2');
    expect(await end(w)).toEqual([]);
    expect(w.calls.filter((name) => name === 'write owner')).toHaveLength(1);
  });

  it('that came before the request opens nothing', async () => {
    const w = world();
    await end(w);
    const message = 'lease late: the owner it was asked for has ended';
    await expect(open(w, 'late')).rejects.toMatchObject({ code: 'LEASE_ENDED', message });
    expect(w.live.size).toBe(0);
    expect(w.lease('late')).toBeUndefined();
  });

  it('that comes while a lease is being opened ends it', async () => {
    const w = world();
    w.once('login', async (act) => {
      await end(w);
      return act();
    });
    await expect(open(w, 'a')).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.live.size).toBe(0);
  });

  it('closes what the index did not show yet, with the sweep a minute later', async () => {
    const w = world();
    await open(w, 'a');
    w.once('ofOwner', async () => []);
    expect(await end(w)).toEqual([]);
    expect(w.live.size).toBe(1);
    w.pass(59);
    await sweep(w.edges, w.deadline());
    expect(w.live.size).toBe(1);
    w.pass(1);
    await sweep(w.edges, w.deadline());
    expect(w.live.size).toBe(0);
    expect(await w.store.pending(0)).toMatchObject([{ kind: 'places' }]);
  });

  it('is looked at again when the sweep could not', async () => {
    const w = world();
    await open(w, 'a');
    w.once('ofOwner', async () => []);
    await end(w);
    w.pass(60);
    w.once('ofOwner', fail(awsDown));
    await sweep(w.edges, w.deadline());
    expect(w.live.size).toBe(1);
    await sweep(w.edges, w.deadline());
    expect(w.live.size).toBe(0);
  });

  it('tries every lease before it fails', async () => {
    const w = world();
    await open(w, 'a');
    await open(w, 'b');
    w.once('logout', fail(busy));
    await expect(end(w)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    expect(w.live.size).toBe(1);
    expect((await end(w)).map(({ outcome }) => outcome).sort()).toEqual(['ALREADY_CLOSED', 'CLOSED']);
  });

  it('that cannot be looked up opens nothing', async () => {
    const w = world();
    w.once('read', async (act) => act());
    w.once('read', fail(awsDown));
    await expect(open(w, 'a')).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.live.size).toBe(0);
  });
});
