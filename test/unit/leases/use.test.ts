import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { FlashBlade } from '../../../lib/core/model.ts';
import { fleetOf } from '../../../lib/fleet-of.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import type { Open, Stored } from '../../../lib/leases/items.ts';
import { openSession } from '../../../lib/leases/open.ts';
import { sweep } from '../../../lib/leases/sweep.ts';
import { withLease } from '../../../lib/leases/use.ts';
import { hooked } from '../../kit/memory/hook.ts';
import {
  API_TOKEN,
  awsDown,
  busy,
  fail,
  hang,
  loseResponse,
  open,
  refused,
  unreachable,
  untilCalled,
  type World,
  world,
} from '../../kit/memory/world.ts';

const GET = { method: 'GET', path: '/api/2.4/arrays' } as const;
const noPermission = async () => ({ status: 403, headers: {}, body: '', requestId: '' });
const countOf = (w: World, name: string): number => w.calls.filter((call) => call === name).length;

describe('withSession', () => {
  it('opens a session, runs the work and closes the session', async () => {
    const w = world();
    const status = await fleetOf(w.ports).withSession('fb1', async ({ request }) => (await request(GET)).status);
    expect(status).toBe(200);
    expect(w.live.size).toBe(0);
    expect([...w.store.items.values()]).toMatchObject([{ state: 'CLOSED' }]);
  });

  it("closes the session if the work fails and throws the work's error", async () => {
    const w = world();
    const work = async () => {
      throw new RangeError('mine');
    };
    await expect(fleetOf(w.ports).withSession('fb1', work)).rejects.toThrow(RangeError);
    expect(w.live.size).toBe(0);
  });

  it.each(['result', 'error'])(
    "never hides the work's %s behind a failed logout, and reports the failed logout",
    async (kind) => {
      const w = world();
      w.once('logout', fail(busy));
      const work = async () => {
        if (kind === 'error') throw new RangeError('mine');
        return 42;
      };
      const outcome = await fleetOf(w.ports)
        .withSession('fb1', work)
        .catch((error) => error);
      expect(kind === 'error' ? outcome : undefined).toEqual(kind === 'error' ? new RangeError('mine') : undefined);
      expect(kind === 'result' ? outcome : 42).toBe(42);
      expect(w.events().filter((event) => event === 'LogoutFailed')).toHaveLength(1);
      expect([...w.store.items.values()]).toMatchObject([{ state: 'CLOSING' }]);
    },
  );

  it.each([12, 19, 21, 3600])('closes the session if the work takes %i of 20 seconds', async (seconds) => {
    const w = world();
    const work = () => {
      w.pass(seconds);
      return 'late';
    };
    expect(await fleetOf(w.ports).withSession('fb1', work, { timeoutMs: 20_000 })).toBe('late');
    expect([w.live.size, w.events()]).toEqual([0, ['LoginSucceeded', 'LogoutSucceeded']]);
  });

  it.each([true, false])('passes on whether numbers stay exact: %j', async (exactNumbers) => {
    const w = world();
    const seen: unknown[] = [];
    const { request } = w.ports.flashblade;
    w.ports.flashblade.request = (session, call, options) => {
      seen.push(options.exactNumbers);
      return request(session, call, options);
    };
    await fleetOf(w.ports).withSession('fb1', (use) => use.request(GET), { exactNumbers });
    expect(seen).toEqual([exactNumbers]);
  });

  it('refuses invalid lease options before any call', async () => {
    const w = world();
    const call = fleetOf(w.ports).withSession('fb1', () => 1, { leaseSeconds: 5 });
    await expect(call).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    expect(w.calls).toEqual([]);
  });

  it('generates a lease id and defaults to 900 seconds', async () => {
    const w = world();
    const lease = await fleetOf(w.ports).withSession('fb1', ({ lease }) => lease);
    expect(lease).toEqual({
      leaseId: expect.stringMatching(/^id-\d+$/),
      array: 'fb1',
      username: 'pureuser',
      expiresAt: new Date((w.seconds() + 900) * 1000),
    });
  });

  it('ends before its deadline and reserves time for the logout', async () => {
    const w = world();
    const deadlines: Record<string, number> = {};
    const ports = hooked(w.ports, ({ port, method, by, act }) => {
      if (port === 'flashblade') deadlines[method] = (by - w.now()) / 1000;
      return act();
    });
    const work = async ({ request }: { request: (call: typeof GET) => Promise<unknown> }) => request(GET);
    await fleetOf(ports).withSession('fb1', work, { timeoutMs: 25_000 });
    expect(deadlines).toEqual({ login: 9.25, request: 15, logout: 7.25 });
    await fleetOf(ports).withSession('fb1', work, { timeoutMs: 3_600_000 });
    expect(deadlines).toEqual({ login: 24.25, request: 3590, logout: 7.25 });
  });

  it('passes no token to the work', async () => {
    const w = world();
    await fleetOf(w.ports).withSession('fb1', async (use) => {
      expect(Object.keys(use).sort()).toEqual([
        'apiVersions',
        'delete',
        'get',
        'lease',
        'list',
        'patch',
        'post',
        'put',
        'renew',
        'request',
        'signal',
      ]);
      expect(JSON.stringify(use)).not.toContain('auth-');
    });
  });
});

describe('withLease', () => {
  it('uses the session of a lease that another call opened and leaves it open', async () => {
    const w = world();
    const lease = await open(w);
    const seen = await withLease(w.ports, 'job-1', async (use) => [use.lease, (await use.request(GET)).status]);
    expect(seen).toEqual([lease, 200]);
    expect(w.live.size).toBe(1);
  });

  it('refuses a lease that was never opened', async () => {
    const w = world();
    await expect(withLease(w.ports, 'nope', () => 1)).rejects.toMatchObject({
      code: 'LEASE_UNKNOWN',
      message: 'lease nope does not exist. Open a session first, or correct the id',
    });
  });

  it('reports LeaseAltered if the token does not unseal, but not if KMS does not respond', async () => {
    const w = world();
    await open(w);
    w.once('unseal', fail(awsDown));
    const use = () => withLease(w.ports, 'job-1', () => 1);
    await expect(use()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.events()).not.toContain('LeaseAltered');
    const altered = () => new FlashBladeError('LEASE_ALTERED', 'it does not unseal');
    w.once('unseal', fail(altered));
    await expect(use()).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
    const report = {
      event: 'LeaseAltered',
      leaseId: 'job-1',
      array: 'fb1',
      code: 'LEASE_ALTERED',
      message: 'it does not unseal',
    };
    expect(w.reports.at(-1)).toEqual(report);
  });

  describe('for redaction', () => {
    /** Collects the API token of the session of each request. */
    function known(w: World): (string | undefined)[] {
      const tokens: (string | undefined)[] = [];
      const { request } = w.ports.flashblade;
      w.ports.flashblade.request = (session, ...rest) => {
        tokens.push(session.apiToken?.reveal());
        return request(session, ...rest);
      };
      return tokens;
    }
    const use = (w: World) => withLease(w.ports, 'job-1', ({ request }) => request(GET));

    it('reads the API token while the auth token is being unsealed, not before or after', async () => {
      const w = world();
      await open(w);
      const tokens = known(w);
      let release = () => {};
      w.once('unseal', async (act) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return act();
      });
      w.calls.length = 0;
      const using = use(w);
      await untilCalled(w, 'secret');
      expect(w.calls).toEqual(['read', 'unseal', 'secret']);
      release();
      expect((await using).status).toBe(200);
      expect(tokens).toEqual([API_TOKEN]);
    });

    it('works without the API token if the secret cannot be read', async () => {
      const w = world();
      await open(w);
      const tokens = known(w);
      w.once('secret', fail(awsDown));
      expect((await use(w)).status).toBe(200);
      expect(tokens).toEqual([undefined]);
    });

    it('uses the API token of its own login after a relogin', async () => {
      const w = world();
      await open(w);
      const tokens = known(w);
      w.dropSessions();
      w.rotate('fb1', 'T-next');
      expect((await use(w)).status).toBe(200);
      expect(tokens).toEqual([API_TOKEN, 'T-next']);
    });
  });

  it('refuses a lease that was closed or has expired', async () => {
    const w = world();
    await open(w);
    w.pass(900);
    await expect(withLease(w.ports, 'job-1', () => 1)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    await closeSession(w.ports, 'job-1', w.deadline());
    await expect(withLease(w.ports, 'job-1', () => 1)).rejects.toMatchObject({
      code: 'LEASE_ENDED',
      message: 'lease job-1 has ended. Open another session',
    });
  });

  it('logs in again once under the same lease if the array dropped the session', async () => {
    const w = world();
    const lease = await open(w);
    w.dropSessions();
    const status = await withLease(w.ports, 'job-1', async ({ request }) => (await request(GET)).status);
    expect(status).toBe(200);
    expect(w.live.size).toBe(1);
    expect(w.lease('job-1')).toMatchObject({ state: 'OPEN', expiresAt: lease.expiresAt });
  });

  it.each([401, 403])('logs out the old session before the relogin after status %i', async (status) => {
    const w = world();
    await open(w);
    w.once('request', async () => ({ ...(await noPermission()), status }));
    await withLease(w.ports, 'job-1', ({ request }) => request(GET));
    expect(w.calls.filter((name) => name === 'login' || name === 'logout')).toEqual(['login', 'logout', 'login']);
    expect(w.live.size).toBe(1);
  });

  it('throws FORBIDDEN after a second refusal and does not log in a third time', async () => {
    const w = world();
    await open(w);
    const work = async ({ request }: { request: (call: typeof GET) => Promise<unknown> }) => {
      for (let round = 0; round < 3; round++) {
        w.once('request', noPermission);
        if (round === 0) w.once('request', noPermission);
        await expect(request(GET)).rejects.toMatchObject({
          code: 'FORBIDDEN',
          message:
            "array fb1 refused GET /api/2.4/arrays even after a new login. Give user pureuser permission to make this call, or use another user's API token",
        });
      }
      return request(GET);
    };
    expect(await withLease(w.ports, 'job-1', work)).toMatchObject({ status: 200 });
    expect(countOf(w, 'login')).toBe(2);
  });

  it.each([401, 403])('keeps the session if something in front of the array returns %i', async (status) => {
    const w = world();
    await open(w);
    const before = w.lease('job-1');
    const front = async () => ({ ...(await noPermission()), status, isInFront: true });
    w.once('request', front);
    const work = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(work).rejects.toMatchObject({
      code: 'ARRAY_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining(
        `returned ${status} for GET /api/2.4/arrays. Let requests to the array through.`,
      ),
      facts: { status, sent: true },
    });
    expect([countOf(w, 'login'), countOf(w, 'logout'), w.live.size]).toEqual([1, 0, 1]);
    expect(w.lease('job-1')).toEqual(before);

    w.dropSessions();
    w.once('request', noPermission);
    w.once('request', front);
    const again = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(again).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE' });
    expect([w.live.size, w.lease('job-1')?.state]).toEqual([1, 'OPEN']);
  });

  it('logs in again only once for many concurrent requests', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    const many = await withLease(w.ports, 'job-1', ({ request }) =>
      Promise.all(Array.from({ length: 10 }, () => request(GET))),
    );
    expect(many.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(countOf(w, 'login')).toBe(2);
    expect(w.live.size).toBe(1);
  });

  it('logs in again even if the lease is renewed at the same moment', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    w.once('write OPENING', async (act) => {
      const item = w.lease('job-1') as Stored<Open>;
      await w.store.write({ ...item, expiresAt: item.expiresAt + 60 }, item, 0);
      return act();
    });
    const { expiresAt } = w.lease('job-1') as Open;
    expect(await withLease(w.ports, 'job-1', ({ request }) => request(GET))).toMatchObject({ status: 200 });
    expect(w.lease('job-1')).toMatchObject({ state: 'OPEN', expiresAt: expiresAt + 60 });
    expect(w.calls.filter((name) => name === 'login' || name === 'logout')).toEqual(['login', 'logout', 'login']);
  });

  it('throws a retryable error and keeps the lease if other calls keep changing it', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    for (let round = 0; round < 3; round++) w.once('write OPENING', async () => undefined);
    const call = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call).rejects.toMatchObject({ code: 'LEASE_OPENING', retryable: true });
    expect(countOf(w, 'login')).toBe(1);
    expect(w.lease('job-1')?.state).toBe('OPEN');
  });

  it.each<[string, () => Error]>([
    ['busy', busy],
    ['unreachable', () => unreachable(false)],
  ])('keeps the lease if the array is %s during the relogin, and the next call logs in again', async (_, error) => {
    const w = world({ sessionsPerArray: 1 });
    const lease = await open(w);
    w.dropSessions();
    w.once('login', fail(error));
    const call = () => withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call()).rejects.toMatchObject({ retryable: true });
    expect(w.lease('job-1')).toMatchObject({ state: 'OPEN', expiresAt: lease.expiresAt, dueAt: lease.expiresAt });
    expect(w.slots('fb1')).toEqual(['job-1']);
    expect(await call()).toMatchObject({ status: 200 });
    expect([w.live.size, w.slots('fb1')]).toEqual([1, ['job-1']]);
  });

  it('logs in again at the next request after the array was busy, also for another caller that uses the lease', async () => {
    const w = world();
    await open(w);
    await withLease(w.ports, 'job-1', async (other) => {
      w.dropSessions();
      await withLease(w.ports, 'job-1', async ({ request }) => {
        w.once('login', fail(busy));
        await expect(request(GET)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
        w.once('login', fail(busy));
        await expect(other.request(GET)).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
        expect(await request(GET)).toMatchObject({ status: 200 });
        expect(await other.request(GET)).toMatchObject({ status: 200 });
      });
    });
    expect(countOf(w, 'login')).toBe(4);
    expect(w.live.size).toBe(1);
  });

  it('closes a lease that was released during a failed relogin', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    w.once('login', async () => {
      await closeSession(w.ports, 'job-1', w.deadline());
      throw busy();
    });
    const call = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    expect([w.lease('job-1')?.state, w.slots('fb1')]).toEqual(['CLOSED', []]);
  });

  it('passes its slot on to the relogin even if the array is full', async () => {
    const w = world({ sessionsPerArray: 1 });
    await open(w);
    w.dropSessions();
    await withLease(w.ports, 'job-1', ({ request }) => request(GET));
    expect([...w.store.slotsOf('fb1').keys()]).toEqual([w.lease('job-1')?.attemptId]);
    await expect(open(w, { leaseId: 'other' })).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
  });

  it('keeps the lease without a relogin if its slot is lost and the array is full', async () => {
    const w = world({ sessionsPerArray: 1 });
    await open(w);
    w.dropSessions();
    w.store.slotsOf('fb1').clear();
    await open(w, { leaseId: 'other' });
    const call = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call).rejects.toMatchObject({ code: 'LEASE_LIMIT' });
    expect([w.lease('job-1')?.state, w.slots('fb1')]).toEqual(['OPEN', ['other']]);
  });

  it('uses the session that another call opened under the lease meanwhile', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    await withLease(w.ports, 'job-1', async ({ request }) => {
      await withLease(w.ports, 'job-1', (other) => other.request(GET));
      expect(await request(GET)).toMatchObject({ status: 200 });
    });
    expect(countOf(w, 'login')).toBe(2);
    expect(w.live.size).toBe(1);
  });

  it("does not log in again if the array also refuses another call's new session", async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    const work = async ({ request }: { request: (call: typeof GET) => Promise<unknown> }) => {
      await withLease(w.ports, 'job-1', (other) => other.request(GET));
      for (let round = 0; round < 3; round++) w.once('request', noPermission);
      await expect(request(GET)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(request(GET)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    };
    await withLease(w.ports, 'job-1', work);
    expect(countOf(w, 'login')).toBe(2);
  });

  it.each<[string, Partial<FlashBlade>]>([
    ['name', { name: 'fb2' }],
    ['host', { host: 'other.example.com' }],
    ['port', { port: 8443 }],
    ['trust', { trust: { kind: 'fingerprints', fingerprints: ['ab'] } }],
  ])('never sends the API token elsewhere if the secret now has another %s', async (_, change) => {
    const w = world();
    await open(w);
    w.dropSessions();
    w.once('secret', (act) => act());
    w.once('secret', async (act) => {
      const secret = (await act()) as { array: FlashBlade };
      return { ...secret, array: { ...secret.array, ...change } };
    });
    const call = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call).rejects.toMatchObject({
      code: 'LEASE_ENDED',
      message:
        'lease job-1 lost its session, and the secret now has a different host, port or trust settings. Open another session',
    });
    expect(w.calls.filter((name) => name === 'login' || name === 'logout')).toEqual(['login']);
  });

  it('ends the lease if the relogin is refused', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    w.once('login', fail(refused));
    const call = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
    expect(w.lease('job-1')?.state).toBe('CLOSED');
    expect(w.slots('fb1')).toEqual([]);
  });

  it('uses the current API token for a relogin even if an older one is cached', async () => {
    const w = world();
    await open(w);
    w.rotate('fb1', 'T-new');
    w.dropSessions();
    expect(await withLease(w.ports, 'job-1', ({ request }) => request(GET))).toMatchObject({ status: 200 });
  });

  it("never sends the API token to a host other than the lease's", async () => {
    const w = world();
    await open(w);
    w.rotate('fb1', API_TOKEN, { host: 'other.example.com' });
    w.dropSessions();
    const call = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(countOf(w, 'login')).toBe(1);
  });

  it('records a SUSPECT and ends the lease if the outcome of the relogin is unknown', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    w.once('login', fail(unreachable(true)));
    const call = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    expect(w.suspects()).toHaveLength(1);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('logs in again each time the array drops a session that worked for a minute', async () => {
    const w = world();
    await open(w);
    const statuses = await withLease(w.ports, 'job-1', async ({ request }) => {
      const seen = [];
      for (let round = 0; round < 3; round++) {
        w.dropSessions();
        w.pass(61);
        seen.push((await request(GET)).status, (await request(GET)).status);
      }
      return seen;
    });
    expect(statuses).toEqual(Array(6).fill(200));
    expect(countOf(w, 'login')).toBe(4);
  });

  it('retries a relogin after a temporary failure', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    w.once('dataKey', fail(awsDown));
    await withLease(w.ports, 'job-1', async ({ request }) => {
      await expect(request(GET)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
      expect(await request(GET)).toMatchObject({ status: 200 });
    });
  });

  it('keeps a working session if a relogin would be refused', async () => {
    const w = world();
    await open(w);
    w.accept('fb1', 'T-other');
    await expect(
      openSession(w.ports, { array: 'fb1', leaseId: 'x', leaseSeconds: 60 }, w.deadline()),
    ).rejects.toThrow();
    w.once('request', noPermission);
    const call = withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
    expect(w.live.size).toBe(1);
    expect(w.lease('job-1')?.state).toBe('OPEN');
  });

  it('never follows a lease item that was changed to name another array', async () => {
    const w = world();
    await open(w);
    const call = withLease(w.ports, 'job-1', async ({ request }) => {
      const item = w.lease('job-1');
      if (item?.state !== 'OPEN') throw new Error('not open');
      const target = { ...item.target, name: 'fb2', host: 'fb2.example.com' };
      await w.store.write({ ...item, target }, item, 0);
      w.dropSessions();
      return request(GET);
    });
    const code = 'LEASE_ALTERED';
    const message =
      'the array, host or trust settings of lease job-1 on array fb1 have changed since it was opened. Find out who changed the lease table';
    await expect(call).rejects.toMatchObject({ code, message });
    expect(w.reports.at(-1)).toEqual({ event: 'LeaseAltered', leaseId: 'job-1', array: 'fb1', code, message });
    expect(countOf(w, 'login')).toBe(1);
  });

  it('treats a refusal within a minute of a relogin as FORBIDDEN in every process', async () => {
    const w = world();
    await open(w);
    const call = () => withLease(w.ports, 'job-1', ({ request }) => request(GET));
    for (let round = 0; round < 3; round++) {
      w.once('request', noPermission);
      if (round === 0) w.once('request', noPermission);
      await expect(call()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(countOf(w, 'login')).toBe(2);
    w.pass(61);
    w.once('request', noPermission);
    expect(await call()).toMatchObject({ status: 200 });
    expect(countOf(w, 'login')).toBe(3);
  });

  it('treats a refusal shortly after a successful request as FORBIDDEN if it has already logged in again', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    await withLease(w.ports, 'job-1', async ({ request }) => {
      await request(GET);
      w.pass(600);
      await request(GET);
      w.pass(9);
      w.once('request', noPermission);
      await expect(request(GET)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      expect(countOf(w, 'login')).toBe(2);
      w.dropSessions();
      w.pass(1);
      expect(await request(GET)).toMatchObject({ status: 200 });
      expect(countOf(w, 'login')).toBe(3);
    });
  });

  it('does not treat status 503 as proof that the session works', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    await withLease(w.ports, 'job-1', async ({ request }) => {
      await request(GET);
      w.pass(600);
      w.once('request', async () => ({ ...(await noPermission()), status: 503 }));
      await request(GET);
      w.dropSessions();
      expect(await request(GET)).toMatchObject({ status: 200 });
    });
  });

  it('keeps the lease if the response to the intent of a relogin was lost', async () => {
    const w = world({ sessionsPerArray: 1 });
    await open(w);
    w.dropSessions();
    w.once('write OPENING', loseResponse(awsDown));
    const call = () => withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await expect(call()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(w.lease('job-1')?.state).toBe('OPEN');
    expect(await call()).toMatchObject({ status: 200 });
    expect([w.suspects(), w.slots('fb1')]).toEqual([[], ['job-1']]);
  });

  it('passes on a slot that version 0.1.0 took even if the array is full, and closing the lease frees it', async () => {
    const w = world({ sessionsPerArray: 1 });
    await open(w);
    const slots = w.store.slotsOf('fb1');
    const former = () => {
      slots.clear();
      slots.set('job-1', { attemptId: 'theirs', until: 0 });
    };
    former();
    w.dropSessions();
    expect(await withLease(w.ports, 'job-1', ({ request }) => request(GET))).toMatchObject({ status: 200 });
    expect([...slots.keys()]).toEqual([w.lease('job-1')?.attemptId]);
    former();
    await closeSession(w.ports, 'job-1', w.deadline());
    expect(slots.size).toBe(0);
  });

  it('makes openSession throw a retryable error during a relogin, until the sweeper closes a dead relogin', async () => {
    const w = world();
    await open(w);
    w.dropSessions();
    w.once('login', hang);
    const before = countOf(w, 'login');
    void withLease(w.ports, 'job-1', ({ request }) => request(GET));
    await untilCalled(w, 'logout');
    for (let turn = 0; turn < 1000 && countOf(w, 'login') === before; turn++) await new Promise(setImmediate);
    expect(w.lease('job-1')).toMatchObject({ state: 'OPENING', again: { username: 'pureuser' } });
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_OPENING', retryable: true });
    w.pass(60);
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_OPENING', retryable: true });
    await sweep(w.ports, w.deadline());
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.suspects()).toHaveLength(1);
  });

  it('throws LEASE_OPENING while the lease is being opened, even if that takes too long', async () => {
    const w = world();
    w.once('login', hang);
    void open(w);
    await untilCalled(w, 'login');
    const use = () => withLease(w.ports, 'job-1', () => 1);
    await expect(use()).rejects.toMatchObject({
      code: 'LEASE_OPENING',
      message: 'lease job-1 is being opened. Try again',
    });
    w.pass(60);
    await expect(use()).rejects.toMatchObject({ code: 'LEASE_OPENING' });
    await sweep(w.ports, w.deadline());
    await expect(use()).rejects.toMatchObject({ code: 'LEASE_UNKNOWN' });
  });

  it('does not log in again if the lease was closed meanwhile', async () => {
    const w = world();
    await open(w);
    const call = withLease(w.ports, 'job-1', async ({ request }) => {
      await closeSession(w.ports, 'job-1', w.deadline());
      return request(GET);
    });
    await expect(call).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    expect(w.live.size).toBe(0);
  });
});

describe('the facts of an error', () => {
  const answer = (status: number) => async () => ({ status, headers: {}, body: {}, requestId: 'sent-1' });
  const lease = { array: 'fb1', leaseId: 'job-1' };

  it.each([
    [404, 'CALL_REFUSED'],
    [503, 'ARRAY_BUSY'],
    [200, 'ANSWER_INVALID'],
  ])('of a call or list whose response has status %i are the array, the lease and the phase', async (status, code) => {
    const w = world();
    await open(w);
    await fleetOf(w.ports).withLease('job-1', async (fb) => {
      w.once('request', answer(status));
      const listing = fb.list('/arrays').next();
      await expect(listing).rejects.toMatchObject({ code, facts: { ...lease, phase: 'call', sent: true } });
      if (status === 200) return;
      w.once('request', answer(status));
      const facts = { ...lease, phase: 'call', status, requestId: 'sent-1' };
      await expect(fb.get('/arrays')).rejects.toMatchObject({ code, facts });
    });
  });

  it('of a call that is refused even after a new login include the request', async () => {
    const w = world();
    await open(w);
    for (let times = 0; times < 2; times++) w.once('request', answer(403));
    const facts = { ...lease, phase: 'call', status: 403, requestId: 'sent-1' };
    const call = fleetOf(w.ports).withLease('job-1', (fb) => fb.get('/arrays'));
    await expect(call).rejects.toMatchObject({ code: 'FORBIDDEN', facts });
  });

  it('of a renewal that the array does not serve have the phase renew', async () => {
    const w = world();
    await open(w);
    w.once('request', answer(503));
    const facts = { ...lease, phase: 'renew', status: 503, requestId: 'sent-1' };
    await expect(fleetOf(w.ports).renew('job-1')).rejects.toMatchObject({ code: 'ARRAY_BUSY', facts });
    w.once('request', fail(unreachable(false)));
    const lost = { ...lease, phase: 'renew' };
    await expect(fleetOf(w.ports).renew('job-1')).rejects.toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: lost });
  });

  it('of a lease that cannot be used have the phase open, because the work has not begun', async () => {
    const w = world();
    const fleet = fleetOf(w.ports);
    const work = () => expect.unreachable();
    const facts = { leaseId: 'job-1', phase: 'open' };
    await expect(fleet.withLease('job-1', work)).rejects.toMatchObject({ code: 'LEASE_UNKNOWN', facts });
    w.once('unseal', fail(awsDown));
    const call = fleet.withSession('fb1', work, { leaseId: 'job-1' });
    await expect(call).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', facts: { ...facts, array: 'fb1' } });
  });
});
