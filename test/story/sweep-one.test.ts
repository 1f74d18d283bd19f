/** One line of the index, swept: what is learned about its array, and what is said if it cannot be done. */
import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../lib/ground/errors.ts';
import { closeSession } from '../../lib/story/close-session.ts';
import { endOwnerOf } from '../../lib/story/end-owner.ts';
import { openSession } from '../../lib/story/open-session.ts';
import { sweep } from '../../lib/story/sweep.ts';
import { sweepLease, sweepOwner, sweepPlaces, sweepSuspect } from '../../lib/story/sweep-one.ts';
import { awsDown, busy, fail, unreachable, untilCalled, type World, world } from './world.ts';

const open = (w: World, leaseId = 'job-1', array = 'fb1') =>
  openSession(w.edges, { array, leaseId, leaseSeconds: 900 }, w.deadline());
const swept = (w: World, leaseId = 'job-1') => sweepLease(w.edges, leaseId, w.deadline());

async function died(w: World): Promise<void> {
  w.once('login', () => new Promise(() => {}));
  void open(w);
  await untilCalled(w, 'login');
}

describe('a lease that is swept', () => {
  it('is closed, or settled if there is nothing to do now', async () => {
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
    w.once('write CLOSING', async () => false);
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
  ])('is of an array that is silent after %s, which is no failure of the sweep', async (_, error) => {
    const w = world();
    await open(w);
    w.pass(900);
    w.once('logout', fail(error));
    expect(await swept(w)).toBe('silent');
    expect(w.events()).not.toContain('SweepFailed');
  });

  it('tells nothing of its array if the ledger fails, and that is told', async () => {
    const w = world();
    w.once('read', fail(awsDown));
    expect(await swept(w)).toBe('settled');
    const message = 'lease job-1 was not swept: no answer from AWS';
    expect(w.reports).toStrictEqual([{ event: 'SweepFailed', code: 'AWS_UNAVAILABLE', message }]);
  });
});

describe('what is swept besides', () => {
  it.each([
    ['owner me', (w: World) => sweepOwner(w.edges, 'me', w.deadline()), 'ofOwner'],
    ['SUSPECT a1', (w: World) => sweepSuspect(w.edges, 'a1', w.deadline()), 'read'],
    ['the places of array fb1', (w: World) => sweepPlaces(w.edges, 'fb1', w.deadline()), 'places'],
  ])('is told of if it cannot be done: %s', async (what, work, call) => {
    const w = world();
    w.once(call, fail(awsDown));
    await work(w);
    const message = `${what} was not swept: no answer from AWS`;
    expect(w.reports).toStrictEqual([{ event: 'SweepFailed', code: 'AWS_UNAVAILABLE', message }]);
  });

  it('are places, of which only those are asked about whose opening is over', async () => {
    const w = world();
    await open(w, 'job-1');
    await open(w, 'job-2');
    w.pass(36);
    w.calls.length = 0;
    await sweepPlaces(w.edges, 'fb1', w.deadline());
    expect(w.calls).toEqual(['places', 'lookAtPlaces']);
    w.pass(1);
    w.calls.length = 0;
    await sweepPlaces(w.edges, 'fb1', w.deadline());
    expect(w.calls).toEqual(['places', 'read', 'read', 'lookAtPlaces']);
    expect(w.places('fb1')).toEqual(['job-1', 'job-2']);
    expect(await w.store.pending(0)).toContainEqual({
      kind: 'places',
      id: 'fb1',
      array: 'fb1',
      dueAt: w.seconds() + 600,
    });
  });

  it('are places of a lease that is on another array now', async () => {
    const w = world();
    await w.store.join('fb2', 'job-1', { attemptId: 'a0', until: 0, limit: 9 }, 0);
    await open(w);
    await sweepPlaces(w.edges, 'fb2', w.deadline());
    expect([w.places('fb1'), w.places('fb2')]).toEqual([['job-1'], []]);
  });
});

describe('a sweep', () => {
  it('reads nothing but the index if nothing is due', async () => {
    const w = world();
    await open(w);
    w.once(
      'login',
      fail(() => unreachable(true)),
    );
    await expect(open(w, 'job-2')).rejects.toThrow();
    w.calls.length = 0;
    await sweep(w.edges, w.deadline());
    expect(w.calls).toEqual(['pending']);
  });

  it('counts what is due of each kind for itself', async () => {
    const w = world();
    for (const leaseId of ['expired', 'closing']) await open(w, leaseId);
    w.once(
      'login',
      fail(() => unreachable(true)),
    );
    await expect(open(w, 'lost', 'fb2')).rejects.toThrow();
    w.once('logout', fail(busy));
    await closeSession(w.edges, 'closing', w.deadline()).catch(() => {});
    await endOwnerOf(w.edges, 'me', w.deadline());
    w.pass(900);
    w.calls.length = 0;
    expect(await sweep(w.edges, w.deadline())).toEqual({
      ...{ live: 1, expired: 1, closed: 2, stuck: 0, suspect: 1, left: 0 },
      oldestDueSeconds: 890,
    });
    const counted = w.reports.filter(({ event }) => event === 'ArrayCounted');
    expect(counted.map(({ array, gauges, message }) => [array, gauges, message])).toEqual([
      ['fb1', { LiveLeases: 1, StuckLeases: 0, Suspects: 0 }, 'what the ledger holds of this array'],
      ['fb2', { LiveLeases: 0, StuckLeases: 0, Suspects: 1 }, 'what the ledger holds of this array'],
    ]);
    expect(w.reports.find(({ event }) => event === 'SweepDone')?.message).toBe('swept: 2 closed, 0 left');
  });

  it('comes to arrays that have failed before after the others', async () => {
    const w = world();
    const asked: string[] = [];
    const { logout } = w.edges.flashblade;
    const noting: typeof logout = (session, options) => {
      asked.push(session.array.name);
      return logout(session, options);
    };
    await open(w, 'a', 'fb1');
    await open(w, 'b', 'fb1');
    await open(w, 'c', 'fb2');
    w.once('logout', fail(busy));
    await closeSession(w.edges, 'a', w.deadline()).catch(() => {});
    w.pass(900);
    await sweep({ ...w.edges, flashblade: { ...w.edges.flashblade, logout: noting } }, w.deadline());
    expect(asked).toEqual(['fb2', 'fb1', 'fb1']);
  });

  it('goes on with one lease after the other until one of them shows that the array answers', async () => {
    const w = world();
    for (const leaseId of ['a', 'b', 'c']) await open(w, leaseId);
    w.pass(900);
    w.once('write CLOSING', async () => false);
    w.calls.length = 0;
    await sweep(w.edges, w.deadline());
    const steps = w.calls.filter((name) => /^(write CLOSING|logout|write CLOSED)$/.test(name));
    expect(steps.slice(0, 4)).toEqual(['write CLOSING', 'write CLOSING', 'logout', 'write CLOSED']);
  });
});
