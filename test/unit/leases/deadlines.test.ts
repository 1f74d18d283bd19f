/** When each call must end, in seconds from the start, to leave time for the calls after it. The deadline is usually at 30. */
import { describe, expect, it } from 'vitest';
import { checkFleet } from '../../../lib/fleet/check.ts';
import { allowedCalls, callArray } from '../../../lib/leases/call-array.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { dispatch } from '../../../lib/leases/dispatch.ts';
import { openSession } from '../../../lib/leases/open.ts';
import { renewLease } from '../../../lib/leases/renew.ts';
import { withLease } from '../../../lib/leases/use.ts';
import { type Hook, hooked, hookedOutbox } from '../../kit/memory/hook.ts';
import { MAX_AGE_SECONDS, memoryOutbox } from '../../kit/memory/memory-outbox.ts';
import { released, requested } from '../../kit/memory/messages.ts';
import { awsDown, busy, fail, opened, REQUEST, unreachable, type World, world } from '../../kit/memory/world.ts';

const GET = { method: 'GET', path: '/api/2.4/arrays' } as const;

/** Ports and outbox of the world. Each call adds a line `call: seconds` to `log`. */
function watched(w: World) {
  const log: string[] = [];
  const watch: Hook = ({ method, by, act }) => {
    log.push(`${method}: ${(by - w.now()) / 1000}`);
    return act();
  };
  return { ports: hooked(w.ports, watch), outbox: hookedOutbox(memoryOutbox().outbox, watch), log };
}

describe('every call ends before the deadline and leaves time for the calls after it', () => {
  it('opening a session leaves time to record or undo it', async () => {
    const w = world();
    const { ports, log } = watched(w);
    await openSession(ports, REQUEST, w.deadline());
    expect(log).toEqual([
      'read: 24.25',
      'write: 24.25',
      'dataKey: 24.25',
      'takeSlot: 24.25',
      'read: 24.25',
      'login: 24.25',
      'write: 26.25',
    ]);
  });

  it('opening a session for an owner leaves time to check that the owner has not ended', async () => {
    const w = world();
    const { ports, log } = watched(w);
    await openSession(ports, { ...REQUEST, owner: 'me' }, w.deadline());
    expect(log.slice(5)).toEqual(['read: 24.25', 'login: 24.25', 'write: 26.25']);
  });

  it('undoing an opening leaves time to remove its lease and free its slot', async () => {
    const w = world();
    const { ports, log } = watched(w);
    w.once('write OPEN', fail(awsDown));
    await expect(openSession(ports, REQUEST, w.deadline())).rejects.toThrow();
    expect(log.slice(7)).toEqual(['read: 26.75', 'logout: 29.25', 'read: 29.25', 'remove: 29.25', 'freeSlot: 29.25']);
  });

  it('recording a SUSPECT ends before the deadline', async () => {
    const w = world();
    const { ports, log } = watched(w);
    w.once('login', fail(unreachable(true)));
    await expect(openSession(ports, REQUEST, w.deadline())).rejects.toThrow();
    expect(new Set(log.slice(6))).toEqual(new Set(['read: 29.25', 'write: 29.25', 'keepSlot: 29.25', 'remove: 29.25']));
  });

  it('closing a session leaves time to record it', async () => {
    const w = await opened();
    const { ports, log } = watched(w);
    await closeSession(ports, 'job-1', w.deadline());
    const before = ['read: 29.25', 'write: 27.25', 'unseal: 27.25', 'logout: 27.25'];
    expect(log).toEqual([...before, 'write: 29.25', 'freeSlot: 29.25']);
  });

  it('a logout that failed leaves time to schedule its retry', async () => {
    const w = await opened();
    const { ports, log } = watched(w);
    w.once('logout', fail(busy));
    await expect(closeSession(ports, 'job-1', w.deadline())).rejects.toThrow();
    expect(log.slice(4)).toEqual(['write: 29.25']);
  });

  it('a relogin leaves time to record it and repeat the request', async () => {
    const w = await opened();
    w.dropSessions();
    const { ports, log } = watched(w);
    await withLease(ports, 'job-1', ({ request }) => request(GET), { deadline: w.deadline() });
    expect(log).toEqual([
      ...['read: 30', 'unseal: 30', 'read: 1', 'request: 30'],
      ...['read: 24.25', 'read: 24.25', 'dataKey: 24.25', 'read: 24.25', 'logout: 24.25', 'write: 24.25'],
      ...['moveSlot: 24.25', 'login: 24.25', 'write: 26.25', 'request: 30'],
    ]);
  });

  it('call-array ends before the deadline', async () => {
    const w = await opened();
    const { ports, log } = watched(w);
    await callArray(ports, allowedCalls('GET /api/**'), { leaseId: 'job-1', ...GET }, w.deadline());
    expect(log).toEqual(['read: 29.25', 'unseal: 29.25', 'read: 1', 'request: 29.25']);
  });

  it('renewing a lease leaves time to record it', async () => {
    const w = await opened();
    const { ports, log } = watched(w);
    await renewLease(ports, { leaseId: 'job-1', expiresAt: w.seconds() + 1000 }, w.deadline());
    expect(log.slice(-2)).toEqual(['read: 29.25', 'write: 29.25']);
    const others = log.slice(0, -2).filter((line) => line !== 'read: 1');
    expect(new Set(others.map((line) => line.split(': ')[1]))).toEqual(new Set(['27.25']));
  });

  it('handling a message leaves time to emit its event or send it to the dead-letter queue', async () => {
    const w = world();
    const { ports, outbox, log } = watched(w);
    await dispatch(ports, outbox, requested(REQUEST), MAX_AGE_SECONDS, w.deadline());
    expect([log[0], log.at(-1)]).toEqual(['read: 19.75', 'emit: 29.25']);
    log.length = 0;
    await dispatch(ports, outbox, released({ leaseId: 'job-1' }), MAX_AGE_SECONDS, w.deadline());
    expect([log[0], log.at(-1)]).toEqual(['read: 24.75', 'emit: 29.25']);
    log.length = 0;
    await dispatch(ports, outbox, requested({ array: 'fb9' }), MAX_AGE_SECONDS, w.deadline());
    expect(log.slice(-2)).toEqual(['emit: 29.25', 'deadLetter: 29.25']);
  });

  it('checking the fleet takes at most 40 seconds per array', async () => {
    const w = world();
    const { ports, log } = watched(w);
    w.once('apiVersions', async () => ({ data: ['1.12'], status: 200, headers: {}, requestId: '' }));
    await checkFleet(ports, {}, w.now() + 300_000);
    expect(log.slice(0, 2)).toEqual(['list: 299.25', 'pending: 299.25']);
    const lines = (name: string) => [...new Set(log.filter((line) => line.startsWith(`${name}:`)))];
    expect(lines('apiVersions')).toEqual(['apiVersions: 30']);
    expect(lines('request')).toEqual(['request: 30']);
    expect(lines('login')).toEqual(['login: 24.25']);
    expect(lines('logout')).toEqual(['logout: 37.25']);
    expect(log[2]).toBe('read: 30');
  });
});
