import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { openSession } from '../../../lib/leases/open.ts';
import { renewLease } from '../../../lib/leases/renew.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
import { withLease } from '../../../lib/leases/use.ts';
import {
  awsDown,
  busy,
  fail,
  hang,
  loseResponse,
  open,
  REQUEST,
  refused,
  unreachable,
  untilCalled,
  type World,
  world,
} from '../../kit/memory/world.ts';

describe('openSession', () => {
  it('returns a lease and stores the session sealed in the ledger', async () => {
    const w = world();
    const lease = await open(w, { owner: 'job' });
    expect(lease).toEqual({ leaseId: 'job-1', array: 'fb1', username: 'pureuser', expiresAt: w.seconds() + 900 });
    expect(w.lease('job-1')).toMatchObject({ state: 'OPEN', owner: 'job', dueAt: w.seconds() + 900 });
    expect(JSON.stringify([...w.store.items.values()])).not.toContain([...w.live.keys()][0]);
    expect(w.slots('fb1')).toEqual(['job-1']);
  });

  it('writes the intent before the login and records the session after it', async () => {
    const w = world();
    await open(w);
    const order = w.calls.filter((name) => name.startsWith('write') || name === 'login');
    expect(order).toEqual(['write OPENING', 'login', 'write OPEN']);
  });

  it('sends the attempt id as the request id of the login', async () => {
    const w = world();
    await open(w);
    expect([...w.live.values()][0]?.requestId).toBe(w.lease('job-1')?.attemptId);
  });

  it('reads no owner if the request names none', async () => {
    const w = world();
    await open(w);
    expect(w.lease('job-1')).not.toHaveProperty('owner');
    // The only item it reads is the refusal.
    expect(w.calls.filter((name) => name === 'read')).toHaveLength(1);
  });

  it('returns the same lease with the same expiry if the request is repeated', async () => {
    const w = world();
    const first = await open(w);
    w.pass(100);
    expect(await open(w, { leaseSeconds: 5000 })).toEqual(first);
    expect(w.live.size).toBe(1);
  });

  it('refuses another array under the same lease id and keeps no slot there', async () => {
    const w = world();
    await open(w);
    await expect(open(w, { array: 'fb2' })).rejects.toMatchObject({ code: 'LEASE_CONFLICT' });
    expect(w.slots('fb2')).toEqual([]);
    expect(w.slots('fb1')).toEqual(['job-1']);
  });

  it('throws a retryable error if other calls keep changing the lease', async () => {
    const w = world();
    for (let round = 0; round < 3; round++) w.once('write OPENING', async () => undefined);
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_OPENING', retryable: true });
    expect(w.calls).not.toContain('login');
    expect(w.slots('fb1')).toEqual([]);
  });

  it('refuses a lease that has expired', async () => {
    const w = world();
    await open(w);
    w.pass(900);
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
  });

  it('throws a retryable error while another call is opening the lease', async () => {
    const w = world();
    w.once('login', async (act) => {
      await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_OPENING', retryable: true });
      return act();
    });
    await open(w);
    expect(w.live.size).toBe(1);
    expect(w.slots('fb1')).toEqual(['job-1']);
  });

  it('starts nothing if too little time is left to undo it', async () => {
    const w = world();
    const call = openSession(w.ports, REQUEST, w.now() + 5500);
    await expect(call).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
    expect(w.calls).toEqual([]);
  });

  it.each([24.25, 25])('sends no login if the steps before it used up the time (%f s)', async (used) => {
    const w = world();
    w.once('dataKey', async (act) => {
      w.pass(used);
      return act();
    });
    await expect(open(w)).rejects.toMatchObject({
      code: 'OUT_OF_TIME',
      message: 'not enough time is left to log in. Allow more time.',
    });
    expect(w.calls).not.toContain('login');
    expect(w.store.items.size).toBe(0);
  });

  it('refuses a lease beyond the limit of the array and leaves nothing behind', async () => {
    const w = world({ sessionsPerArray: 2 });
    await open(w, { leaseId: 'a' });
    await open(w, { leaseId: 'b' });
    await expect(open(w, { leaseId: 'c' })).rejects.toMatchObject({
      code: 'LEASE_LIMIT',
      message: 'array fb1 already has 2 sessions (SESSIONS_PER_ARRAY). Close some, or wait',
    });
    expect(w.lease('c')).toBeUndefined();
    await closeSession(w.ports, 'a', w.deadline());
    await open(w, { leaseId: 'c' });
    expect(w.live.size).toBe(2);
  });

  it('frees only its own slot if another call has a slot for the same lease id but no intent yet', async () => {
    const w = world({ sessionsPerArray: 2 });
    w.once('write OPENING', async (act) => {
      // Both calls have a slot by now, but neither has an intent.
      await expect(open(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
      return act();
    });
    w.once('write OPENING', fail(awsDown));
    await open(w);
    expect(w.slots('fb1')).toEqual(['job-1']);
  });

  it('frees only its own slot if another call opens the same lease id before the slot is freed', async () => {
    const w = world({ sessionsPerArray: 2 });
    w.once('login', fail(busy));
    w.once('remove', async (act) => {
      const removed = await act();
      // Another call opens the same lease id before the slot is freed.
      await open(w);
      return removed;
    });
    await expect(open(w)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    expect(w.slots('fb1')).toEqual(['job-1']);
  });

  it('keeps its slot if another call for the same lease writes its intent first and then fails', async () => {
    const w = world();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    w.once('write OPENING', async (act) => {
      await released;
      return act();
    });
    const slow = open(w);
    await untilCalled(w, 'takeSlot');
    w.once('write OPENING', loseResponse(awsDown));
    await expect(open(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    release();
    await slow;
    expect(w.lease('job-1')?.state).toBe('OPEN');
    expect(w.slots('fb1')).toEqual(['job-1']);
  });

  it('takes the last slot of an array once an identical concurrent request has freed it', async () => {
    const w = world({ sessionsPerArray: 1 });
    w.once('takeSlot', async (act) => {
      // The other call has the slot and finds this call's intent.
      await untilCalled(w, 'write OPENING');
      const other = open(w);
      await untilCalled(w, 'read');
      const taken = await act();
      await expect(other).rejects.toMatchObject({ code: 'LEASE_OPENING' });
      return taken;
    });
    await open(w);
    expect(w.slots('fb1')).toEqual(['job-1']);
  });

  it('keeps only one slot if an identical request returns the same lease', async () => {
    const w = world({ sessionsPerArray: 2 });
    await open(w);
    await open(w);
    expect(w.slots('fb1')).toEqual(['job-1']);
    await open(w, { leaseId: 'other' });
  });

  it.each(['__proto__', 'constructor', 'suspect#id-1', 'id-2', 'shared by id-1'])(
    'counts a lease with the id %s like any other lease',
    async (leaseId) => {
      const w = world({ sessionsPerArray: 2 });
      await open(w);
      await open(w, { leaseId });
      await expect(open(w, { leaseId: 'third' })).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
      await closeSession(w.ports, 'job-1', w.deadline());
      expect(w.slots('fb1')).toEqual([leaseId]);
    },
  );

  it("refuses a request whose owner differs from the lease's owner, including if only one of them has an owner", async () => {
    const w = world();
    await open(w, { owner: 'me' });
    const conflict = {
      code: 'LEASE_CONFLICT',
      message: 'lease job-1 belongs to a different owner. Use a different lease id',
    };
    await expect(open(w, { owner: 'you' })).rejects.toMatchObject(conflict);
    await expect(open(w)).rejects.toMatchObject(conflict);
    expect(await open(w, { owner: 'me' })).toMatchObject({ leaseId: 'job-1' });
    await open(w, { leaseId: 'job-2' });
    await expect(open(w, { leaseId: 'job-2', owner: 'me' })).rejects.toMatchObject({ code: 'LEASE_CONFLICT' });
  });

  it('returns an open lease even if its array is full', async () => {
    const w = world({ sessionsPerArray: 1 });
    const first = await open(w);
    expect(await open(w)).toEqual(first);
  });
});

describe('a failed login', () => {
  it.each([
    ['busy', busy()],
    ['unreachable before anything was sent', unreachable(false)],
    ['untrusted', new FlashBladeError('ARRAY_UNTRUSTED', 'wrong name', { mayHaveOpened: false })],
  ])('leaves nothing behind if the array is %s, and the same request can be repeated', async (_how, error) => {
    const w = world();
    w.once('login', fail(error));
    await expect(open(w)).rejects.toBe(error);
    expect(w.store.items.size).toBe(0);
    expect(w.slots('fb1')).toEqual([]);
    expect(w.calls.filter((name) => name === 'secret')).toHaveLength(1);
    await open(w);
    expect(w.lease('job-1')?.state).toBe('OPEN');
  });

  it('is recorded as a SUSPECT before its intent is removed if a session may exist', async () => {
    const w = world();
    w.once('login', loseResponse(unreachable(true)));
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN', retryable: true });
    expect(w.live.size).toBe(1);
    expect(w.suspects()).toMatchObject([{ leaseId: 'job-1' }]);
    expect(w.calls.indexOf('write suspect')).toBeLessThan(w.calls.indexOf('remove'));
    expect(w.lease('job-1')).toBeUndefined();
    expect(w.events()).toContain('SuspectRecorded');
  });

  it('stays a SUSPECT long enough for a session that the array opened late to reach its idle timeout', async () => {
    const w = world();
    let arrive = async (): Promise<unknown> => undefined;
    w.once('login', async (act) => {
      arrive = act;
      throw unreachable(true);
    });
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    w.pass(20);
    await arrive();
    w.pass(1799);
    await sweep(w.ports, w.deadline());
    expect(w.live.size).toBe(1);
    expect(w.suspects()).toHaveLength(1);
  });

  it('is recorded as a SUSPECT if its error is unexpected, and the error is not printed', async () => {
    const w = world();
    w.once('login', fail(new TypeError('T-secret')));
    const error = await open(w).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'LOGIN_UNKNOWN' });
    expect(JSON.stringify([error, w.reports, String(error.stack)])).not.toContain('T-secret');
    expect(w.suspects()).toHaveLength(1);
  });

  it('tries at most three times to remove an intent that keeps changing', async () => {
    const w = world();
    w.once('login', fail(busy));
    w.once('remove', async () => false);
    await expect(open(w)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    expect([w.store.items.size, w.slots('fb1')]).toEqual([0, []]);
    w.once('login', fail(busy));
    for (let round = 0; round < 3; round++) w.once('remove', async () => false);
    w.calls.length = 0;
    await expect(open(w)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    expect(w.calls.filter((name) => name === 'remove')).toHaveLength(3);
    expect(w.lease('job-1')?.state).toBe('OPENING');
  });

  it("does not treat another call's session as its own", async () => {
    const w = world();
    w.once('login', async () => {
      w.pass(40);
      await open(w);
      throw unreachable(true);
    });
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    expect(w.lease('job-1')?.state).toBe('OPEN');
    expect(w.suspects()).toHaveLength(1);
  });

  it('throws LOGIN_UNKNOWN even if the ledger cannot be read afterward', async () => {
    const w = world();
    w.once('login', async () => {
      w.once('read', fail(awsDown));
      throw unreachable(true);
    });
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    expect(w.lease('job-1')?.state).toBe('OPENING');
  });

  it('keeps its intent if the SUSPECT cannot be written', async () => {
    const w = world();
    w.once('login', fail(unreachable(true)));
    w.once('write suspect', fail(awsDown));
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    expect(w.lease('job-1')?.state).toBe('OPENING');
    expect(w.events()).toContain('LedgerWriteFailed');
  });
});

describe('a SUSPECT', () => {
  it('keeps a slot of its array for as long as its session may exist', async () => {
    const w = world({ sessionsPerArray: 2 });
    for (const leaseId of ['a', 'b']) {
      w.once('login', loseResponse(unreachable(true)));
      await expect(open(w, { leaseId })).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    }
    await expect(open(w, { leaseId: 'c' })).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
    expect(w.live.size).toBe(2);
    w.pass(1800 + 36 + 120);
    await sweep(w.ports, w.deadline());
    await open(w, { leaseId: 'c' });
  });

  it('is reported in the error message if it cannot be recorded', async () => {
    const w = world();
    w.once('login', fail(unreachable(true)));
    w.once('write suspect', fail(awsDown));
    const message = expect.stringContaining('The ledger could not be updated and still contains the intent');
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN', message });
  });
});

describe('a refused login', () => {
  it('fails immediately, leaves only a refusal in the ledger, and is not repeated within ten minutes', async () => {
    const w = world();
    w.accept('fb1', 'another');
    await expect(open(w)).rejects.toThrow('it does not accept this API token');
    expect([...w.store.items.values()].map(({ kind }) => kind)).toEqual(['refusal']);
    await expect(open(w, { leaseId: 'job-2' })).rejects.toMatchObject({
      code: 'LOGIN_REFUSED',
      message:
        'array fb1 refused the API token in secret version v1 within the last ten minutes, so it was not sent again. Update the secret.',
    });
    expect(w.calls.filter((name) => name === 'login')).toHaveLength(1);
    expect(w.slots('fb1')).toEqual([]);
    w.pass(600);
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
    expect(w.calls.filter((name) => name === 'login')).toHaveLength(2);
  });

  it('is repeated once with the new API token if the secret has a newer version', async () => {
    const w = world();
    await open(w, { leaseId: 'before' });
    w.rotate('fb1', 'T-new');
    await open(w);
    expect(w.lease('job-1')?.state).toBe('OPEN');
    expect(w.calls.filter((name) => name === 'login')).toHaveLength(3);
  });

  it('is not repeated a second time if the array refuses the newer version too', async () => {
    const w = world();
    await open(w, { leaseId: 'before' });
    w.rotate('fb1', 'T-wrong', { accept: false });
    w.accept('fb1', 'T-else');
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
    expect(w.calls.filter((name) => name === 'login')).toHaveLength(3);
  });

  it('no longer blocks logins once the secret has a new version', async () => {
    const w = world();
    w.accept('fb1', 'T-new');
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
    w.rotate('fb1', 'T-new');
    await open(w);
    expect(w.live.size).toBe(1);
  });

  it('throws LOGIN_REFUSED even if the secret cannot be read again', async () => {
    const w = world();
    w.once('login', async () => {
      w.once('secret', fail(awsDown));
      throw refused();
    });
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
  });
});

describe('a session that cannot be recorded', () => {
  it('is logged out immediately', async () => {
    const w = world();
    w.once('write OPEN', fail(awsDown));
    await expect(open(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.live.size).toBe(0);
    expect(w.store.items.size).toBe(0);
    expect(w.slots('fb1')).toEqual([]);
  });

  it('is logged out, and its lease is removed, if another call changed the lease', async () => {
    const w = world();
    w.once('write OPEN', async () => undefined);
    await expect(open(w)).rejects.toMatchObject({
      code: 'LEASE_OPENING',
      message: 'lease job-1 was changed by another call during the login. Try again',
    });
    expect([w.live.size, w.store.items.size]).toEqual([0, 0]);
  });

  it('stays open if the record was written and only the response was lost', async () => {
    const w = world();
    w.once('write OPEN', loseResponse(awsDown));
    expect(await open(w)).toMatchObject({ leaseId: 'job-1' });
    expect(w.live.size).toBe(1);
    expect(w.calls).not.toContain('logout');
  });

  it('stays open if it was renewed before the lost response was noticed', async () => {
    const w = world();
    const expiresAt = w.seconds() + 3600;
    w.once('write OPEN', async (act) => {
      await act();
      await renewLease(w.ports, { leaseId: 'job-1', expiresAt }, w.deadline());
      throw awsDown();
    });
    expect(await open(w)).toMatchObject({ leaseId: 'job-1', expiresAt });
    expect(w.live.size).toBe(1);
    expect(w.calls).not.toContain('logout');
  });

  const unreadableRecord = (w: World) =>
    w.once('write OPEN', async (act) => {
      await act();
      w.once('read', fail(awsDown));
      throw awsDown();
    });

  it('is logged out if the ledger cannot confirm the record; a lease that was recorded stays open and logs in again', async () => {
    const w = world();
    unreadableRecord(w);
    await expect(open(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.live.size).toBe(0);
    expect(w.lease('job-1')?.state).toBe('OPEN');
    expect(w.slots('fb1')).toEqual(['job-1']);
    expect(await open(w)).toMatchObject({ leaseId: 'job-1' });
    const call = withLease(w.ports, 'job-1', ({ request }) => request({ method: 'GET', path: '/api/2.4/arrays' }));
    expect(await call).toMatchObject({ status: 200 });
    expect(w.live.size).toBe(1);
  });

  const failedWrite = async () => {
    throw new FlashBladeError('AWS_UNAVAILABLE', 'the write failed');
  };
  it.each<[string, () => Promise<unknown>, string]>([
    ['the error of the write', failedWrite, 'the write failed'],
    ['the error of the read if another call changed the lease', async () => undefined, 'no answer from AWS'],
  ])('makes openSession throw %s if the lease cannot be read back', async (_, write, message) => {
    const w = world();
    w.once('write OPEN', async () => {
      w.once('read', fail(awsDown));
      return write();
    });
    await expect(open(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', message });
    expect(w.live.size).toBe(0);
  });

  it('becomes a SUSPECT if it cannot be logged out either', async () => {
    const w = world();
    w.once('write OPEN', fail(awsDown));
    w.once('logout', fail(unreachable(true)));
    await expect(open(w)).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    expect(w.live.size).toBe(1);
    expect(w.suspects()).toHaveLength(1);
  });

  it('becomes a SUSPECT under a lease that was released meanwhile, and the error asks for another lease id', async () => {
    const w = world();
    w.once('write OPEN', async (act) => {
      await closeSession(w.ports, 'job-1', w.deadline());
      return act();
    });
    w.once('logout', fail(unreachable(true)));
    await expect(open(w)).rejects.toMatchObject({
      code: 'LOGIN_UNKNOWN',
      message: expect.stringContaining(' The lease has ended. Use a different lease id. (LEASE_ENDED: '),
    });
    expect(w.suspects()).toHaveLength(1);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
  });

  it('keeps its lease open if it was recorded after all and cannot be logged out', async () => {
    const w = world();
    unreadableRecord(w);
    w.once('logout', fail(unreachable(true)));
    await expect(open(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.lease('job-1')?.state).toBe('OPEN');
    expect(w.suspects()).toEqual([]);
    expect(await open(w)).toMatchObject({ leaseId: 'job-1' });
  });

  it('is logged out if its lease is released during the login, and a repeated request opens nothing', async () => {
    const w = world();
    w.once('login', async (act) => {
      expect(await closeSession(w.ports, 'job-1', w.deadline())).toMatchObject({ outcome: 'ENDING' });
      return act();
    });
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.live.size).toBe(0);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
  });
});

describe('an equal request for an open lease', () => {
  it('keeps the slot that version 0.1.0 took for the lease, even if the array is full', async () => {
    const w = world({ sessionsPerArray: 1 });
    await open(w);
    const slots = w.store.slotsOf('fb1');
    slots.clear();
    slots.set('job-1', { attemptId: 'a', until: w.seconds() + 60 });
    expect(await open(w)).toMatchObject({ leaseId: 'job-1' });
    expect([...slots.keys()]).toEqual(['job-1']);
    await expect(open(w, { leaseId: 'job-2' })).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
  });
});

describe('an attempt that hangs', () => {
  const hang = async (w: World): Promise<void> => {
    const pending = new Promise<never>(() => {});
    w.once('login', async (act) => {
      await act();
      return pending;
    });
    void open(w);
    await untilCalled(w, 'login');
  };

  it('is recorded as a SUSPECT and then taken over once its time has passed', async () => {
    const w = world();
    await hang(w);
    const dead = w.lease('job-1');
    w.pass(30);
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_OPENING' });
    w.pass(10);
    await open(w);
    expect(w.lease('job-1')).toMatchObject({ state: 'OPEN' });
    expect(w.lease('job-1')?.attemptId).not.toBe(dead?.attemptId);
    expect(w.suspects()).toMatchObject([{ attemptId: dead?.attemptId }]);
  });

  it('logs out its own session if it resumes after it was taken over', async () => {
    const w = world();
    let wake = (): void => {};
    w.once('login', async (act) => {
      const response = await act();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      return response;
    });
    const slow = open(w);
    await untilCalled(w, 'login');
    w.pass(40);
    await open(w);
    const winner = w.lease('job-1');
    wake();
    await expect(slow).rejects.toMatchObject({ code: 'LEASE_OPENING' });
    expect(w.live.size).toBe(1);
    expect(w.lease('job-1')).toEqual(winner);
    expect(w.slots('fb1')).toEqual(['job-1']);
  });
});

describe('a takeover', () => {
  it('respects the limit of the array, counts dead attempts as SUSPECTs and says so in the error', async () => {
    const w = world({ sessionsPerArray: 2 });
    for (const leaseId of ['a', 'b']) {
      w.once('login', hang);
      void open(w, { leaseId });
      await untilCalled(w, 'login');
      w.calls.length = 0;
    }
    w.pass(60);
    await expect(open(w, { leaseId: 'a' })).rejects.toMatchObject({
      code: 'LEASE_LIMIT',
      message: 'array fb1 already has 2 sessions (SESSIONS_PER_ARRAY), 1 of them SUSPECTs. Close some, or wait',
    });
    await expect(open(w, { leaseId: 'b' })).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
    expect(w.slots('fb1')).toEqual(['SUSPECT a', 'SUSPECT b']);
    expect(w.lease('a')).toBeUndefined();
  });
});

describe('the preparation of a login', () => {
  it.each(['dataKey', 'takeSlot', 'read', 'write OPENING'])(
    'is undone if %s fails, and no login is sent',
    async (name) => {
      const w = world();
      w.once(name, fail(awsDown));
      await expect(open(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
      expect(w.calls).not.toContain('login');
      expect(w.store.items.size).toBe(0);
      expect(w.slots('fb1')).toEqual([]);
    },
  );

  it('is undone if the intent was written and only the response was lost', async () => {
    const w = world();
    w.once('write OPENING', loseResponse(awsDown));
    await expect(open(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.store.items.size).toBe(0);
  });
});
