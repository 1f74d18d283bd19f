/** The fake fleet for the tests of programs that use the library. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseExactJson } from '../../../lib/core/json.ts';
import { closeConnections, createFleet, isFlashBladeError } from '../../../lib/index.ts';
import { type FakeCall, type FakeFleet, type FakeFleetOptions, type Fleet, fakeFleet } from '../../../lib/testing.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { LEASE_TABLE } from '../../kit/lease-table.ts';
import { simulated } from '../flashblade/simulated.ts';
import { ROOT } from '../rules/imports.ts';

const eventsOf = (fleet: FakeFleet) => fleet.events.map(({ event }) => event);

describe('withSession', () => {
  it('runs the work in a session of the array and closes the session', async () => {
    const fleet = fakeFleet();
    const during = await fleet.withSession('fb1', (fb) => [fleet.openSessions(), fb.lease.array]);
    expect(during).toEqual([[{ array: 'fb1', leaseId: 'id-1', username: 'pureuser', state: 'open' }], 'fb1']);
    expect(fleet.openSessions()).toEqual([]);
    expect(eventsOf(fleet)).toEqual(['LoginSucceeded', 'LogoutSucceeded']);
  });

  it('closes the session and rethrows the error if the work fails', async () => {
    const fleet = fakeFleet();
    const error = new Error('planned by the test');
    await expect(fleet.withSession('fb1', () => Promise.reject(error))).rejects.toBe(error);
    expect(fleet.openSessions()).toEqual([]);
  });

  it('loses its session when the lease ends, because the sweeper closes the session', async () => {
    const fleet = fakeFleet();
    const work = fleet.withSession('fb1', async (fb) => {
      await fleet.pass(960);
      return fb.get('/arrays');
    });
    await expect(work).rejects.toMatchObject({ code: 'LEASE_ENDED', facts: { phase: 'call', array: 'fb1' } });
  });

  it('keeps its session with renew: auto, as long as the work runs', async () => {
    const fleet = fakeFleet();
    const work = async (fb: { get(path: string): Promise<unknown> }) => {
      await fleet.pass(6 * 3600);
      return [await fb.get('/arrays'), fleet.openSessions().length];
    };
    expect(await fleet.withSession('fb1', work, { renew: 'auto' })).toEqual([{ items: [] }, 1]);
    expect(eventsOf(fleet)).toEqual(['LoginSucceeded', 'LogoutSucceeded']);
  });

  it('stops renewing after maxSeconds', async () => {
    const fleet = fakeFleet();
    const work = fleet.withSession(
      'fb1',
      async (fb) => {
        await fleet.pass(1900);
        return fb.get('/arrays');
      },
      { renew: 'auto', maxSeconds: 1800 },
    );
    await expect(work).rejects.toMatchObject({ code: 'LEASE_ENDED' });
  });

  it.each<[string, (clock: { ms: number }) => Promise<unknown>]>([
    [
      'a variable',
      async (clock) => {
        clock.ms += 460_000;
        await new Promise((resolve) => setTimeout(resolve, 50));
      },
    ],
    ['fake timers', async () => vi.advanceTimersByTimeAsync(460_000)],
  ])('renews by the clock of the test, such as %s', async (kind, pass) => {
    if (kind === 'fake timers') vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const clock = { ms: 1_800_000_000_001 };
    if (kind === 'fake timers') vi.setSystemTime(clock.ms);
    const fleet = fakeFleet({ now: kind === 'fake timers' ? Date.now : () => clock.ms });
    const work = async () => {
      await pass(clock);
      await pass(clock);
      await fleet.sweep();
      return fleet.openSessions().length;
    };
    expect(await fleet.withSession('fb1', work, { renew: 'auto' })).toBe(1);
    expect(await fleet.withSession('fb1', work)).toBe(0);
  });
});

it('no wait goes on after its session has closed', async () => {
  let looks = 0;
  const fleet = fakeFleet({ now: () => ++looks });
  await fleet.withSession('fb1', (fb) => fb.get('/arrays'), { renew: 'auto' });
  const before = looks;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(looks).toBe(before);
});

describe('a lease', () => {
  it('is opened, used, renewed and closed by its id', async () => {
    const fleet = fakeFleet({ now: () => 1_800_000_000_000 });
    const { leaseId, expiresAt } = await fleet.open('fb2', { leaseId: 'job-1' });
    expect(expiresAt).toEqual(new Date(1_800_000_900_000));
    expect(await fleet.withLease(leaseId, (fb) => fb.get('/arrays'))).toEqual({ items: [] });
    expect(await fleet.renew(leaseId, { leaseSeconds: 3600 })).toMatchObject({
      expiresAt: new Date(1_800_003_600_000),
    });
    expect(fleet.openSessions()).toMatchObject([{ array: 'fb2', leaseId: 'job-1' }]);
    expect(await fleet.close(leaseId)).toEqual({ leaseId: 'job-1', array: 'fb2', outcome: 'CLOSED' });
    expect(fleet.openSessions()).toEqual([]);
  });

  it('that nobody closes is closed by the sweeper after it has ended', async () => {
    const fleet = fakeFleet();
    await fleet.open('fb1', { leaseSeconds: 60 });
    await fleet.pass(59);
    expect(fleet.openSessions()).toHaveLength(1);
    await fleet.pass(61);
    expect(fleet.openSessions()).toEqual([]);
  });
});

it('map runs the work on each array, and reports an array that fails', async () => {
  const fleet = fakeFleet({ arrays: ['fb1', 'fb2', 'fb3'] });
  fleet.array('fb2').goDown();
  const results = await fleet.map(['fb1', 'fb2', 'fb3'], ({ lease }) => lease.array);
  expect(results).toMatchObject([
    { ok: true, value: 'fb1' },
    { ok: false, array: 'fb2', error: { code: 'ARRAY_UNREACHABLE', facts: { mayHaveOpened: false } } },
    { ok: true, value: 'fb3' },
  ]);
  expect(fleet.openSessions()).toEqual([]);
});

describe('an aborted signal', () => {
  it('ends a call that the array does not respond to, and the session is closed', async () => {
    const stop = new AbortController();
    const fleet = fakeFleet({ respond: () => new Promise(() => {}) });
    const work = fleet.withSession('fb1', (fb) => fb.get('/arrays'), { signal: stop.signal });
    await fleet.pass(1);
    stop.abort('enough');
    await expect(work).rejects.toBe('enough');
    expect(fleet.openSessions()).toEqual([]);
  });

  it('closes a session that is being opened', async () => {
    const stop = new AbortController();
    const fleet = fakeFleet();
    const opening = fleet.open('fb1', { signal: stop.signal });
    stop.abort('enough');
    await expect(opening).rejects.toBe('enough');
    expect(fleet.openSessions()).toEqual([]);
  });
});

describe('a call', () => {
  it('reaches the function of the test as an array would receive it', async () => {
    const calls: FakeCall[] = [];
    const fleet = fakeFleet({
      versions: ['2.4', '2.15'],
      respond: (call) => {
        calls.push(call);
        return { status: 201, body: { items: [{ name: 'logs' }] } };
      },
    });
    const options = { query: { names: 'logs', limit: 5 }, body: { at: new Date(0), none: undefined } };
    const created = await fleet.withSession('fb1', (fb) => fb.post('/buckets', options));
    expect(created).toEqual({ items: [{ name: 'logs' }] });
    expect(calls).toEqual([
      {
        array: 'fb1',
        method: 'POST',
        path: '/api/2.15/buckets',
        query: { names: 'logs', limit: '5' },
        body: { at: '1970-01-01T00:00:00.000Z' },
      },
    ]);
  });

  it('gets the error that the function of the test throws', async () => {
    const error = new Error('planned by the test');
    const fleet = fakeFleet({
      respond: () => {
        throw error;
      },
    });
    await expect(fleet.withSession('fb1', (fb) => fb.get('/arrays'))).rejects.toBe(error);
  });

  it('gives up after its time limit', async () => {
    const fleet = fakeFleet({ respond: () => new Promise(() => {}) });
    const work = fleet.withSession('fb1', async (fb) => {
      const call = fb.get('/arrays', { timeoutMs: 3000 }).catch((error) => error);
      await fleet.pass(2.9);
      const before = await Promise.race([call, 'waiting']);
      await fleet.pass(0.1);
      return [before, await call];
    });
    expect(await work).toMatchObject(['waiting', { code: 'ARRAY_UNREACHABLE', facts: { sent: true, array: 'fb1' } }]);
  });

  it('returns large numbers exactly if it asks for that', async () => {
    const fleet = fakeFleet({ respond: () => ({ body: { used: parseExactJson('12345678901234567890') } }) });
    const used = (exactNumbers: boolean) =>
      fleet.withSession('fb1', (fb) => fb.get<{ used: unknown }>('/arrays', { exactNumbers }));
    expect(await used(false)).toEqual({ used: 12345678901234567000 });
    expect(JSON.stringify(await used(true))).toBe('{"used":12345678901234567890}');
  });

  it('tells the program how long a busy array asks it to wait', async () => {
    const fleet = fakeFleet({ respond: () => ({ status: 429, headers: { 'retry-after': '7' } }) });
    const work = fleet.withSession('fb1', (fb) => fb.get('/arrays'));
    await expect(work).rejects.toMatchObject({ code: 'ARRAY_BUSY', facts: { status: 429, retryAfterSeconds: 7 } });
  });
});

describe('an array that fails', () => {
  it('refuses logins until its secret has an API token that it accepts', async () => {
    const fleet = fakeFleet();
    fleet.array('fb1').refuseLogins();
    await expect(fleet.open('fb1')).rejects.toMatchObject({ code: 'LOGIN_REFUSED', facts: { array: 'fb1' } });
    expect(eventsOf(fleet)).toEqual(['LoginFailed']);
    fleet.array('fb1').acceptLogins();
    expect(await fleet.open('fb1')).toMatchObject({ array: 'fb1' });
  });

  it('loses the response to one login, which leaves a SUSPECT until the idle timeout', async () => {
    const fleet = fakeFleet();
    fleet.array('fb1').loseNextLogin();
    const options = { leaseId: 'job-1' };
    await expect(fleet.open('fb1', options)).rejects.toMatchObject({ code: 'LOGIN_UNKNOWN' });
    expect(eventsOf(fleet)).toEqual(['LoginFailed', 'SuspectRecorded']);
    expect(fleet.openSessions()).toMatchObject([{ leaseId: 'job-1', state: 'lost' }]);
    expect(await fleet.open('fb1', options)).toMatchObject({ leaseId: 'job-1' });
    await fleet.close('job-1');
    await fleet.pass(1800);
    expect(fleet.openSessions()).toEqual([]);
  });

  it('drops its sessions, and the next call logs in again under the same lease', async () => {
    const fleet = fakeFleet();
    const work = fleet.withSession('fb1', async (fb) => {
      fleet.array('fb1').dropSessions();
      const before = fleet.openSessions();
      return [before, await fb.get('/arrays'), fleet.openSessions()];
    });
    expect(await work).toMatchObject([[], { items: [] }, [{ leaseId: 'id-1', state: 'open' }]]);
    expect(eventsOf(fleet)).toEqual(['LoginSucceeded', 'LoginSucceeded', 'LogoutSucceeded']);
  });

  it('ends a session that is idle for too long', async () => {
    const fleet = fakeFleet({ limits: { arrayIdleSeconds: 300 } });
    await fleet.open('fb1');
    await fleet.pass(300);
    expect(fleet.openSessions()).toEqual([]);
  });

  it('is down when a session is closed, and the sweeper closes the session later', async () => {
    const fleet = fakeFleet();
    await fleet.withSession('fb1', () => fleet.array('fb1').goDown());
    expect(eventsOf(fleet)).toEqual(['LoginSucceeded', 'LogoutFailed']);
    expect(fleet.openSessions()).toMatchObject([{ array: 'fb1', state: 'closing' }]);
    fleet.array('fb1').comeBack();
    await fleet.pass(60);
    expect(fleet.openSessions()).toEqual([]);
  });

  it('has a user without permission for a call', async () => {
    const fleet = fakeFleet({ respond: () => ({ status: 403 }) });
    const work = fleet.withSession('fb1', (fb) => fb.get('/arrays'));
    await expect(work).rejects.toMatchObject({ code: 'FORBIDDEN', facts: { status: 403 } });
  });
});

describe('the end of an `await using` block', () => {
  const block = async (work: (fleet: FakeFleet) => Promise<unknown>) => {
    await using fleet = fakeFleet();
    await work(fleet);
  };

  it('fails if a lease is still open', async () => {
    await expect(block((fleet) => fleet.open('fb1', { leaseId: 'job-1' }))).rejects.toMatchObject({
      name: 'AssertionError',
      message: 'these leases are still open: job-1 on fb1. Close them, or use withSession',
    });
  });

  it.each<[string, (fleet: FakeFleet) => Promise<unknown>]>([
    ['every lease is closed', (fleet) => fleet.withSession('fb1', () => {})],
    [
      'only the array has failed to close a session',
      (fleet) => fleet.withSession('fb1', () => fleet.array('fb1').goDown()),
    ],
    [
      'a session remains only because the response to its login was lost',
      (fleet) => {
        fleet.array('fb1').loseNextLogin();
        return fleet.open('fb1').catch(() => {});
      },
    ],
  ])('passes if %s', async (_, work) => {
    await expect(block(work)).resolves.toBeUndefined();
  });
});

describe('a mistake in a test', () => {
  it.each<[unknown, string]>([
    [{ arays: ['fb1'] }, 'options has an unknown option arays'],
    [{ arrays: [] }, 'options.arrays must be a list of array names'],
    [{ arrays: 'fb1' }, 'options.arrays must be a list of array names'],
    [{ arrays: ['fb 1'] }, 'options.arrays.0'],
    [{ versions: [] }, 'options.versions must be a list of REST versions'],
    [{ versions: [2.15] }, 'options.versions must be a list of REST versions'],
    [{ respond: {} }, 'options.respond must be a function'],
    [{ now: 5 }, 'options.now must be a function'],
    [{ newId: 'id' }, 'options.newId must be a function'],
    [{ limits: { sessions: 5 } }, 'options.limits has an unknown option sessions'],
    [{ limits: { sessionsPerArray: 0 } }, 'option limits.sessionsPerArray must be a whole number'],
  ])('such as %j is explained', (options, sentence) => {
    expect(() => fakeFleet(options as FakeFleetOptions)).toThrow(sentence);
  });

  it.each<[unknown, string]>([
    [{ status: 20 }, 'the result of respond.status must be a whole number from 200 to 599'],
    [{ status: '200' }, 'the result of respond.status must be a whole number from 200 to 599'],
    [{ items: [] }, 'the result of respond has an unknown option items'],
    [{ body: 1n }, 'the result of respond.body must be a JSON value or a text'],
    [{ body: () => {} }, 'the result of respond.body must be a JSON value or a text'],
  ])('such as the response %o is explained', async (response, sentence) => {
    const fleet = fakeFleet({ respond: () => response as never });
    await expect(fleet.withSession('fb1', (fb) => fb.get('/arrays'))).rejects.toThrow(sentence);
  });

  it('such as a wrong array name or a step back in time is explained', async () => {
    expect(() => fakeFleet().array('fb9')).toThrow('array must be one of fb1, fb2');
    await expect(fakeFleet().pass(-1)).rejects.toThrow('seconds must be a number of seconds from 0 to 2678400');
    await expect(fakeFleet().pass(3_600_000)).rejects.toThrow('seconds must be a number of seconds from 0 to 2678400');
    await expect(fakeFleet({ now: Date.now }).pass(1)).rejects.toThrow('pass moves only the clock of the fleet');
  });
});

/** A fleet, and ways to make its array fb1 fail. */
type Subject = {
  readonly fleet: Fleet;
  readonly events: () => unknown[];
  readonly sessions: () => number;
  readonly refuseLogins: () => void;
  readonly loseNextLogin: () => void;
  readonly goDown: () => Promise<void> | void;
  readonly dropSessions: () => void;
};

function fakeSubject(): Subject {
  const respond = ({ path }: FakeCall) => ({ status: path.endsWith('/arrays') ? 200 : 400 });
  const fleet = fakeFleet({ respond, versions: ['2.4'], limits: { sessionsPerArray: 2 }, newId: randomUUID });
  return {
    fleet,
    events: () => eventsOf(fleet),
    sessions: () => fleet.openSessions().length,
    ...fleet.array('fb1'),
  };
}

async function realSubject(): Promise<Subject> {
  const { aws } = await awsWithClients();
  const { simulator, array, token } = await simulated();
  await aws.dynamodb.createTable(LEASE_TABLE, 'leases');
  const trust = array.trust.kind === 'ca' ? { ca: array.trust.ca } : {};
  const store = (name: string, apiToken: string, port = array.port) =>
    aws.secrets.put(`flashblade/${name}`, { host: `${array.host}:${port}`, apiToken, trust });
  for (const name of ['fb1', 'fb2']) store(name, token.reveal());
  const events: unknown[] = [];
  const fleet = createFleet({
    ...{ table: 'leases', key: aws.kms.createKey().arn, limits: { sessionsPerArray: 2 } },
    onEvent: ({ event }) => void events.push(event),
  });
  return {
    fleet,
    events: () => events,
    sessions: () => simulator.sessions().length,
    refuseLogins: () => void store('fb1', 'T-11111111-2222-3333-4444-555555555555'),
    loseNextLogin: () => void simulator.faults.add({ kind: 'reset', path: '/api/login', times: 1 }),
    goDown: async () => {
      await simulator.faults.add({ kind: 'refuse' });
      closeConnections();
    },
    dropSessions: () => {
      for (const { authToken } of simulator.sessions()) simulator.endSession(authToken);
    },
  };
}

const JOB = { leaseId: 'job-1' };

/** What a program does, and what it gets: a result or an error code. */
const SCENARIOS: Readonly<Record<string, readonly [act: (on: Subject) => Promise<unknown>, expected: unknown]>> = {
  'a call in a session': [
    ({ fleet }) =>
      fleet.withSession('fb1', (fb) => fb.request({ method: 'GET', path: '/api/2.4/arrays' }).then((r) => r.status)),
    200,
  ],
  'a path that the array does not have': [
    ({ fleet }) => fleet.withSession('fb1', (fb) => fb.get('/api/2.4/nothing')),
    'CALL_REFUSED',
  ],
  'a path that no array has': [({ fleet }) => fleet.withSession('fb1', (fb) => fb.get('/api/../x')), 'REQUEST_INVALID'],
  'the list of REST versions': [
    ({ fleet }) => fleet.withSession('fb1', async (fb) => (await fb.apiVersions()).includes('2.4')),
    true,
  ],
  'an unknown array': [({ fleet }) => fleet.open('fb9', JOB), 'ARRAY_UNKNOWN'],
  'an invalid array name': [({ fleet }) => fleet.open('fb 1', JOB), 'REQUEST_INVALID'],
  'the same request twice': [
    async ({ fleet }) => {
      const leases = [await fleet.open('fb1', JOB), await fleet.open('fb1', JOB)];
      return leases.map(({ leaseId, array, username }) => `${leaseId} ${array} ${username}`);
    },
    ['job-1 fb1 pureuser', 'job-1 fb1 pureuser'],
  ],
  'the lease of another array': [
    async ({ fleet }) => {
      await fleet.open('fb1', JOB);
      return fleet.open('fb2', JOB);
    },
    'LEASE_CONFLICT',
  ],
  'more sessions than allowed': [
    async ({ fleet }) => {
      for (const leaseId of ['a', 'b', 'c']) await fleet.open('fb1', { leaseId });
    },
    'LEASE_LIMIT',
  ],
  'a lease that does not exist': [({ fleet }) => fleet.withLease('job-1', () => {}), 'LEASE_UNKNOWN'],
  'a lease that is closed twice and then used': [
    async ({ fleet }) => {
      await fleet.open('fb1', JOB);
      const outcomes = [await fleet.close('job-1'), await fleet.close('job-1'), await fleet.close('job-2')];
      const use = await fleet.withLease('job-1', () => {}).catch(({ code }) => code);
      return [...outcomes.map(({ outcome }) => outcome), use];
    },
    ['CLOSED', 'ALREADY_CLOSED', 'NEVER_OPENED', 'LEASE_ENDED'],
  ],
  'a renewal for too long': [
    async ({ fleet }) => {
      await fleet.open('fb1', JOB);
      return fleet.renew('job-1', { leaseSeconds: 90_000 });
    },
    'REQUEST_INVALID',
  ],
  'a session that the array has dropped': [
    ({ fleet, dropSessions }) =>
      fleet.withSession('fb1', async (fb) => {
        dropSessions();
        return (await fb.get<{ items: unknown[] }>('/arrays')).items.length >= 0;
      }),
    true,
  ],
  'a refused login, twice': [
    async ({ fleet, refuseLogins }) => {
      refuseLogins();
      await fleet.open('fb1', { leaseId: 'a' }).catch(() => {});
      return fleet.open('fb1', JOB);
    },
    'LOGIN_REFUSED',
  ],
  'a lost login': [
    ({ fleet, loseNextLogin }) => {
      loseNextLogin();
      return fleet.open('fb1', JOB);
    },
    'LOGIN_UNKNOWN',
  ],
  'an array that is down': [
    async ({ fleet, goDown }) => {
      await goDown();
      return fleet.open('fb1', JOB);
    },
    'ARRAY_UNREACHABLE',
  ],
  'an array that goes down during the work': [({ fleet, goDown }) => fleet.withSession('fb1', goDown), undefined],
  'an aborted signal': [
    ({ fleet }) => fleet.withSession('fb1', () => {}, { signal: AbortSignal.abort(new Error('enough')) }),
    'Error: enough',
  ],
};

describe('the fake fleet does what a real one does, on a simulated array with stand-ins for AWS:', () => {
  async function outcomeOf(act: (on: Subject) => Promise<unknown>, on: Subject) {
    const result = await act(on).then(
      (value) => ({ value }),
      (error: unknown) => {
        if (!isFlashBladeError(error)) return { value: String(error) };
        // Random ids differ, but both errors have them.
        const { requestId, leaseId, ...facts } = error.facts;
        return { value: error.code, facts, requestId: typeof requestId, leaseId: typeof leaseId };
      },
    );
    return { ...result, events: on.events(), sessions: on.sessions() };
  }

  it.each(Object.entries(SCENARIOS))('%s', async (_, [act, expected]) => {
    const real = await outcomeOf(act, await realSubject());
    expect(real.value).toEqual(expected);
    expect(await outcomeOf(act, fakeSubject())).toEqual(real);
  });
});

describe('the module', () => {
  /** Imports a module in a new process, and returns the URLs of everything that it loads. */
  async function loadedBy(path: string): Promise<string[]> {
    const program = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      await import('./${path}');
      console.log(JSON.stringify(loaded));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: ROOT,
    });
    return JSON.parse(stdout) as string[];
  }
  const packagesOf = (urls: readonly string[]) => [
    ...new Set(urls.flatMap((url) => url.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? [])),
  ];

  it('loads no AWS SDK and no test framework', async () => {
    const loaded = await loadedBy('lib/testing.ts');
    expect(loaded.length).toBeGreaterThan(20);
    expect(packagesOf(loaded)).toEqual(['valibot']);
    expect(loaded).not.toEqual(expect.arrayContaining(['node:test']));
  });

  it.each(['lib/index.ts', 'lib/array.ts'])('is not loaded by %s', async (path) => {
    const loaded = await loadedBy(path);
    expect(loaded.some((url) => url.endsWith('/core/errors.ts'))).toBe(true);
    expect(loaded.filter((url) => url.includes('/lib/testing'))).toEqual([]);
  });
});
