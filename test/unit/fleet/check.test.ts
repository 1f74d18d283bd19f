import { describe, expect, it } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { Session } from '../../../lib/core/model.ts';
import { EVENTS } from '../../../lib/core/reports.ts';
import { checkFleet } from '../../../lib/fleet/check.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { sessionItem } from '../../kit/memory/arrays.ts';
import {
  awsDown,
  busy,
  fail,
  hang,
  type LiveSession,
  loseResponse,
  open,
  refused,
  unreachable,
  untilCalled,
  type World,
  world,
} from '../../kit/memory/world.ts';

const DAY = 86_400;
const check = (w: World, ...arrays: string[]) =>
  checkFleet(w.ports, arrays.length === 0 ? {} : { arrays }, w.now() + 300_000);
const secretFails = (denied: boolean) => new FlashBladeError('SECRET_UNAVAILABLE', 'no', denied ? { denied } : {});
const secretGone = (secretDeleted: boolean) =>
  new FlashBladeError('ARRAY_UNKNOWN', 'no secret', secretDeleted ? { secretDeleted } : {});
const warningsOf = async (w: World) => (await check(w, 'fb1')).warnings.map(({ warning }) => warning);
/** A session that was opened without the ledger. */
const foreign = (w: World, { user = 'pureuser', startedAt = w.now() } = {}) =>
  w.live.set(`foreign-${w.live.size}`, { array: 'fb1', user, startedAt, usedAt: startedAt, requestId: '' });

describe('a fleet check', () => {
  it('a fleet check logs in to and out of every array that has a secret', async () => {
    const w = world();
    const healthy = { checked: 2, healthy: 2, notChecked: 0, unhealthy: [], warnings: [], unknownSessions: 0 };
    expect(await check(w)).toEqual(healthy);
    expect(w.live.size).toBe(0);
    expect([w.logouts('fb1'), w.logouts('fb2')]).toEqual([1, 1]);
    const leases = [...w.store.items.values()];
    expect(leases.map(({ kind, dueAt }) => [kind, dueAt])).toEqual(Array(2).fill(['lease', undefined]));
    expect([w.slots('fb1'), w.slots('fb2')]).toEqual([[], []]);
  });

  it('a fleet check writes the intent before it logs in', async () => {
    const w = world();
    await check(w, 'fb1');
    expect(w.calls.indexOf('write OPENING')).toBeLessThan(w.calls.indexOf('login'));
    expect(w.calls).not.toContain('read owner');
  });

  it('a fleet check can be repeated under the same invocation', async () => {
    const w = world();
    await check(w);
    expect(await check(w)).toMatchObject({ healthy: 2 });
  });

  it('a fleet check only checks the arrays that the request names', async () => {
    const w = world();
    expect(await check(w, 'fb2')).toMatchObject({ checked: 1, healthy: 1 });
    expect(w.logouts('fb1')).toBe(0);
  });

  it('a fleet check ignores secrets whose names a login would refuse, and says so without an alarm', async () => {
    const token = 'T-3f2504e0-4f89-11d3-9a0c-0305e82c3301';
    const names = ['dev/fb1', '-dev/fb1', '', ' fb1', 'a'.repeat(65), 'münchen', 'undefined', `x-${token}`];
    const w = world();
    for (const name of names) w.addArray(name);
    const { ignoredSecrets, ...rest } = await check(w);
    expect(rest).toEqual({ checked: 2, healthy: 2, notChecked: 0, unhealthy: [], warnings: [], unknownSessions: 0 });
    expect(ignoredSecrets).toHaveLength(names.length);
    expect(ignoredSecrets).toEqual(expect.arrayContaining(['dev/fb1', 'x-[API token]']));
    const reads = w.calls.filter((call) => call === 'login');
    expect(reads).toHaveLength(2);
    const [line, ...more] = w.reports.filter(({ event }) => event === 'SecretsIgnored');
    expect(more).toEqual([]);
    expect(line?.message).toContain('8 secrets under the prefix do not have array names: ');
    expect(EVENTS.SecretsIgnored).toBe('info');
    expect(JSON.stringify([ignoredSecrets, w.reports])).not.toContain(token);
  });

  it('a fleet check names at most 20 ignored secrets', async () => {
    const w = world();
    for (let n = 0; n < 25; n++) w.addArray(`dev/${n}`);
    expect((await check(w)).ignoredSecrets).toHaveLength(20);
    expect(w.reports.find(({ event }) => event === 'SecretsIgnored')?.message).toMatch(/^25 secrets /);
  });

  it('a fleet check reports the measurements of each array and of the fleet', async () => {
    const w = world();
    w.facts.set('fb1', { tokenEndsAt: w.seconds() + 90 * DAY, certificateEndsAt: w.seconds() + 200 * DAY + 5 });
    w.once('apiVersions', (act) => act());
    w.once('apiVersions', fail(unreachable(false)));
    await checkFleet({ ...w.ports, random: () => 0 }, {}, w.now() + 300_000);
    const lines = w.reports.filter(({ event }) => /^(Array|Fleet)/.test(event));
    expect(lines).toMatchObject([
      { event: 'ArrayUnhealthy', array: 'fb2', code: 'ARRAY_UNREACHABLE', gauges: { ArrayHealthy: 0 } },
      {
        event: 'ArrayChecked',
        array: 'fb1',
        gauges: { ArrayHealthy: 1, ApiTokenDays: 90, CertificateDays: 200, UnknownSessions: 0 },
      },
      {
        event: 'FleetChecked',
        gauges: { HealthyArrays: 1, UnhealthyArrays: 1, UncheckedArrays: 0, UnknownSessions: 0 },
      },
    ]);
  });

  it('the days of a certificate are absent if its end is unknown', async () => {
    const w = world();
    w.once('apiVersions', async () => ({ data: ['2.4'], status: 200, headers: {}, requestId: '' }));
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1, warnings: [] });
    expect(w.reports.find(({ event }) => event === 'ArrayChecked')?.gauges).not.toHaveProperty('CertificateDays');
  });

  it.each([
    ['does not respond', 'ARRAY_UNREACHABLE', (w: World) => w.once('apiVersions', fail(unreachable(false)))],
    ['refuses the API token', 'LOGIN_REFUSED', (w: World) => w.once('login', fail(refused))],
    [
      'loses the response to the login',
      'LOGIN_UNKNOWN',
      (w: World) => w.once('login', loseResponse(unreachable(true))),
    ],
    ['breaks off after the login', 'ARRAY_UNREACHABLE', (w: World) => w.once('request', fail(unreachable(true)))],
    ['is too busy to respond', 'ARRAY_BUSY', (w: World) => w.facts.set('fb1', { statuses: { arrays: 503 } })],
    ['does not confirm the logout', 'ARRAY_BUSY', (w: World) => w.once('logout', fail(busy))],
    ['has a secret that AWS denies', 'SECRET_UNAVAILABLE', (w: World) => w.once('read', fail(secretFails(true)))],
    ['has a secret without a value', 'ARRAY_UNKNOWN', (w: World) => w.once('read', fail(secretGone(false)))],
  ])('an array that %s is unhealthy, and the others are still checked', async (_what, code, prepare) => {
    const w = world();
    prepare(w);
    const both = await checkFleet(w.ports, { arrays: ['fb1'] }, w.now() + 300_000);
    expect(both).toMatchObject({ checked: 1, healthy: 0, unhealthy: [{ array: 'fb1', code }] });
    expect(both.unhealthy[0]?.reason).not.toBe('');
    expect(await check(w, 'fb2')).toMatchObject({ healthy: 1 });
    const left = [...w.live.values()].map(({ requestId }) => requestId);
    const known = [...w.store.items.values()]
      .filter((item) => item.dueAt !== undefined)
      .flatMap((item) => ('attemptId' in item ? item.attemptId : []));
    expect(known).toEqual(expect.arrayContaining(left));
  });

  it('an array without a secret is unhealthy, and a healthy array in the same request is not', async () => {
    const w = world();
    expect(await check(w, 'no-secret', 'fb1')).toMatchObject({
      checked: 2,
      healthy: 1,
      unhealthy: [{ array: 'no-secret', code: 'ARRAY_UNKNOWN' }],
    });
  });

  it('a failed logout does not hide the first failure, and the ledger keeps the session', async () => {
    const w = world();
    w.once('request', fail(unreachable(true)));
    w.once('logout', fail(busy));
    expect((await check(w, 'fb1')).unhealthy).toMatchObject([{ code: 'ARRAY_UNREACHABLE' }]);
    expect([...w.store.items.values()]).toMatchObject([{ state: 'CLOSING', tries: 1 }]);
    expect(w.live.size).toBe(1);
  });

  it('sixteen arrays are checked at a time', async () => {
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

  it('a check of an array begins only if its whole time of 40 seconds is left', async () => {
    const w = world();
    const within = (ms: number) => checkFleet(w.ports, { arrays: ['fb1'] }, w.now() + ms);
    expect(await within(40_000)).toMatchObject({ healthy: 1, notChecked: 0 });
    w.calls.length = 0;
    expect(await within(39_999)).toMatchObject({ checked: 0, unhealthy: [], notChecked: 1 });
    expect(w.calls).toEqual(['pending']);
  });

  it('the reports say that an array is healthy, and how many are', async () => {
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
  ])('an array that returns %i for a read is busy, or gets a warning', async (status, code) => {
    const w = world();
    w.once('request', async () => ({ status, body: { items: [] }, headers: {}, requestId: '' }));
    const { unhealthy, warnings } = await check(w, 'fb1');
    const path = '/api/2.10/arrays';
    const reason = `array fb1 returned ${status} for GET ${path}: the array is busy. Try again later.`;
    expect(unhealthy).toEqual(code === undefined ? [] : [{ array: 'fb1', code, reason }]);
    const warning = `the array returned ${status} for GET ${path} instead of a list`;
    expect(warnings).toEqual(code === undefined ? [{ array: 'fb1', warning }] : []);
  });

  it('an array that is not reached in time is not checked, which is no fault of the array', async () => {
    const w = world();
    w.once('logout', async (act) => {
      w.pass(20);
      return act();
    });
    const result = await checkFleet(w.ports, { arrays: manyOf(w, 20) }, w.now() + 44_000);
    expect(result).toEqual({
      checked: 16,
      healthy: 16,
      notChecked: 4,
      unhealthy: [],
      warnings: [],
      unknownSessions: 0,
    });
    expect(w.events()).not.toContain('ArrayUnhealthy');
    const missed = w.reports.filter(({ event }) => event === 'ArrayNotChecked');
    expect(missed).toHaveLength(4);
    expect(missed[0]).toMatchObject({ code: 'OUT_OF_TIME', message: expect.stringContaining('before the check') });
    const last = w.reports.at(-1);
    expect(last).toMatchObject({ event: 'FleetChecked', gauges: { UnhealthyArrays: 0, UncheckedArrays: 4 } });
    expect(last?.message).toBe('16 of 16 arrays are healthy, and 4 were not checked');
    expect(w.live.size).toBe(0);
  });

  it.each([
    ['the secret cannot be read', 'read', secretFails(false)],
    ['the intent cannot be written', 'write OPENING', awsDown()],
    ['the open lease cannot be recorded', 'write OPEN', awsDown()],
    ['the session cannot be closed', 'write CLOSING', awsDown()],
    ['someone closes its lease', 'request', new FlashBladeError('LEASE_ENDED', 'the lease has ended')],
    ['time runs out', 'read', new FlashBladeError('OUT_OF_TIME', 'no time was left to read the secret')],
  ])(
    'an array is not checked if %s, which is no fault of the array, and the others are checked',
    async (_what, call, error) => {
      const w = world();
      w.once(call, fail(error));
      const result = await checkFleet({ ...w.ports, random: () => 0 }, {}, w.now() + 300_000);
      expect(result).toMatchObject({ checked: 1, healthy: 1, notChecked: 1, unhealthy: [] });
      const [line, ...more] = w.reports.filter(({ event }) => /^Array(NotChecked|Unhealthy)$/.test(event));
      expect([line, more]).toMatchObject([{ event: 'ArrayNotChecked', array: 'fb1', code: error.code }, []]);
      expect(line).not.toHaveProperty('gauges');
      expect(EVENTS.ArrayNotChecked).toBe('warn');
    },
  );

  it('an array whose secret was deleted after it was listed is left out', async () => {
    const w = world();
    w.once('read', fail(secretGone(true)));
    const result = await checkFleet({ ...w.ports, random: () => 0 }, {}, w.now() + 300_000);
    expect(result).toMatchObject({ checked: 1, healthy: 1, notChecked: 0, unhealthy: [], warnings: [] });
    const lines = w.reports.filter(({ array }) => array === 'fb1');
    expect(lines).toMatchObject([{ event: 'ArrayRemoved', array: 'fb1' }]);
    expect(lines[0]).not.toHaveProperty('gauges');
    expect(EVENTS.ArrayRemoved).toBe('info');
  });

  it('an array whose secret was listed and has no value is unhealthy', async () => {
    const w = world();
    w.once('read', fail(secretGone(false)));
    const result = await checkFleet({ ...w.ports, random: () => 0 }, {}, w.now() + 300_000);
    expect(result).toMatchObject({ healthy: 1, unhealthy: [{ array: 'fb1', code: 'ARRAY_UNKNOWN' }] });
  });

  it('checks that keep running out of time do not always miss the same arrays', async () => {
    const w = world();
    const names = manyOf(w, 20);
    const missedFrom = async (random: number) => {
      w.once('logout', async (act) => {
        w.pass(20);
        return act();
      });
      w.reports.length = 0;
      await checkFleet({ ...w.ports, random: () => random }, { arrays: names }, w.now() + 44_000);
      const checked = new Set(w.reports.flatMap(({ event, array = '' }) => (event === 'ArrayChecked' ? [array] : [])));
      return names.filter((name) => !checked.has(name));
    };
    expect(await missedFrom(0)).toEqual(names.slice(16));
    expect(await missedFrom(0.5)).toEqual(names.slice(6, 10));
    expect(await missedFrom(0.999)).toEqual(names.slice(15, 19));
  });

  it('a fleet check fails if the ledger cannot be read', async () => {
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

describe('a token in what an array presents', () => {
  const FORMER = 'T-99999999-aaaa-bbbb-cccc-dddddddddddd';
  const BARE = '0a1b2c3d-1111-2222-3333-444444444444';
  const untrusted = (name: string) => () =>
    new FlashBladeError('ARRAY_UNTRUSTED', `it presented a certificate for DNS:${name}, issued by CN=${FORMER}`);

  it.each([
    ['apiVersions', BARE],
    ['login', BARE.toUpperCase()],
    ['request', encodeURIComponent(BARE).replaceAll('-', '%2d')],
    ['logout', BARE],
  ])('a token that the array presents at %s is redacted in the reason', async (call, presented) => {
    const w = world();
    w.rotate('fb1', BARE);
    w.once(call, fail(untrusted(presented)));
    const { unhealthy } = await check(w, 'fb1');
    const reason = 'it presented a certificate for DNS:[API token], issued by CN=[API token]';
    expect(unhealthy).toEqual([{ array: 'fb1', code: 'ARRAY_UNTRUSTED', reason }]);
    expect(w.reports.find(({ event }) => event === 'ArrayUnhealthy')?.message).toBe(reason);
  });

  it('a token in a user name is redacted in a warning', async () => {
    const w = world();
    w.rotate('fb1', BARE);
    w.once('login', async (act) => {
      const response = (await act()) as { data: Session };
      return { ...response, data: { ...response.data, username: `${FORMER}/${BARE}` } };
    });
    w.facts.set('fb1', { versions: ['2.2'], tokenEndsAt: w.seconds() + 5 * DAY });
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
      'the API token for user [API token]/[API token] expires in 5 days. Create a new token and store it in the secret';
    expect(await warningsOf(w)).toEqual([warning]);
    expect(w.reports.find(({ event }) => event === 'ArrayWarned')?.message).toBe(warning);
  });
});

describe('a warning', () => {
  it.each([
    [
      'a certificate that expires soon',
      { certificateEndsAt: 20 * DAY },
      /certificate, or a CA certificate in its chain, expires in 20 days/,
    ],
    ['an API token that expires soon', { tokenEndsAt: 3 * DAY }, /API token for user pureuser expires in 3 days/],
    ['an idle timeout of never', { idleTimeoutMs: 0 }, /idle timeout is 0 \(never\)/],
    [
      'an idle timeout that is shorter than a lease',
      { idleTimeoutMs: 300_000 },
      /300 s, which is shorter than the default lease/,
    ],
    [
      'an idle timeout that is longer than ARRAY_IDLE_SECONDS',
      { idleTimeoutMs: 3_600_000 },
      /3600 s, but ARRAY_IDLE_SECONDS is 1800/,
    ],
    [
      'a read with an unexpected status',
      { statuses: { 'api-tokens': 404 } },
      /returned 404 for GET \/api\/2.10\/admins/,
    ],
    [
      'a response that is not a list',
      { sessions: () => 'garbage' },
      /returned 200 for GET \/api\/2.10\/sessions instead of a list/,
    ],
  ])('%s is reported as a warning', async (_what, facts, warning) => {
    const w = world();
    const later = (time?: number) => (time === undefined ? {} : w.seconds() + time);
    const times = Object.fromEntries(
      Object.entries(facts).map(([name, value]) => [name, /EndsAt$/.test(name) ? later(Number(value)) : value]),
    );
    w.facts.set('fb1', times);
    expect(await warningsOf(w)).toEqual([expect.stringMatching(warning)]);
    expect(w.reports).toContainEqual(expect.objectContaining({ event: 'ArrayWarned', array: 'fb1' }));
  });

  it('there is no warning if all is well, or if the user may not read the facts', async () => {
    const w = world();
    w.facts.set('fb1', { idleTimeoutMs: 1_800_000, tokenEndsAt: w.seconds() + 15 * DAY });
    expect(await warningsOf(w)).toEqual([]);
    w.facts.set('fb1', { statuses: { arrays: 403, 'api-tokens': 401, sessions: 403 } });
    expect(await check(w, 'fb1')).toMatchObject({
      checked: 1,
      healthy: 1,
      unhealthy: [],
      warnings: [],
      unknownSessions: 0,
    });
    expect(w.calls.filter((name) => name === 'login')).toHaveLength(2);
  });

  it.each([401, 403])('an array is unhealthy if something in front of it returns %i for a read', async (status) => {
    const w = world();
    w.once('request', async () => ({ status, headers: {}, body: '<html>', requestId: '', isInFront: true }));
    const { healthy, unhealthy } = await check(w, 'fb1');
    expect([healthy, unhealthy]).toEqual([0, [expect.objectContaining({ array: 'fb1', code: 'ARRAY_UNREACHABLE' })]]);
    expect(unhealthy[0]?.reason).toContain(`returned ${status} for GET /api/2.10/arrays`);
    expect(w.live.size).toBe(0);
  });

  it.each([
    [['1.9', '1.12'], 0],
    [['1.12', '2.2'], 2],
    [['2.2', '2.3'], 3],
  ])('only the facts that REST %j can return are read', async (versions, reads) => {
    const w = world();
    w.facts.set('fb1', { versions });
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1, warnings: [] });
    expect(w.calls.filter((name) => name === 'request')).toHaveLength(reads);
  });
});

describe('the comparison of the array with the ledger', () => {
  it('a session of a lease is known, whatever state the lease is in', async () => {
    const w = world();
    for (const leaseId of ['open', 'closing', 'closed']) await open(w, { leaseId });
    w.once('logout', fail(busy));
    await closeSession(w.ports, 'closing', w.deadline()).catch(() => {});
    await closeSession(w.ports, 'closed', w.deadline());
    w.pass(600);
    expect(await check(w, 'fb1')).toMatchObject({ warnings: [], unknownSessions: 0 });
  });

  it("our user's sessions that the ledger does not know are counted, with a warning", async () => {
    const w = world();
    foreign(w);
    await open(w, { leaseId: 'job-1' });
    foreign(w);
    foreign(w, { user: 'another-user' });
    w.pass(600);
    expect(await check(w)).toMatchObject({
      healthy: 2,
      unknownSessions: 2,
      warnings: [{ array: 'fb1', warning: expect.stringMatching(/^2 active REST sessions for user pureuser/) }],
    });
  });

  it('a session that began before every open lease is unknown', async () => {
    const w = world();
    foreign(w);
    w.pass(600);
    await open(w, { leaseId: 'job-1' });
    w.dropSessions();
    foreign(w, { startedAt: w.now() - 600_000 });
    w.pass(600);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 1 });
  });

  it('a session is not judged while the index may not list its lease yet', async () => {
    const w = world();
    foreign(w);
    w.pass(119);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 0 });
    w.pass(2);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 1 });
  });

  it('a session whose lease closes during the comparison is known', async () => {
    const w = world();
    await open(w, { leaseId: 'job-1' });
    w.pass(600);
    w.facts.set('fb1', {
      sessions: (_query, sessions) => {
        const items = sessions.map(sessionItem);
        void closeSession(w.ports, 'job-1', w.deadline());
        return { items };
      },
    });
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 0 });
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('every page of the list of active sessions is read', async () => {
    const w = world();
    foreign(w);
    w.pass(600);
    const queries: unknown[] = [];
    w.facts.set('fb1', {
      sessions: (query, sessions) => {
        const n = queries.push(query) - 1;
        const { user, startedAt } = sessions[n] ?? { user: '', startedAt: 0 };
        const items = [{ user, user_interface: 'REST', start_time: startedAt, end_time: 0 }];
        return { items, continuation_token: n < sessions.length - 1 ? `page-${n + 1}` : null };
      },
    });
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 1 });
    const first = { filter: 'end_time=0', limit: 1000 };
    expect(queries).toEqual([first, { ...first, continuation_token: 'page-1' }]);
  });

  it('a list of ten pages is compared, and an eleventh page is not read', async () => {
    for (const [pages, warning] of [
      [10, undefined],
      [11, 'the session list has more than 10 pages, so sessions were not compared with the ledger'],
    ] as const) {
      const w = world();
      let requests = 0;
      const page = (sessions: readonly LiveSession[]) => ({
        items: sessions.map(sessionItem),
        continuation_token: ++requests < pages ? 'next' : null,
      });
      w.facts.set('fb1', { sessions: (_, sessions) => page(sessions) });
      expect(await warningsOf(w)).toEqual(warning === undefined ? [] : [warning]);
      expect(requests).toBe(10);
    }
  });

  it('no ledger item is read if no session is old and there is no SUSPECT', async () => {
    const w = world();
    await open(w, { leaseId: 'job-1' });
    w.calls.length = 0;
    await check(w, 'fb1');
    const last = w.calls.slice(w.calls.lastIndexOf('request') + 1);
    expect(last.filter((name) => name === 'read')).toHaveLength(1);
  });

  it('a dead opening is left alone, and an index entry without an item does no harm', async () => {
    const w = world();
    w.once('login', hang);
    void open(w, { leaseId: 'died' });
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

  it('sessions are compared if the clock of the array is wrong by a minute, and not if by more', async () => {
    for (const [offMs, warnings] of [
      [60_000, 0],
      [61_000, 1],
    ] as const) {
      const w = world();
      w.facts.set('fb1', {
        sessions: (_query, sessions) => ({
          items: sessions.map((one) => sessionItem({ ...one, startedAt: one.startedAt - offMs })),
        }),
      });
      expect(await warningsOf(w)).toHaveLength(warnings);
    }
  });

  it('a session is judged once it is older than clock skew and index lag together', async () => {
    const w = world();
    foreign(w);
    w.pass(120);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 0 });
    w.pass(1);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 1 });
  });

  it('a list that does not end is not compared', async () => {
    const w = world();
    w.facts.set('fb1', { sessions: () => ({ items: [], continuation_token: 'again' }) });
    expect(await warningsOf(w)).toEqual([expect.stringMatching(/more than 10 pages/)]);
  });

  it('sessions are not compared if the list lacks the session of the check, or the clock of the array is wrong', async () => {
    for (const shift of [undefined, 90_000, -90_000]) {
      const w = world();
      foreign(w);
      w.pass(600);
      w.facts.set('fb1', {
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
  /** A login whose response was lost. `opened`: whether the array opened a session. */
  async function suspected(w: World, { opened }: { opened: boolean }): Promise<void> {
    const lost = () => unreachable(true);
    w.once('login', opened ? loseResponse(lost) : fail(lost));
    await open(w, { leaseId: 'job-1' }).catch(() => {});
    expect(w.suspects()).toHaveLength(1);
  }

  it('a SUSPECT and its slot go once the array lists no session from its window', async () => {
    const w = world();
    await suspected(w, { opened: false });
    w.pass(300);
    await check(w, 'fb1');
    expect(w.suspects()).toEqual([]);
    expect(w.slots('fb1')).toEqual([]);
  });

  it('a SUSPECT stays and accounts for its session while the array lists one', async () => {
    const w = world();
    await suspected(w, { opened: true });
    w.pass(300);
    expect(await check(w, 'fb1')).toMatchObject({ unknownSessions: 0 });
    expect(w.suspects()).toHaveLength(1);
    w.dropSessions();
    await check(w, 'fb1');
    expect(w.suspects()).toEqual([]);
  });

  it('a SUSPECT stays while any user has a session from its window, because its user is not known', async () => {
    const w = world();
    await suspected(w, { opened: false });
    foreign(w, { user: 'another-user' });
    w.pass(300);
    await check(w, 'fb1');
    expect(w.suspects()).toHaveLength(1);
  });

  it('a SUSPECT stays while the array may still act on its login, even if the clock of the array is fast', async () => {
    for (const fastMs of [0, 50_000]) {
      const w = world();
      await suspected(w, { opened: false });
      w.pass(130);
      w.facts.set('fb1', {
        sessions: (_query, sessions) => ({
          items: sessions.map((one) => sessionItem({ ...one, startedAt: one.startedAt + fastMs })),
        }),
      });
      expect(await check(w, 'fb1')).toMatchObject({ warnings: [] });
      expect(w.suspects()).toHaveLength(1);
    }
  });

  it('a SUSPECT stays if the array name now belongs to another machine', async () => {
    const w = world();
    await suspected(w, { opened: false });
    w.rotate('fb1', 'T-00000000-0000-0000-0000-000000000001', { host: 'new.example.com' });
    await w.ports.secrets.read('fb1', { by: 0, fresh: true });
    w.pass(300);
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1 });
    expect(w.suspects()).toHaveLength(1);
  });

  it('a SUSPECT stays if the list cannot be compared or the ledger cannot be written', async () => {
    const w = world();
    await suspected(w, { opened: false });
    w.pass(300);
    w.facts.set('fb1', { sessions: () => ({ items: [] }) });
    await check(w, 'fb1');
    expect(w.suspects()).toHaveLength(1);
    w.facts.delete('fb1');
    w.once('remove', fail(awsDown));
    expect(await check(w, 'fb1')).toMatchObject({ healthy: 1 });
    expect(w.events()).toContain('LedgerWriteFailed');
    expect(w.suspects()).toHaveLength(1);
  });
});
