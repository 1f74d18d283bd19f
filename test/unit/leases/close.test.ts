import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { leaseKey } from '../../../lib/leases/items.ts';
import { KEEP_CLOSED_SECONDS, STUCK_RETRY_SECONDS, TRIES_UNTIL_STUCK } from '../../../lib/leases/states.ts';
import {
  awsDown,
  busy,
  fail,
  hang,
  loseResponse,
  open,
  opened,
  unreachable,
  untilCalled,
  type World,
  world,
} from '../../kit/memory/world.ts';

const close = (w: World) => closeSession(w.ports, 'job-1', w.deadline());

describe('closeSession', () => {
  it('logs out, deletes the token and frees the slot', async () => {
    const w = await opened();
    expect(await close(w)).toEqual({ leaseId: 'job-1', array: 'fb1', outcome: 'CLOSED' });
    expect(w.live.size).toBe(0);
    expect(w.lease('job-1')).toMatchObject({ state: 'CLOSED', purgeAt: w.seconds() + KEEP_CLOSED_SECONDS });
    expect(w.lease('job-1')).not.toHaveProperty('sealed');
    expect(w.lease('job-1')).not.toHaveProperty('dueAt');
    expect(w.slots('fb1')).toEqual([]);
  });

  it('claims the lease before the logout and reads no secret', async () => {
    const w = await opened();
    await close(w);
    expect(w.calls).not.toContain('secret');
    const order = w.calls.filter((name) => name.startsWith('write') || name === 'logout');
    expect(order).toEqual(['write CLOSING', 'logout', 'write CLOSED']);
  });

  it('returns ALREADY_CLOSED and sends no second logout if the lease is closed', async () => {
    const w = await opened();
    await close(w);
    expect(await close(w)).toMatchObject({ outcome: 'ALREADY_CLOSED' });
    expect(w.calls.filter((name) => name === 'logout')).toHaveLength(1);
  });

  it('treats a session that the array no longer knows as closed', async () => {
    const w = await opened();
    w.dropSessions();
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
    expect(w.reports.at(-1)).toMatchObject({ event: 'LogoutSucceeded', status: 403 });
  });

  it('leaves a tombstone for an unknown lease, so that a late request opens nothing', async () => {
    const w = world();
    expect(await close(w)).toStrictEqual({ leaseId: 'job-1', outcome: 'NEVER_OPENED' });
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.calls).not.toContain('login');
    expect(w.slots('fb1')).toEqual([]);
  });

  it('records a dead opening as a SUSPECT, which keeps the slot', async () => {
    const w = world();
    w.once('login', hang);
    void open(w);
    await untilCalled(w, 'login');
    w.pass(60);
    expect(await close(w)).toMatchObject({ outcome: 'SUSPECT' });
    expect(w.suspects()).toHaveLength(1);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
    expect(w.slots('fb1')).toEqual(['SUSPECT job-1']);
  });

  it('returns ENDING, keeps the slot and records no SUSPECT during an opening, and the opening call logs out', async () => {
    const w = world();
    w.once('login', async (act) => {
      expect(await close(w)).toStrictEqual({ leaseId: 'job-1', array: 'fb1', outcome: 'ENDING' });
      expect([w.slots('fb1'), w.suspects()]).toEqual([['job-1'], []]);
      return act();
    });
    await expect(open(w)).rejects.toThrow('lease job-1 was released while it was being opened');
    expect([w.live.size, w.suspects()]).toEqual([0, []]);
  });

  it('closes the lease if two calls run at the same time', async () => {
    const w = await opened();
    const results = await Promise.all([close(w), close(w)]);
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(expect.arrayContaining(['CLOSED']));
    expect(w.live.size).toBe(0);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('returns CLOSED if the logout succeeded and only the ledger update failed', async () => {
    const w = await opened();
    w.once('write CLOSED', fail(awsDown));
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
    expect(w.lease('job-1')).toMatchObject({ state: 'CLOSING' });
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('asks the caller to try again if other calls keep changing the lease', async () => {
    const w = await opened();
    for (let round = 0; round < 3; round++) w.once('write CLOSING', async () => undefined);
    await expect(close(w)).rejects.toMatchObject({
      code: 'LEASE_OPENING',
      message: 'lease job-1 is being changed by other calls. Try again',
    });
    expect(w.calls).not.toContain('logout');
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
  });

  it('starts nothing if too little time is left', async () => {
    const w = await opened();
    await expect(closeSession(w.ports, 'job-1', w.now() + 2500)).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
    expect(w.calls).toEqual([]);
  });
});

describe('the logout of a lease', () => {
  it.each([
    ['busy', busy()],
    ['unreachable', unreachable(true)],
  ])('is retried with doubling delays if the array is %s, until the lease is STUCK', async (_how, error) => {
    const w = await opened();
    const waits: number[] = [];
    for (let round = 0; round < TRIES_UNTIL_STUCK; round++) {
      w.once('logout', fail(error));
      await expect(close(w)).rejects.toBe(error);
      waits.push((w.lease('job-1')?.dueAt ?? 0) - w.seconds());
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, STUCK_RETRY_SECONDS]);
    expect(w.lease('job-1')).toMatchObject({ state: 'STUCK', tries: 6 });
    expect(w.events().filter((event) => event === 'LeaseStuck')).toHaveLength(1);
    expect(w.live.size).toBe(1);
    expect(w.slots('fb1')).toEqual(['job-1']);
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
    expect(w.live.size).toBe(0);
  });

  it('makes the lease STUCK immediately if the response is invalid', async () => {
    const w = await opened();
    w.once('logout', fail(new FlashBladeError('ANSWER_INVALID', 'answered 400', { status: 400, sent: true })));
    await expect(close(w)).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
    expect(w.lease('job-1')?.state).toBe('STUCK');
    expect(w.events()).toContain('LeaseStuck');
  });

  it('can be repeated safely if only the response was lost', async () => {
    const w = await opened();
    w.once('logout', loseResponse(unreachable(true)));
    await expect(close(w)).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
  });

  it('is not sent if the claim cannot be written', async () => {
    const w = await opened();
    w.once('write CLOSING', fail(awsDown));
    await expect(close(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.calls).not.toContain('logout');
    expect(w.lease('job-1')?.state).toBe('OPEN');
  });

  it('stays due if KMS does not respond', async () => {
    const w = await opened();
    w.once('unseal', fail(awsDown));
    await expect(close(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.lease('job-1')).toMatchObject({ state: 'CLOSING', tries: 1 });
  });
});

describe('a lease item', () => {
  it.each([
    ['host', (target: { host: string }) => ({ ...target, host: 'evil.example.com' })],
    ['array', (target: { host: string }) => ({ ...target, name: 'fb2' })],
    ['port', (target: { host: string }) => ({ ...target, port: 8443 })],
    ['trust', (target: { host: string }) => ({ ...target, trust: { kind: 'ca', ca: 'theirs' } })],
  ])('with an altered %s does not unseal: nothing is sent, and LeaseAltered is reported', async (_field, change) => {
    const w = await opened();
    const item = w.lease('job-1');
    if (item?.state !== 'OPEN') throw new Error('not open');
    const changed = { ...item, target: change(item.target) as typeof item.target };
    await w.store.write(changed, item, 0);
    await expect(close(w)).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
    expect(w.calls).not.toContain('logout');
    expect(w.events()).toEqual(expect.arrayContaining(['LeaseAltered', 'LeaseStuck']));
    expect(w.lease('job-1')?.state).toBe('STUCK');
  });

  it('without a trust is not claimed, and fails with the reason', async () => {
    const w = await opened();
    const item = w.lease('job-1');
    if (item?.state !== 'OPEN') throw new Error('not open');
    const { trust: _, ...damaged } = item.target;
    await w.store.write({ ...item, target: damaged as typeof item.target }, item, 0);
    await expect(close(w)).rejects.toThrow();
    expect(w.calls).not.toContain('write CLOSING');
    expect(w.lease('job-1')?.state).toBe('OPEN');
  });

  it('copied to another lease id does not unseal', async () => {
    const w = await opened();
    const item = w.lease('job-1');
    if (item?.state !== 'OPEN') throw new Error('not open');
    await w.store.write({ ...item, id: leaseKey('mine'), leaseId: 'mine' }, undefined, 0);
    await expect(closeSession(w.ports, 'mine', w.deadline())).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });
});
