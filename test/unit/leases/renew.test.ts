import { describe, expect, it } from 'vitest';
import { fleetOf } from '../../../lib/fleet-of.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { renewLease } from '../../../lib/leases/renew.ts';
import { hang, open, untilCalled, type World, world } from '../../kit/memory/world.ts';

const renew = (w: World, expiresAt: number) => renewLease(w.ports, { leaseId: 'job-1', expiresAt }, w.deadline());

describe('renewing a lease', () => {
  it('a renewal extends the lease, uses its session once, and changes nothing when it is repeated', async () => {
    const w = world();
    const lease = await open(w);
    const later = { ...lease, expiresAt: lease.expiresAt + 600 };
    expect(await renew(w, later.expiresAt)).toEqual(later);
    expect(await renew(w, later.expiresAt)).toEqual(later);
    expect(w.lease('job-1')).toMatchObject({ state: 'OPEN', expiresAt: later.expiresAt, dueAt: later.expiresAt });
    expect(w.calls.filter((name) => name === 'request')).toHaveLength(2);
  });

  it('a renewal that arrives late never shortens the lease', async () => {
    const w = world();
    const lease = await open(w);
    expect(await renew(w, lease.expiresAt - 500)).toEqual(lease);
  });

  it('a lease cannot be extended beyond MAX_LEASE_SECONDS after its request', async () => {
    const w = world();
    const start = w.seconds();
    await open(w);
    expect(await renew(w, start + 86_400)).toMatchObject({ expiresAt: start + 86_400 });
    const rule = 'expiresAt must be at most 86400 seconds after the lease was requested (MAX_LEASE_SECONDS)';
    const refusal = { code: 'REQUEST_INVALID', message: `renew request: ${rule}` };
    await expect(renew(w, start + 86_401)).rejects.toMatchObject(refusal);
  });

  it('a program that renews a lease for too long is told how many leaseSeconds are left', async () => {
    const w = world();
    const fleet = fleetOf(w.ports);
    Object.assign(w.ports.limits, { maxLeaseSeconds: 1800 });
    await open(w);
    w.pass(600.5);
    const why = 'because a renewed lease lasts at most 1800 seconds (limits.maxLeaseSeconds) from the request for it';
    const message = `options.leaseSeconds must be at most 1199 now, ${why}`;
    await expect(fleet.renew('job-1', { leaseSeconds: 1200 })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message,
    });
    expect((await fleet.renew('job-1', { leaseSeconds: 1199 })).expiresAt).toEqual(
      new Date((w.seconds() + 1200) * 1000),
    );
    Object.assign(w.ports.limits, { maxLeaseSeconds: 600 });
    const never = 'options.leaseSeconds cannot extend this lease, because a renewed lease lasts at most 600 seconds';
    await expect(fleet.renew('job-1', { leaseSeconds: 60 })).rejects.toThrow(never);
  });

  it('a lease that has ended is said to have ended, also if the renewal goes beyond MAX_LEASE_SECONDS', async () => {
    const w = world();
    await open(w);
    w.pass(900);
    await expect(renew(w, w.seconds() + 100_000)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
  });

  it('a renewal logs in again under the same lease when the array has dropped the session', async () => {
    const w = world();
    const lease = await open(w);
    w.dropSessions();
    expect(await renew(w, lease.expiresAt + 60)).toMatchObject({ expiresAt: lease.expiresAt + 60 });
    expect(w.live.size).toBe(1);
  });

  it('a renewal fails for a lease that is unknown, expired or closed', async () => {
    const w = world();
    const unknown = {
      code: 'LEASE_UNKNOWN',
      message: 'lease job-1 does not exist. Open a session first, or correct the id',
    };
    await expect(renew(w, w.seconds() + 60)).rejects.toMatchObject(unknown);
    const lease = await open(w);
    w.pass(900);
    await expect(renew(w, lease.expiresAt + 900)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    await closeSession(w.ports, 'job-1', w.deadline());
    await expect(renew(w, lease.expiresAt + 900)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
  });

  it('a renewal fails and leaves the lease unchanged when the array does not serve the call', async () => {
    const w = world();
    const lease = await open(w);
    w.once('request', async () => ({ status: 503, headers: {}, body: '', requestId: '' }));
    await expect(renew(w, lease.expiresAt + 60)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    expect(w.lease('job-1')).toMatchObject({ expiresAt: lease.expiresAt });
  });

  it('a renewal fails as retryable while the lease is still opening', async () => {
    const w = world();
    w.once('login', hang);
    void open(w);
    await untilCalled(w, 'login');
    await expect(renew(w, w.seconds() + 60)).rejects.toMatchObject({ code: 'LEASE_OPENING', retryable: true });
  });

  it('a renewal fails as retryable when other writers change the lease three times in a row', async () => {
    const w = world();
    const lease = await open(w);
    for (let round = 0; round < 3; round++) w.once('write OPEN', async () => undefined);
    await expect(renew(w, lease.expiresAt + 60)).rejects.toMatchObject({ code: 'LEASE_OPENING' });
    expect(w.lease('job-1')).toMatchObject({ expiresAt: lease.expiresAt });
  });

  it.each([
    [429, 'ARRAY_BUSY'],
    [500, 'ARRAY_BUSY'],
    [499, 'ANSWER_INVALID'],
    [204, 'ANSWER_INVALID'],
  ])(
    'a renewal to which the array responds with %i fails as %s and names lease, array and status',
    async (status, code) => {
      const w = world();
      const lease = await open(w);
      w.once('request', async () => ({ status, headers: {}, body: '', requestId: '' }));
      await expect(renew(w, lease.expiresAt + 60)).rejects.toMatchObject({
        code,
        message: `array fb1 returned ${status} for GET /api/2.10/arrays: lease job-1 was not renewed. Try again before the lease ends.`,
        facts: { status, sent: true },
      });
    },
  );

  it('a renewal does not overwrite a release that happens at the same time', async () => {
    const w = world();
    const lease = await open(w);
    w.once('write OPEN', async (act) => {
      await closeSession(w.ports, 'job-1', w.deadline());
      return act();
    });
    await expect(renew(w, lease.expiresAt + 60)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });
});
