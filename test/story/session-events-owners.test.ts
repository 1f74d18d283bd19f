import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../lib/ground/errors.ts';
import { office } from './memory-outbox.ts';
import { executionEnded, released, requested } from './messages.ts';
import { fail, unreachable } from './world.ts';

const REQUEST = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 600 };
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52';

describe('an owner', () => {
  const LEASES = Array.from({ length: 30 }, (_, n) => `job-${n}`);

  async function withLeases() {
    const o = office();
    for (const leaseId of LEASES) await o.deliver(requested({ array: 'fb1', leaseId, owner: EXECUTION }));
    await o.deliver(requested({ array: 'fb2', leaseId: 'other', owner: 'other' }));
    o.told.length = 0;
    return o;
  }

  it.each([
    ['whose execution ended', executionEnded(EXECUTION, 'TIMED_OUT')],
    ['that releases all it has', released({ owner: EXECUTION })],
  ])('%s has no session any more, others keep theirs, and each is told of', async (_, message) => {
    const { w, told, toldOf, deliver } = await withLeases();
    await deliver(message);
    expect([...w.live.values()].map(({ array }) => array)).toEqual(['fb2']);
    expect(toldOf().sort()).toEqual(LEASES.map((leaseId) => `closed ${leaseId}`).sort());
    expect(told[0]?.detail).toMatchObject({ array: 'fb1', owner: EXECUTION });
  });

  it('whose execution goes on keeps its sessions', async () => {
    const { w, told, deliver } = await withLeases();
    await deliver(executionEnded(EXECUTION, 'RUNNING'));
    expect(w.live.size).toBe(31);
    expect(told).toEqual([]);
  });

  it('that has ended opens nothing any more', async () => {
    const { w, told, letters, deliver } = office();
    await deliver(executionEnded(EXECUTION));
    await deliver(requested({ ...REQUEST, owner: EXECUTION }));
    expect(w.live.size).toBe(0);
    const reason = `lease ${REQUEST.leaseId}: its owner has already ended. Owners are single-use: use a new owner and a new lease id`;
    const ids = { eventId: 'event-1', leaseId: REQUEST.leaseId, array: REQUEST.array, owner: EXECUTION };
    expect(told).toEqual([{ type: 'failed', detail: { ...ids, code: 'LEASE_ENDED', reason } }]);
    expect(letters).toEqual([]);
  });

  it('is told of every session but the one whose telling failed, and of all when the message comes again', async () => {
    const { w, told, toldOf, failNext, deliver } = await withLeases();
    failNext('emit');
    await expect(deliver(executionEnded(EXECUTION))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.live.size).toBe(1);
    expect(told).toHaveLength(29);
    await deliver(executionEnded(EXECUTION));
    expect(new Set(toldOf()).size).toBe(30);
  });

  it('of whom one session cannot be closed for good: the others are told of, and so is the failure', async () => {
    const { w, told, letters, deliver } = await withLeases();
    w.once(
      'unseal',
      fail(() => new FlashBladeError('LEASE_ALTERED', 'the lease was altered')),
    );
    await deliver(executionEnded(EXECUTION));
    expect(told.filter(({ type }) => type === 'closed')).toHaveLength(29);
    expect(told.filter(({ type }) => type === 'failed')).toMatchObject([
      { detail: { eventId: 'event-1', owner: EXECUTION, code: 'LEASE_ALTERED' } },
    ]);
    expect(letters).toHaveLength(1);
  });

  it('of whom another session may still be closed: the message comes again before anything is given up', async () => {
    const { w, told, letters, deliver } = await withLeases();
    w.once(
      'unseal',
      fail(() => new FlashBladeError('LEASE_ALTERED', 'the lease was altered')),
    );
    w.once(
      'logout',
      fail(() => unreachable(true)),
    );
    await expect(deliver(executionEnded(EXECUTION))).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    expect(told.map(({ type }) => type)).not.toContain('failed');
    expect(letters).toEqual([]);
  });
});
