/** The exact log lines that an operator finds for logins and logouts. */

import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { fleetOf } from '../../../lib/fleet-of.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { withLease } from '../../../lib/leases/use.ts';
import { awsDown, busy, fail, open, opened, refused, unreachable, type World, world } from '../../kit/memory/world.ts';

const close = (w: World) => closeSession(w.ports, 'job-1', w.deadline());
const id = expect.stringMatching(/^id-\d+$/);
const common = { leaseId: 'job-1', array: 'fb1', requestId: id };

/** The next call of that name takes two seconds. */
const slowly = (w: World, name: string, end: (act: () => Promise<unknown>) => Promise<unknown> = (act) => act()) =>
  w.once(name, (act) => {
    w.pass(2);
    return end(act);
  });

describe('a login', () => {
  const line = { ...common, secretVersionId: 'v1', durationMs: 2000 };

  it('a successful login is reported with its status and duration', async () => {
    const w = world();
    slowly(w, 'login');
    await open(w);
    expect(w.reports).toStrictEqual([{ event: 'LoginSucceeded', ...line, status: 200, message: 'logged in' }]);
    expect(w.reports[0]?.requestId).toBe(w.lease('job-1')?.attemptId);
  });

  it('a failed login is reported with its error code and status', async () => {
    const w = world();
    slowly(w, 'login', () => Promise.reject(refused()));
    await expect(open(w)).rejects.toThrow('array refused the API token');
    const failure = { code: 'LOGIN_REFUSED', status: 401, message: 'array refused the API token' };
    expect(w.reports).toStrictEqual([{ event: 'LoginFailed', ...line, ...failure }]);
  });

  it('a request for a lease that is already open is reported without a login', async () => {
    const w = await opened();
    await open(w);
    const message = 'the lease was already open';
    expect(w.reports).toStrictEqual([{ event: 'LeaseServed', leaseId: 'job-1', array: 'fb1', message }]);
  });

  it('the logout that undoes a login is reported, whether it succeeds or fails', async () => {
    const w = world();
    w.once('write OPEN', fail(awsDown));
    await expect(open(w)).rejects.toThrow();
    const undone = {
      event: 'LogoutSucceeded',
      status: 200,
      durationMs: 0,
      message: 'logged out again: no answer from AWS',
    };
    expect(w.reports.slice(1)).toStrictEqual([{ ...common, ...undone }]);
    w.once('write OPEN', fail(awsDown));
    w.once('logout', fail(busy));
    await expect(open(w)).rejects.toThrow();
    const failure = { event: 'LogoutFailed', code: 'ARRAY_BUSY', status: 503, durationMs: 0, message: 'array is busy' };
    expect(w.reports[3]).toStrictEqual({ ...common, ...failure });
  });

  it('a login with an unknown outcome is reported as a SUSPECT', async () => {
    const w = world();
    w.once('login', fail(unreachable(true)));
    const fate = "The session is recorded as a SUSPECT and ends after the array's idle timeout.";
    await expect(open(w)).rejects.toThrow(
      `array fb1 may have a session for lease job-1, but the session's auth token is lost. ${fate} Request the session again. (ARRAY_UNREACHABLE: no answer)`,
    );
    const message =
      'recorded a login with an unknown outcome. Array fb1 may have a session that ends only when the idle timeout expires';
    expect(w.reports.slice(1)).toStrictEqual([{ event: 'SuspectRecorded', ...common, message }]);
    const attemptId = w.reports[1]?.requestId ?? '';
    const until = w.seconds() + 36 + 120 + 1800;
    expect(w.store.slotsOf('fb1').get(attemptId)).toEqual({ attemptId, leaseId: 'job-1', until, suspect: true });
  });

  it('a relogin with an unknown outcome ends the lease, and the error says so', async () => {
    const w = await opened();
    w.dropSessions();
    w.once('login', fail(unreachable(true)));
    const call = withLease(w.ports, 'job-1', ({ request }) => request({ method: 'GET', path: '/api/2.4/arrays' }));
    await expect(call).rejects.toThrow('The lease has ended. Use a different lease id. (ARRAY_UNREACHABLE: no answer)');
  });
});

describe('a logout', () => {
  const line = { ...common, durationMs: 2000 };

  it('a successful logout is reported with its status and duration', async () => {
    const w = await opened();
    slowly(w, 'logout');
    await close(w);
    expect(w.reports).toStrictEqual([{ event: 'LogoutSucceeded', ...line, status: 200, message: 'logged out' }]);
  });

  it('a failed logout is reported, and a permanent failure marks the lease as STUCK at once', async () => {
    const w = await opened();
    slowly(w, 'logout', () => Promise.reject(busy()));
    await expect(close(w)).rejects.toThrow();
    const failure = { event: 'LogoutFailed', code: 'ARRAY_BUSY', status: 503, message: 'array is busy' };
    expect(w.reports).toStrictEqual([{ ...line, ...failure }]);
    w.reports.length = 0;
    w.once('logout', fail(new FlashBladeError('ANSWER_INVALID', 'answered 400')));
    await expect(close(w)).rejects.toThrow();
    const message =
      "user pureuser's session on array fb1 is still open after 2 failed logouts. Fix the cause, then invoke logout for lease job-1. The last error was: answered 400";
    const stuck = { event: 'LeaseStuck', leaseId: 'job-1', array: 'fb1', code: 'ANSWER_INVALID', message };
    expect(w.reports.slice(1)).toStrictEqual([stuck]);
  });

  it('a logout whose token cannot be unsealed is reported as LeaseAltered', async () => {
    const w = await opened();
    w.once('unseal', fail(new FlashBladeError('LEASE_ALTERED', 'it does not unseal')));
    await expect(close(w)).rejects.toThrow();
    const altered = { event: 'LeaseAltered', leaseId: 'job-1', array: 'fb1', code: 'LEASE_ALTERED' };
    expect(w.reports[1]).toStrictEqual({ ...altered, message: 'it does not unseal' });
  });

  it('a slot that cannot be freed after a logout is reported as LedgerWriteFailed', async () => {
    const w = await opened();
    w.once('freeSlot', fail(awsDown));
    await close(w);
    const failure = { event: 'LedgerWriteFailed', code: 'AWS_UNAVAILABLE', message: 'no answer from AWS' };
    expect(w.reports[1]).toStrictEqual({ leaseId: 'job-1', array: 'fb1', ...failure });
  });

  it('a logout that fails after the work is reported once', async () => {
    const w = world();
    const work = () => w.once('logout', fail(busy()));
    await fleetOf(w.ports).withSession('fb1', work, { leaseId: 'job-1' });
    const failure = { event: 'LogoutFailed', code: 'ARRAY_BUSY', status: 503, message: 'array is busy' };
    expect(w.reports.slice(1)).toStrictEqual([{ ...common, durationMs: 0, ...failure }]);
  });

  it('a session that cannot be closed after successful work is reported, and the work still succeeds', async () => {
    const w = world();
    const work = () => w.once('read', fail(awsDown));
    await fleetOf(w.ports).withSession('fb1', work, { leaseId: 'job-1' });
    const failure = { event: 'LogoutFailed', code: 'AWS_UNAVAILABLE', message: 'no answer from AWS' };
    expect(w.reports.slice(1)).toStrictEqual([{ leaseId: 'job-1', array: 'fb1', ...failure }]);
  });
});
