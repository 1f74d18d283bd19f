import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../lib/core/errors.ts';
import { closeSession } from '../../lib/leases/close.ts';
import { leaseKey } from '../../lib/leases/items.ts';
import { openSession } from '../../lib/leases/open.ts';
import { KEEP_CLOSED_SECONDS, STUCK_RETRY_SECONDS, TRIES_UNTIL_STUCK } from '../../lib/leases/states.ts';
import { awsDown, busy, fail, loseAnswer, unreachable, untilCalled, type World, world } from './world.ts';

const open = (w: World) => openSession(w.ports, { array: 'fb1', leaseId: 'job-1', leaseSeconds: 900 }, w.deadline());
const close = (w: World) => closeSession(w.ports, 'job-1', w.deadline());

async function opened(): Promise<World> {
  const w = world();
  await open(w);
  w.calls.length = 0;
  return w;
}

describe('closing a session', () => {
  it('logs out, keeps no token and gives the place back', async () => {
    const w = await opened();
    expect(await close(w)).toEqual({ leaseId: 'job-1', array: 'fb1', outcome: 'CLOSED' });
    expect(w.live.size).toBe(0);
    expect(w.lease('job-1')).toMatchObject({ state: 'CLOSED', purgeAt: w.seconds() + KEEP_CLOSED_SECONDS });
    expect(w.lease('job-1')).not.toHaveProperty('sealed');
    expect(w.lease('job-1')).not.toHaveProperty('dueAt');
    expect(w.slots('fb1')).toEqual([]);
  });

  it('claims the lease before the logout and needs no secret', async () => {
    const w = await opened();
    await close(w);
    expect(w.calls).not.toContain('secret');
    const order = w.calls.filter((name) => name.startsWith('write') || name === 'logout');
    expect(order).toEqual(['write CLOSING', 'logout', 'write CLOSED']);
  });

  it('is done already when it is asked for again', async () => {
    const w = await opened();
    await close(w);
    expect(await close(w)).toMatchObject({ outcome: 'ALREADY_CLOSED' });
    expect(w.calls.filter((name) => name === 'logout')).toHaveLength(1);
  });

  it('takes a session that the array knows no more for closed', async () => {
    const w = await opened();
    w.dropSessions();
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
    expect(w.reports.at(-1)).toMatchObject({ event: 'LogoutSucceeded', status: 403 });
  });

  it('of a lease that nobody knows leaves a tombstone, so that a late request opens nothing', async () => {
    const w = world();
    expect(await close(w)).toStrictEqual({ leaseId: 'job-1', outcome: 'NEVER_OPENED' });
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.calls).not.toContain('login');
    expect(w.slots('fb1')).toEqual([]);
  });

  it('of an opening that died records a SUSPECT, which takes its place', async () => {
    const w = world();
    w.once('login', () => new Promise(() => {}));
    void open(w);
    await untilCalled(w, 'login');
    w.pass(60);
    expect(await close(w)).toMatchObject({ outcome: 'SUSPECT' });
    expect(w.suspects()).toHaveLength(1);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
    expect(w.slots('fb1')).toEqual(['SUSPECT job-1']);
  });

  it('that is being opened at this moment leaves its place and no SUSPECT: whoever opens it logs out', async () => {
    const w = world();
    w.once('login', async (act) => {
      expect(await close(w)).toStrictEqual({ leaseId: 'job-1', array: 'fb1', outcome: 'ENDING' });
      expect([w.slots('fb1'), w.suspects()]).toEqual([['job-1'], []]);
      return act();
    });
    await expect(open(w)).rejects.toThrow('lease job-1 was released while it was being opened');
    expect([w.live.size, w.suspects()]).toEqual([0, []]);
  });

  it('by two calls at once closes once for both', async () => {
    const w = await opened();
    const results = await Promise.all([close(w), close(w)]);
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(expect.arrayContaining(['CLOSED']));
    expect(w.live.size).toBe(0);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('says that it is closed when the logout succeeded and only the record failed', async () => {
    const w = await opened();
    w.once('write CLOSED', fail(awsDown));
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
    expect(w.lease('job-1')).toMatchObject({ state: 'CLOSING' });
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('is asked to come again if the lease is changed under its hands again and again', async () => {
    const w = await opened();
    for (let round = 0; round < 3; round++) w.once('write CLOSING', async () => undefined);
    await expect(close(w)).rejects.toMatchObject({
      code: 'LEASE_OPENING',
      message: 'lease job-1 is being changed by other calls: try again',
    });
    expect(w.calls).not.toContain('logout');
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
  });

  it('begins nothing with too little time', async () => {
    const w = await opened();
    await expect(closeSession(w.ports, 'job-1', w.now() + 2500)).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
    expect(w.calls).toEqual([]);
  });
});

describe('a logout that fails', () => {
  it.each([
    ['busy', busy()],
    ['silent', unreachable(true)],
  ])(
    'is due again later when the array is %s, each time after about twice as long, and then STUCK',
    async (_how, error) => {
      const w = await opened();
      const waits: number[] = [];
      for (let round = 0; round < TRIES_UNTIL_STUCK; round++) {
        w.once(
          'logout',
          fail(() => error),
        );
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
    },
  );

  it('is loud at once when the answer shows a bug', async () => {
    const w = await opened();
    w.once(
      'logout',
      fail(() => new FlashBladeError('ANSWER_INVALID', 'answered 400', { status: 400, sent: true })),
    );
    await expect(close(w)).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
    expect(w.lease('job-1')?.state).toBe('STUCK');
    expect(w.events()).toContain('LeaseStuck');
  });

  it('is repeated harmlessly when only its answer was lost', async () => {
    const w = await opened();
    w.once(
      'logout',
      loseAnswer(() => unreachable(true)),
    );
    await expect(close(w)).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    expect(await close(w)).toMatchObject({ outcome: 'CLOSED' });
  });

  it('does not happen when the claim could not be written', async () => {
    const w = await opened();
    w.once('write CLOSING', fail(awsDown));
    await expect(close(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.calls).not.toContain('logout');
    expect(w.lease('job-1')?.state).toBe('OPEN');
  });

  it('stays due when KMS does not answer', async () => {
    const w = await opened();
    w.once('unseal', fail(awsDown));
    await expect(close(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.lease('job-1')).toMatchObject({ state: 'CLOSING', tries: 1 });
  });
});

describe('a lease whose item was changed', () => {
  it.each([
    ['host', (target: { host: string }) => ({ ...target, host: 'evil.example.com' })],
    ['array', (target: { host: string }) => ({ ...target, name: 'fb2' })],
    ['port', (target: { host: string }) => ({ ...target, port: 8443 })],
    ['trust', (target: { host: string }) => ({ ...target, trust: { kind: 'ca', ca: 'theirs' } })],
  ])('in its %s does not unseal: nothing is sent, and somebody is told', async (_field, change) => {
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

  it('or copied under another id does not unseal', async () => {
    const w = await opened();
    const item = w.lease('job-1');
    if (item?.state !== 'OPEN') throw new Error('not open');
    await w.store.write({ ...item, id: leaseKey('mine'), leaseId: 'mine' }, undefined, 0);
    await expect(closeSession(w.ports, 'mine', w.deadline())).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });
});
