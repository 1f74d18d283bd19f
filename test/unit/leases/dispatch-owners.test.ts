import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { queueWorld } from '../../kit/memory/memory-outbox.ts';
import { executionEnded, released, requested } from '../../kit/memory/messages.ts';
import { awsDown, fail, unreachable } from '../../kit/memory/world.ts';

const REQUEST = { array: 'fb1', leaseId: 'job-1', leaseSeconds: 600 };
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52';

it('an execution that can own no lease is ignored with a log line, not sent to the dead-letter queue', async () => {
  const { w, published, letters, deliver } = queueWorld();
  await deliver(executionEnded(EXECUTION.replace('0f3e7a52', 'Prüfung 7'), 'FAILED'));
  expect([published, letters]).toEqual([[], []]);
  expect(w.reports).toEqual([
    { event: 'EventIgnored', eventId: 'event-1', message: expect.stringContaining('owns no lease') },
  ]);
  await deliver(executionEnded(EXECUTION, 'RUNNING'));
  expect(w.reports).toHaveLength(1);
});

describe('an owner', () => {
  const LEASES = Array.from({ length: 30 }, (_, n) => `job-${n}`);

  async function withLeases() {
    const o = queueWorld();
    for (const leaseId of LEASES) await o.deliver(requested({ array: 'fb1', leaseId, owner: EXECUTION }));
    await o.deliver(requested({ array: 'fb2', leaseId: 'other', owner: 'other' }));
    o.published.length = 0;
    return o;
  }

  it.each([
    ['ends with its execution', executionEnded(EXECUTION, 'TIMED_OUT')],
    ['is released', released({ owner: EXECUTION })],
  ])('an owner that %s loses all its sessions, each is published, and other owners keep theirs', async (_, message) => {
    const { w, published, outcomes, deliver } = await withLeases();
    await deliver(message);
    expect([...w.live.values()].map(({ array }) => array)).toEqual(['fb2']);
    expect(outcomes().sort()).toEqual(LEASES.map((leaseId) => `closed ${leaseId}`).sort());
    expect(published[0]?.detail).toMatchObject({ array: 'fb1', owner: EXECUTION });
  });

  it('an owner whose execution is running keeps its sessions', async () => {
    const { w, published, deliver } = await withLeases();
    await deliver(executionEnded(EXECUTION, 'RUNNING'));
    expect(w.live.size).toBe(31);
    expect(published).toEqual([]);
  });

  it('an owner that has ended cannot open a session', async () => {
    const { w, published, letters, deliver } = queueWorld();
    await deliver(executionEnded(EXECUTION));
    await deliver(requested({ ...REQUEST, owner: EXECUTION }));
    expect(w.live.size).toBe(0);
    const reason = `the owner of lease ${REQUEST.leaseId} has already ended. Owners are single-use, so use a new owner and a new lease id`;
    const ids = { eventId: 'event-1', leaseId: REQUEST.leaseId, array: REQUEST.array, owner: EXECUTION };
    expect(published).toEqual([{ type: 'failed', detail: { ...ids, code: 'LEASE_ENDED', reason } }]);
    expect(letters).toEqual([]);
  });

  it('an event that could not be published is published at the next delivery', async () => {
    const { w, published, outcomes, deliver } = await withLeases();
    w.once('emit', fail(awsDown));
    await expect(deliver(executionEnded(EXECUTION))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.live.size).toBe(1);
    expect(published).toHaveLength(29);
    await deliver(executionEnded(EXECUTION));
    expect(new Set(outcomes()).size).toBe(30);
  });

  it('if one session can never be closed, the failure and the other sessions are published', async () => {
    const { w, published, letters, deliver } = await withLeases();
    w.once('unseal', fail(new FlashBladeError('LEASE_ALTERED', 'the lease was altered')));
    await deliver(executionEnded(EXECUTION));
    expect(published.filter(({ type }) => type === 'closed')).toHaveLength(29);
    expect(published.filter(({ type }) => type === 'failed')).toMatchObject([
      { detail: { eventId: 'event-1', owner: EXECUTION, code: 'LEASE_ALTERED' } },
    ]);
    expect(letters).toHaveLength(1);
  });

  it('a retryable failure of one session comes before a permanent failure of another', async () => {
    const { w, published, letters, deliver } = await withLeases();
    w.once('unseal', fail(new FlashBladeError('LEASE_ALTERED', 'the lease was altered')));
    w.once('logout', fail(unreachable(true)));
    await expect(deliver(executionEnded(EXECUTION))).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    expect(published.map(({ type }) => type)).not.toContain('failed');
    expect(letters).toEqual([]);
  });
});
