import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../lib/ground/errors.ts';
import type { Session } from '../../lib/ground/model.ts';
import { checkFleet } from '../../lib/story/check-fleet.ts';
import { closeSession } from '../../lib/story/close-session.ts';
import { openSession } from '../../lib/story/open-session.ts';
import { sessionItem } from './array-tells.ts';
import {
  awsDown,
  busy,
  fail,
  type LiveSession,
  loseAnswer,
  refused,
  unreachable,
  untilCalled,
  type World,
  world,
} from './world.ts';

const DAY = 86_400;
const check = (w: World, ...arrays: string[]) =>
  checkFleet(w.edges, arrays.length === 0 ? {} : { arrays }, w.now() + 300_000);
const open = (w: World, leaseId: string, array = 'fb1') =>
  openSession(w.edges, { array, leaseId, leaseSeconds: 3600 }, w.deadline());
const warningsOf = async (w: World) => (await check(w, 'fb1')).warnings.map(({ warning }) => warning);
/** A session that somebody opened past the ledger. */
const foreign = (w: World, { user = 'pureuser', array = 'fb1' } = {}) =>
  w.live.set(`foreign-${w.live.size}`, { array, user, startedAt: w.now(), requestId: undefined });

describe('a check of the fleet', () => {
  it('logs in to and out of every array that has a secret', async () => {
    const w = world();
    const told = { checked: 2, healthy: 2, unhealthy: [], warnings: [], unknownSessions: 0 };
    expect(await check(w)).toEqual(told);
    expect(w.live.size).toBe(0);
    expect([w.logouts('fb1'), w.logouts('fb2')]).toEqual([1, 1]);
    const leases = [...w.store.items.values()];
    expect(leases.map(({ kind, dueAt }) => [kind, dueAt])).toEqual(Array(2).fill(['lease', undefined]));
    expect([w.slots('fb1'), w.slots('fb2')]).toEqual([[], []]);
  });

  it('logs in only under an intent that is written', async () => {
    const w = world();
    await check(w, 'fb1');
    expect(w.calls.indexOf('write OPENING')).toBeLessThan(w.calls.indexOf('login'));
    expect(w.calls).not.toContain('read owner');
  });

  it('can be repeated, also under the same invocation', async () => {
    const w = world();
    await check(w);
    expect(await check(w)).toMatchObject({ healthy: 2 });
  });

  it('checks the arrays that are named and no others', async () => {
    const w = world();
    expect(await check(w, 'fb2')).toMatchObject({ checked: 1, healthy: 1 });
    expect(w.logouts('fb1')).toBe(0);
  });

  it('reports each array and the whole, with what was measured', async () => {
    const w = world();
    w.tells.set('fb1', { tokenEndsAt: w.seconds() + 90 * DAY, certificateEndsAt: w.seconds() + 200 * DAY + 5 });
    w.once('apiVersions', (act) => act());
    w.once(
      'apiVersions',
      fail(() => unreachable(false)),
    );
    await check(w);
    const lines = w.reports.filter(({ event }) => /^(Array|Fleet)/.test(event));
    expect(lines).toMatchObject([
      { event: 'ArrayUnhealthy', array: 'fb2', code: 'ARRAY_UNREACHABLE', gauges: { ArrayHealthy: 0 } },
      {
        event: 'ArrayChecked',
        array: 'fb1',
        gauges: { ArrayHealthy: 1, ApiTokenDays: 90, CertificateDays: 200, UnknownSessions: 0 },
      },
      { event: 'FleetChecked', gauges: { HealthyArrays: 1, UnhealthyArrays: 1, UnknownSessions: 0 } },
    ]);
  });

  it('tells no days of a certificate that it does not know the end of', async () => {
    const w = world();
    w.once('apiVersions', async () => ({ data: ['2.4'], status: 200, headers: {}, requestId: '' }));
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1, warnings: [] });
    expect(w.reports.find(({ event }) => event === 'ArrayChecked')?.gauges).not.toHaveProperty('CertificateDays');
  });

  it.each([
    [
      'does not answer',
      'ARRAY_UNREACHABLE',
      (w: World) =>
        w.once(
          'apiVersions',
          fail(() => unreachable(false)),
        ),
    ],
    ['refuses the API token', 'LOGIN_REFUSED', (w: World) => w.once('login', fail(refused))],
    [
      'loses the answer to the login',
      'LOGIN_UNKNOWN',
      (w: World) =>
        w.once(
          'login',
          loseAnswer(() => unreachable(true)),
        ),
    ],
    [
      'breaks off after the login',
      'ARRAY_UNREACHABLE',
      (w: World) =>
        w.once(
          'request',
          fail(() => unreachable(true)),
        ),
    ],
    ['is too busy to answer', 'ARRAY_BUSY', (w: World) => w.tells.set('fb1', { statuses: { arrays: 503 } })],
    ['does not confirm the logout', 'ARRAY_BUSY', (w: World) => w.once('logout', fail(busy))],
    [
      'cannot be opened for want of the ledger',
      'AWS_UNAVAILABLE',
      (w: World) => w.once('write OPENING', fail(awsDown)),
    ],
  ])('tells of an array that %s, and goes on with the others', async (_what, code, prepare) => {
    const w = world();
    prepare(w);
    const both = await checkFleet(w.edges, { arrays: ['fb1'] }, w.now() + 300_000);
    expect(both).toMatchObject({ checked: 1, healthy: 0, unhealthy: [{ array: 'fb1', code }] });
    expect(both.unhealthy[0]?.reason).not.toBe('');
    expect(await check(w, 'fb2')).toMatchObject({ healthy: 1 });
    const left = [...w.live.values()].map(({ requestId }) => requestId);
    const known = [...w.store.items.values()]
      .filter((item) => item.dueAt !== undefined)
      .map(({ attemptId }) => attemptId);
    expect(known).toEqual(expect.arrayContaining(left));
  });

  it('tells of an array without a secret, and of one in the same call that is well', async () => {
    const w = world();
    expect(await check(w, 'nobody', 'fb1')).toMatchObject({
      checked: 2,
      healthy: 1,
      unhealthy: [{ array: 'nobody', code: 'ARRAY_UNKNOWN' }],
    });
  });

  it('keeps what failed first when the logout fails, too, and the ledger keeps the session', async () => {
    const w = world();
    w.once(
      'request',
      fail(() => unreachable(true)),
    );
    w.once('logout', fail(busy));
    expect((await check(w, 'fb1')).unhealthy).toMatchObject([{ code: 'ARRAY_UNREACHABLE' }]);
    expect([...w.store.items.values()]).toMatchObject([{ state: 'CLOSING', tries: 1 }]);
    expect(w.live.size).toBe(1);
  });

  it('is busy with sixteen arrays at the same time, as long as there are so many', async () => {
    const w = world();
    const { promise: full, resolve } = Promise.withResolvers<void>();
    let busyWith = 0;
    let most = 0;
    const names = manyOf(w, 40);
    for (let n = 0; n < names.length; n++) {
      w.once('apiVersions', async (act) => {
        most = Math.max(most, ++busyWith);
        if (busyWith === 16) resolve();
        await full;
        busyWith -= 1;
        return act();
      });
    }
    expect(await check(w, ...names)).toMatchObject({ checked: 40, healthy: 40 });
    expect(most).toBe(16);
  });

  it('begins with an array if fifteen seconds are left, and ten to close', async () => {
    const w = world();
    const within = (ms: number) => checkFleet(w.edges, { arrays: ['fb1'] }, w.now() + ms);
    expect(await within(25_000)).toMatchObject({ healthy: 1 });
    w.calls.length = 0;
    const reason = 'array fb1 was not checked, no time was left: give the function more time';
    expect((await within(24_999)).unhealthy).toEqual([{ array: 'fb1', code: 'OUT_OF_TIME', reason }]);
    expect(w.calls).toEqual(['pending']);
  });

  it('says in one word that an array is well, and how many are', async () => {
    const w = world();
    await check(w);
    const lines = w.reports.filter(({ event }) => /^(Array|Fleet)/.test(event));
    expect(lines.map(({ message }) => message)).toEqual(['healthy', 'healthy', '2 of 2 arrays are healthy']);
    expect(lines[0]?.gauges).not.toHaveProperty('ApiTokenDays');
  });

  it.each([
    [429, 'ARRAY_BUSY'],
    [500, 'ARRAY_BUSY'],
    [499, undefined],
    [204, undefined],
  ])('takes an array that answers %i to a read for busy, or warns of it', async (status, code) => {
    const w = world();
    w.once('request', async () => ({ status, body: { items: [] }, headers: {}, requestId: '' }));
    const { unhealthy, warnings } = await check(w, 'fb1');
    const path = '/api/2.10/arrays';
    const reason = `array fb1 answered ${status} to GET ${path}: it is busy, try again later`;
    expect(unhealthy).toEqual(code === undefined ? [] : [{ array: 'fb1', code, reason }]);
    const warning = `it answered ${status} to GET ${path}, without a list`;
    expect(warnings).toEqual(code === undefined ? [{ array: 'fb1', warning }] : []);
  });

  it('begins with no array for which too little time is left', async () => {
    const w = world();
    w.once('logout', async (act) => {
      w.pass(20);
      return act();
    });
    const result = await checkFleet(w.edges, { arrays: manyOf(w, 20) }, w.now() + 44_000);
    expect(result).toMatchObject({ checked: 20, healthy: 16 });
    const codes = new Set(result.unhealthy.map(({ code }) => code));
    expect([...codes]).toEqual(['OUT_OF_TIME']);
    expect(w.live.size).toBe(0);
  });

  it('fails aloud when the ledger cannot be read', async () => {
    const w = world();
    w.once('pending', fail(awsDown));
    await expect(check(w)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  });
});

function manyOf(w: World, count: number): string[] {
  const names = Array.from({ length: count }, (_, n) => `array-${n}`);
  for (const name of names) w.addArray(name);
  return names;
}

describe('what an array presents that holds a token', () => {
  const FORMER = 'T-99999999-aaaa-bbbb-cccc-dddddddddddd';
  const BARE = '0a1b2c3d-1111-2222-3333-444444444444';
  const untrusted = (name: string) => () =>
    new FlashBladeError('ARRAY_UNTRUSTED', `it presented a certificate for DNS:${name}, issued by CN=${FORMER}`);

  it.each([
    ['apiVersions', BARE],
    ['login', BARE.toUpperCase()],
    ['request', encodeURIComponent(BARE).replaceAll('-', '%2d')],
    ['logout', BARE],
  ])('is not in the reason why it is unhealthy, be it seen at %s', async (call, said) => {
    const w = world();
    w.rotate('fb1', BARE);
    w.once(call, fail(untrusted(said)));
    const { unhealthy } = await check(w, 'fb1');
    const reason = 'it presented a certificate for DNS:[API token], issued by CN=[API token]';
    expect(unhealthy).toEqual([{ array: 'fb1', code: 'ARRAY_UNTRUSTED', reason }]);
    expect(w.reports.find(({ event }) => event === 'ArrayUnhealthy')?.message).toBe(reason);
  });

  it('is not in a warning', async () => {
    const w = world();
    w.rotate('fb1', BARE);
    w.once('login', async (act) => {
      const answer = (await act()) as { data: Session };
      return { ...answer, data: { ...answer.data, username: `${FORMER}/${BARE}` } };
    });
    w.tells.set('fb1', { versions: ['2.2'], tokenEndsAt: w.seconds() + 5 * DAY });
    w.once('request', async (act) => act());
    w.once('request', async () => ({
      status: 200,
      headers: {},
      requestId: '',
      body: {
        items: [
          { admin: { name: `${FORMER}/${BARE}` }, api_token: { expires_at: 1000 * (w.seconds() + 5 * DAY + 9) } },
        ],
      },
    }));
    const warning =
      'the API token of user [API token]/[API token] ends in 5 days: make a new one and put it into the secret';
    expect(await warningsOf(w)).toEqual([warning]);
    expect(w.reports.find(({ event }) => event === 'ArrayWarned')?.message).toBe(warning);
  });
});

describe('a check of an array warns of', () => {
  it.each([
    [
      'a certificate that ends soon',
      { certificateEndsAt: 20 * DAY },
      /certificate, or that of an authority behind it, ends in 20 days/,
    ],
    ['an API token that ends soon', { tokenEndsAt: 3 * DAY }, /API token of user pureuser ends in 3 days/],
    ['sessions that never end by themselves', { idleTimeoutMs: 0 }, /idle time-out is 0, never/],
    ['sessions that end before their leases', { idleTimeoutMs: 300_000 }, /300 s, shorter than a lease/],
    ['sessions that outlive their SUSPECTs', { idleTimeoutMs: 3_600_000 }, /3600 s, and ARRAY_IDLE_SECONDS is 1800/],
    ['a read that is not understood', { statuses: { 'api-tokens': 404 } }, /answered 404 to GET \/api\/2.10\/admins/],
    ['a list that is none', { sessions: () => 'garbage' }, /answered 200 to GET \/api\/2.10\/sessions, without a list/],
  ])('%s', async (_what, tells, warning) => {
    const w = world();
    const later = (time?: number) => (time === undefined ? {} : w.seconds() + time);
    const times = Object.fromEntries(
      Object.entries(tells).map(([name, value]) => [name, /EndsAt$/.test(name) ? later(Number(value)) : value]),
    );
    w.tells.set('fb1', times);
    expect(await warningsOf(w)).toEqual([expect.stringMatching(warning)]);
    expect(w.reports).toContainEqual(expect.objectContaining({ event: 'ArrayWarned', array: 'fb1' }));
  });

  it('nothing that is well, or that its user may not read', async () => {
    const w = world();
    w.tells.set('fb1', { idleTimeoutMs: 1_800_000, tokenEndsAt: w.seconds() + 15 * DAY });
    expect(await warningsOf(w)).toEqual([]);
    w.tells.set('fb1', { statuses: { arrays: 403, 'api-tokens': 401, sessions: 403 } });
    expect(await check(w, 'fb1')).toEqual({ checked: 1, healthy: 1, unhealthy: [], warnings: [], unknownSessions: 0 });
    expect(w.calls.filter((name) => name === 'login')).toHaveLength(2);
  });

  it.each([
    [['1.9', '1.12'], 0],
    [['1.12', '2.2'], 2],
    [['2.2', '2.3'], 3],
  ])('nothing that REST %j cannot tell', async (versions, reads) => {
    const w = world();
    w.tells.set('fb1', { versions });
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1, warnings: [] });
    expect(w.calls.filter((name) => name === 'request')).toHaveLength(reads);
  });
});

describe('the comparison of array and ledger', () => {
  it('knows the sessions of leases, whatever state they are in', async () => {
    const w = world();
    for (const leaseId of ['open', 'closing', 'closed']) await open(w, leaseId);
    w.once('logout', fail(busy));
    await closeSession(w.edges, 'closing', w.deadline()).catch(() => {});
    await closeSession(w.edges, 'closed', w.deadline());
    w.pass(600);
    expect(await check(w, 'fb1')).toMatchObject({ warnings: [], unknownSessions: 0 });
  });

  it('counts sessions of its user that the ledger does not know, and tells of them', async () => {
    const w = world();
    foreign(w);
    await open(w, 'job-1');
    foreign(w);
    foreign(w, { user: 'somebody' });
    w.pass(600);
    expect(await check(w)).toMatchObject({
      healthy: 2,
      unknownSessions: 2,
      warnings: [{ array: 'fb1', warning: expect.stringMatching(/^2 active REST sessions of user pureuser/) }],
    });
  });

  it('counts a session that began before any lease that is open', async () => {
    const w = world();
    foreign(w);
    w.pass(600);
    await open(w, 'job-1');
    w.dropSessions();
    w.live.set('old', { array: 'fb1', user: 'pureuser', startedAt: w.now() - 600_000, requestId: undefined });
    w.pass(600);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 1 });
  });

  it('does not judge sessions that are so young that the ledger may not have told of them', async () => {
    const w = world();
    foreign(w);
    w.pass(119);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 0 });
    w.pass(2);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 1 });
  });

  it('knows the session of a lease that was closed while it looked', async () => {
    const w = world();
    await open(w, 'job-1');
    w.pass(600);
    w.tells.set('fb1', {
      sessions: (_query, sessions) => {
        const items = sessions.map(sessionItem);
        void closeSession(w.edges, 'job-1', w.deadline());
        return { items };
      },
    });
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 0 });
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('reads every page of the list, asking for what is active', async () => {
    const w = world();
    foreign(w);
    w.pass(600);
    const asked: unknown[] = [];
    w.tells.set('fb1', {
      sessions: (query, sessions) => {
        const n = asked.push(query) - 1;
        const { user, startedAt } = sessions[n] ?? { user: '', startedAt: 0 };
        const items = [{ user, user_interface: 'REST', start_time: startedAt, end_time: 0 }];
        return { items, continuation_token: n < sessions.length - 1 ? `page-${n + 1}` : null };
      },
    });
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 1 });
    const first = { filter: 'end_time=0', limit: 1000 };
    expect(asked).toEqual([first, { ...first, continuation_token: 'page-1' }]);
  });

  it('is made of a list of ten pages, and reads no eleventh', async () => {
    for (const [pages, warning] of [
      [10, undefined],
      [11, 'its list of sessions has more than 10000 entries: they were not compared'],
    ] as const) {
      const w = world();
      let asked = 0;
      const page = (sessions: readonly LiveSession[]) => ({
        items: sessions.map(sessionItem),
        continuation_token: ++asked < pages ? 'next' : null,
      });
      w.tells.set('fb1', { sessions: (_, sessions) => page(sessions) });
      expect(await warningsOf(w)).toEqual(warning === undefined ? [] : [warning]);
      expect(asked).toBe(10);
    }
  });

  it('asks the ledger nothing if there is nothing old and nothing suspected', async () => {
    const w = world();
    await open(w, 'job-1');
    w.calls.length = 0;
    await check(w, 'fb1');
    const last = w.calls.slice(w.calls.lastIndexOf('request') + 1);
    expect(last.filter((name) => name === 'read')).toHaveLength(1);
  });

  it('leaves an opening alone that has died, and a line of which nothing is left', async () => {
    const w = world();
    w.once('login', () => new Promise(() => {}));
    void open(w, 'died');
    await untilCalled(w, 'login');
    foreign(w);
    w.pass(600);
    w.once('pending', async (act) => [
      ...((await act()) as object[]),
      { kind: 'suspect', id: 'gone', array: 'fb1', dueAt: 0 },
    ]);
    const before = w.lease('died');
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1, unknownSessions: 0 });
    expect(w.lease('died')).toEqual(before);
  });

  it('is made if the session of the check began a minute off, by a clock that is wrong', async () => {
    for (const [offMs, warnings] of [
      [60_000, 0],
      [61_000, 1],
    ] as const) {
      const w = world();
      w.tells.set('fb1', {
        sessions: (_query, sessions) => ({
          items: sessions.map((one) => sessionItem({ ...one, startedAt: one.startedAt - offMs })),
        }),
      });
      expect(await warningsOf(w)).toHaveLength(warnings);
    }
  });

  it('judges a session that began two minutes before the ledger was read, by clocks that may differ and an index that may lag', async () => {
    const w = world();
    foreign(w);
    w.pass(120);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 0 });
    w.pass(1);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 1 });
  });

  it('is not made of a list that does not end', async () => {
    const w = world();
    w.tells.set('fb1', { sessions: () => ({ items: [], continuation_token: 'again' }) });
    expect(await warningsOf(w)).toEqual([expect.stringMatching(/more than 10000 entries/)]);
  });

  it('is not made with a list that lacks the session of the check itself, or an array whose clock is wrong', async () => {
    for (const shift of [undefined, 90_000, -90_000]) {
      const w = world();
      foreign(w);
      w.pass(600);
      w.tells.set('fb1', {
        sessions: (_query, sessions) => ({
          items: (shift === undefined ? sessions.slice(0, 1) : sessions).map((one) =>
            sessionItem({ ...one, startedAt: one.startedAt + (shift ?? 0) }),
          ),
        }),
      });
      const { unknownSessions, warnings } = await check(w, 'fb1');
      expect(unknownSessions).toBe(0);
      expect(warnings).toMatchObject([{ warning: expect.stringMatching(/were not compared/) }]);
    }
  });
});

describe('a SUSPECT', () => {
  /** A login whose answer was lost; whether it made a session is up to `act`. */
  async function suspected(w: World, { opened }: { opened: boolean }): Promise<void> {
    const lost = () => unreachable(true);
    w.once('login', opened ? loseAnswer(lost) : fail(lost));
    await open(w, 'job-1').catch(() => {});
    expect(w.suspects()).toHaveLength(1);
  }

  it('goes, with the place that it took, when the array shows no session of its time', async () => {
    const w = world();
    await suspected(w, { opened: false });
    w.pass(300);
    await check(w, 'fb1');
    expect(w.suspects()).toEqual([]);
    expect(w.slots('fb1')).toEqual([]);
  });

  it('stays, and accounts for its session, while the array shows one', async () => {
    const w = world();
    await suspected(w, { opened: true });
    w.pass(300);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 0 });
    expect(w.suspects()).toHaveLength(1);
    w.dropSessions();
    await check(w, 'fb1');
    expect(w.suspects()).toEqual([]);
  });

  it('stays while another user has a session of its time: whose login it was is not known', async () => {
    const w = world();
    await suspected(w, { opened: false });
    foreign(w, { user: 'somebody' });
    w.pass(300);
    await check(w, 'fb1');
    expect(w.suspects()).toHaveLength(1);
  });

  it('stays while the array may still be working on its login, also by a clock that is fast', async () => {
    for (const fastMs of [0, 50_000]) {
      const w = world();
      await suspected(w, { opened: false });
      w.pass(130);
      w.tells.set('fb1', {
        sessions: (_query, sessions) => ({
          items: sessions.map((one) => sessionItem({ ...one, startedAt: one.startedAt + fastMs })),
        }),
      });
      expect(await check(w, 'fb1')).toMatchObject({ warnings: [] });
      expect(w.suspects()).toHaveLength(1);
    }
  });

  it('stays when the array that the name now means is another machine', async () => {
    const w = world();
    await suspected(w, { opened: false });
    w.rotate('fb1', 'T-00000000-0000-0000-0000-000000000001', { host: 'new.example.com' });
    await w.edges.secrets.read('fb1', { by: 0, fresh: true });
    w.pass(300);
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1 });
    expect(w.suspects()).toHaveLength(1);
  });

  it('stays when the list cannot be compared, and when the ledger cannot be written', async () => {
    const w = world();
    await suspected(w, { opened: false });
    w.pass(300);
    w.tells.set('fb1', { sessions: () => ({ items: [] }) });
    await check(w, 'fb1');
    expect(w.suspects()).toHaveLength(1);
    w.tells.delete('fb1');
    w.once('remove', fail(awsDown));
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1 });
    expect(w.events()).toContain('LedgerWriteFailed');
    expect(w.suspects()).toHaveLength(1);
  });
});
