/** Every function of a fleet, aborted before, during and after each of its calls to the outside world. */
import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { type Fleet, type FleetSession, fleetOf } from '../../../lib/fleet-of.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { type Call, type Hook, hooked } from '../../kit/memory/hook.ts';
import { fail, loseResponse, open, unreachable, untilCalled, type World, world } from '../../kit/memory/world.ts';

const LEASE = { leaseId: 'job-1' };
const REASON = new Error('enough');

/** Reasons that a program may pass. Each must be thrown as it is, not a copy. */
const REASONS: readonly (() => unknown)[] = [
  () => REASON,
  () => new FlashBladeError('ARRAY_BUSY', 'another call failed', { mayHaveOpened: true, sent: true }),
  () => 'a text',
  () => undefined,
];

/** - `early`, `late`: the call takes effect after the abort, at once or a little later. `after`: right before its result returns. */
const MOMENTS = ['early', 'late', 'after'] as const;
type Moment = (typeof MOMENTS)[number];

type Aborting = { readonly fleet: Fleet; readonly w: World; readonly signal: AbortSignal; readonly done: Done };
/** Notes what the work came to, so that the outcome of the whole function can be compared with it. */
type Done = <T>(work: (fb: FleetSession) => Promise<T>) => (fb: FleetSession) => Promise<T>;

type Case = {
  readonly prepare?: (w: World) => unknown;
  readonly run: (aborting: Aborting) => Promise<unknown>;
  /** What may be left if the function throws the signal's reason. */
  readonly left: 'nothing' | 'the open lease' | 'either';
  /** What is left if the function succeeds. Default: as if it had thrown. */
  readonly leftBy?: 'nothing' | 'the open lease' | 'either';
  /** Whether the function goes on once the array has responded to its call. */
  readonly goesOn?: true;
  /** Whether the function goes on in the background. */
  readonly inBackground?: true;
};

const useTwice = async (fb: FleetSession): Promise<string> => {
  await fb.get('/arrays');
  await Promise.all([fb.get('/api/2.10/arrays'), fb.apiVersions()]);
  return 'worked';
};
const dropThenUse =
  (w: World) =>
  async (fb: FleetSession): Promise<string> => {
    w.dropSessions();
    return useTwice(fb);
  };

const CASES: Readonly<Record<string, Case>> = {
  withSession: {
    run: ({ fleet, signal, done }) => fleet.withSession('fb1', done(useTwice), { ...LEASE, signal, owner: 'job' }),
    left: 'nothing',
  },
  'withSession, whose array drops the session': {
    run: ({ fleet, w, signal, done }) => fleet.withSession('fb1', done(dropThenUse(w)), { ...LEASE, signal }),
    left: 'nothing',
  },
  'withSession, whose API token was rotated': {
    prepare: async (w) => {
      await w.ports.secrets.read('fb1', { by: w.deadline() });
      w.rotate('fb1', 'T-2');
    },
    run: ({ fleet, signal, done }) => fleet.withSession('fb1', done(useTwice), { ...LEASE, signal }),
    left: 'nothing',
  },
  'withSession, which renews its lease': {
    run: ({ fleet, w, signal, done }) =>
      fleet.withSession(
        'fb1',
        done(async (fb) => {
          while (w.seconds() < 1_800_001_000) await new Promise(setImmediate);
          return useTwice(fb);
        }),
        { ...LEASE, signal, renew: 'auto' },
      ),
    left: 'nothing',
  },
  'withSession, whose work renews the lease': {
    run: ({ fleet, signal, done }) =>
      fleet.withSession(
        'fb1',
        done((fb) => fb.renew({ leaseSeconds: 1800 })),
        { ...LEASE, signal },
      ),
    left: 'nothing',
  },
  'a call in withSession, with a signal of its own': {
    run: ({ fleet, w, signal, done }) =>
      fleet.withSession(
        'fb1',
        done(async (fb) => {
          w.dropSessions();
          return fb.get('/arrays', { signal });
        }),
        LEASE,
      ),
    left: 'nothing',
  },
  withLease: {
    prepare: open,
    run: ({ fleet, signal, done }) => fleet.withLease('job-1', done(useTwice), { signal }),
    left: 'the open lease',
  },
  'withLease, whose array has dropped the session': {
    prepare: async (w) => {
      await open(w);
      w.dropSessions();
    },
    run: ({ fleet, signal, done }) => fleet.withLease('job-1', done(useTwice), { signal }),
    left: 'the open lease',
  },
  open: {
    run: ({ fleet, signal }) => fleet.open('fb1', { ...LEASE, signal, owner: 'job' }),
    left: 'nothing',
    leftBy: 'the open lease',
  },
  'open of a lease that is already open': {
    prepare: open,
    run: ({ fleet, signal }) => fleet.open('fb1', { ...LEASE, signal }),
    left: 'the open lease',
  },
  renew: {
    prepare: open,
    run: ({ fleet, signal }) => fleet.renew('job-1', { signal, leaseSeconds: 1800 }),
    left: 'the open lease',
    goesOn: true,
  },
  'renew, whose array has dropped the session': {
    prepare: async (w) => {
      await open(w);
      w.dropSessions();
    },
    run: ({ fleet, signal }) => fleet.renew('job-1', { signal, leaseSeconds: 1800 }),
    left: 'the open lease',
    goesOn: true,
  },
  close: {
    prepare: open,
    run: ({ fleet, signal }) => fleet.close('job-1', { signal }),
    left: 'nothing',
    inBackground: true,
  },
  'close of a lease that was never opened': {
    run: ({ fleet, signal }) => fleet.close('job-1', { signal }),
    left: 'nothing',
  },
  'map, one array after the other': { run: mapped(1), left: 'nothing' },
  'map, all arrays at once': { run: mapped(8), left: 'nothing' },
};

/** Throws the errors of all arrays as one, if they are the same. */
function mapped(concurrency: number) {
  return async ({ fleet, signal, done }: Aborting): Promise<unknown> => {
    const results = await fleet.map(['fb1', 'fb2', 'fb1'], done(useTwice), { concurrency, signal });
    const errors = new Set(results.flatMap((result) => (result.ok ? [] : [result.error])));
    if (errors.size > 1) throw new AggregateError(errors);
    for (const error of errors) throw error;
    return 'worked';
  };
}

/** A run that is aborted at its nth call, or not at all. */
async function runAborted({ prepare, run }: Case, nth: number, moment: Moment, reason: unknown) {
  const w = world();
  await prepare?.(w);
  w.calls.length = 0;
  w.reports.length = 0;
  const controller = new AbortController();
  const { signal } = controller;
  const abort = (): void => controller.abort(reason);
  const problems: string[] = [];
  const made: string[] = [];
  let underWay = 0;
  let own: { value: unknown } | { error: unknown } | undefined;

  const done: Done = (work) => async (fb) => {
    try {
      const value = await work(fb);
      own = { value };
      return value;
    } catch (error) {
      own = { error };
      throw error;
    }
  };

  const hook: Hook = async <T>(call: Call<T>): Promise<T> => {
    const isIt = made.push(call.name) - 1 === nth;
    underWay += 1;
    try {
      if (isIt && moment !== 'after') abort();
      if (isIt && moment === 'late') await turns(3);
      const result = await likeTheClient(call);
      if (isIt && moment === 'after') abort();
      return result;
    } finally {
      underWay -= 1;
      const unknown = forgotten(w);
      if (unknown !== undefined) problems.push(unknown);
    }
  };
  const ports: Ports = { ...hooked(w.ports, hook), wait: shortWaits(w) };
  const outcome: { value: unknown } | { error: unknown } = await run({ fleet: fleetOf(ports), w, signal, done }).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const early = leftIn(w);
  do await turns(20);
  while (underWay > 0);
  const late = leftIn(w);
  const listeners = getEventListeners(signal, 'abort').length;
  return { w, made, signal, outcome, own, early, late, listeners, problems };
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

/** The real client rejects an aborted call with the signal's reason. */
function likeTheClient<T>({ args, act, port }: Call<T>): Promise<T> {
  const { signal } = (args.at(-1) ?? {}) as { signal?: AbortSignal };
  if (port !== 'flashblade' || !(signal instanceof AbortSignal)) return act();
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([act(), promise]).finally(() => signal.removeEventListener('abort', abort));
}

/** The first waits take no time, but advance the clock. */
function shortWaits(w: World): Ports['wait'] {
  let waits = 0;
  return async (ms, signal) => {
    if (waits++ > 2) return w.ports.wait(ms, signal);
    await turns(2);
    w.pass(ms / 1000);
  };
}

const liveAttempts = (w: World): string[] => [...w.live.values()].map(({ requestId }) => requestId);

const leases = (w: World) =>
  [...w.store.items.values()].flatMap((item) => (item.kind === 'lease' && item.state !== 'CLOSED' ? [item] : []));

/** Says which live session is missing in the ledger. */
function forgotten(w: World): string | undefined {
  const known = leases(w).map(({ attemptId }) => attemptId);
  const unknown = liveAttempts(w).find((attempt) => !known.includes(attempt));
  return unknown && `the session of attempt ${unknown} is not in the ledger`;
}

/** What is left: nothing, one open lease with its session, or a description. */
function leftIn(w: World): string {
  const states = leases(w).map(({ state }) => state);
  const slots = [...w.slots('fb1'), ...w.slots('fb2')].length;
  const [sessions, suspects] = [w.live.size, w.suspects().length];
  if (states.length + sessions + slots + suspects === 0) return 'nothing';
  if (`${states}` === 'OPEN' && sessions <= 1 && slots === 1 && suspects === 0) return 'the open lease';
  return `leases ${states}, ${sessions} sessions, ${slots} slots, ${suspects} SUSPECTs`;
}

/** Fails the test for promises that reject although nothing waits for them. */
function unhandled(): unknown[] {
  const found: unknown[] = [];
  const note = (reason: unknown) => found.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    for (const other of others) process.on('unhandledRejection', other);
  });
  return found;
}

describe('a function of a fleet that is aborted at any moment', () => {
  it.each(Object.entries(CASES))(
    'throws the reason or keeps the result of its work, forgets no session and leaves none open: %s',
    async (name, one) => {
      const rejections = unhandled();
      const isMap = name.startsWith('map');
      const plain = await runAborted(one, Number.POSITIVE_INFINITY, 'early', undefined);
      expect(plain.outcome).toEqual({ value: expect.anything() });
      expect(plain.late).toBe(one.leftBy ?? one.left);
      expect(plain.made.length).toBeGreaterThan(0);
      const lastRequest = plain.made.lastIndexOf('request');
      const wrong: string[] = [];
      let thrown = 0;
      for (let nth = 0; nth < plain.made.length; nth++) {
        for (const moment of MOMENTS) {
          const reason = REASONS[(nth + MOMENTS.indexOf(moment)) % REASONS.length]?.();
          const aborted = await runAborted(one, nth, moment, reason);
          const { made, signal, outcome, own, early, late, listeners, problems } = aborted;
          const at = `aborted ${moment} ${made[nth]} (${nth})`;
          const isReason = 'error' in outcome && outcome.error === signal.reason;
          const isOwn = own !== undefined && 'value' in own && 'value' in outcome && own.value === outcome.value;
          // A renewal goes on once the array has responded.
          const isRenewed = one.goesOn && (nth > lastRequest || (nth === lastRequest && moment === 'after'));
          thrown += isReason ? 1 : 0;
          if (!(isReason || isOwn || (isRenewed && 'value' in outcome)))
            wrong.push(`${at}: ${JSON.stringify(outcome)} ${'error' in outcome ? outcome.error : ''}`);
          if (isReason && own !== undefined && 'value' in own && !isMap)
            wrong.push(`${at}: the result of the work is lost`);
          const left = isReason ? one.left : (one.leftBy ?? one.left);
          if (late !== left) wrong.push(`${at}: leaves ${late}`);
          if (early !== late && !one.inBackground) wrong.push(`${at}: first leaves ${early}`);
          if (listeners > 0) wrong.push(`${at}: ${listeners} listeners are left`);
          if (problems.length > 0) wrong.push(`${at}: ${problems[0]}`);
          if (rejections.length > 0) wrong.push(`${at}: unhandled ${rejections.splice(0)}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(thrown).toBeGreaterThan(0);
    },
  );
});

/** Every function of a fleet that accepts a signal, with valid arguments. */
const FUNCTIONS: Readonly<
  Record<string, (fleet: Fleet, signal: AbortSignal, work: () => unknown) => Promise<unknown>>
> = {
  withSession: (fleet, signal, work) => fleet.withSession('fb1', work, { signal }),
  withLease: (fleet, signal, work) => fleet.withLease('job-1', work, { signal }),
  open: (fleet, signal) => fleet.open('fb1', { signal }),
  close: (fleet, signal) => fleet.close('job-1', { signal }),
  renew: (fleet, signal) => fleet.renew('job-1', { signal }),
};

describe('a signal', () => {
  it.each(Object.entries(FUNCTIONS))('that is aborted before %s starts prevents every call', async (_, call) => {
    const w = world();
    await open(w);
    w.calls.length = 0;
    const work = () => expect.unreachable();
    await expect(call(fleetOf(w.ports), AbortSignal.abort(REASON), work)).rejects.toBe(REASON);
    expect(w.calls).toEqual([]);
  });

  it('that is aborted before map starts fails every array with its reason, and nothing is called', async () => {
    const w = world();
    const results = await fleetOf(w.ports).map(['fb1', 'fb2'], () => 1, { signal: AbortSignal.abort(REASON) });
    expect(results).toEqual(['fb1', 'fb2'].map((array) => ({ ok: false, array, error: REASON })));
    expect(w.calls).toEqual([]);
  });

  it.each(['login', 'unseal'])('that is aborted during the %s keeps the work from starting', async (during) => {
    const w = world();
    const controller = new AbortController();
    const abort = async (act: () => Promise<unknown>) => {
      const result = await act();
      controller.abort(REASON);
      return result;
    };
    w.once(during, abort);
    const work = () => expect.unreachable();
    const call = fleetOf(w.ports).withSession('fb1', work, { signal: controller.signal });
    await expect(call).rejects.toBe(REASON);
    expect(w.live.size).toBe(0);
  });

  it('has no listeners left after a thousand calls', async () => {
    const w = world();
    await open(w);
    const { signal } = new AbortController();
    const fleet = fleetOf(w.ports);
    await fleet.withLease(
      'job-1',
      async (fb) => {
        for (let call = 0; call < 990; call++) await fb.get('/arrays', { signal });
      },
      { signal },
    );
    for (const call of Object.values(FUNCTIONS).filter((one) => one !== FUNCTIONS['close'])) {
      await call(fleet, signal, () => 1);
      await call(fleet, signal, () => 1);
    }
    await FUNCTIONS['close']?.(fleet, signal, () => 1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is aborted in vain once the work is done: closing the session goes on, and the result is kept', async () => {
    const w = world();
    const controller = new AbortController();
    w.once('logout', async (act) => {
      controller.abort(REASON);
      return act();
    });
    expect(await fleetOf(w.ports).withSession('fb1', () => 'done', { signal: controller.signal })).toBe('done');
    expect(w.live.size).toBe(0);
  });

  it('also aborts a renewal of the work, which keeps the lease as it was', async () => {
    const w = world();
    const controller = new AbortController();
    w.once('request', (_, call) => {
      controller.abort(REASON);
      return likeTheClient(call);
    });
    const work = async (fb: FleetSession) => {
      await expect(fb.renew({ leaseSeconds: 1800 })).rejects.toBe(REASON);
      return [fb.lease.expiresAt.getTime() / 1000, w.lease('job-1')];
    };
    const [expiresAt, lease] = (await fleetOf(w.ports).withSession('fb1', work, {
      ...LEASE,
      signal: controller.signal,
    })) as [number, object];
    expect(lease).toMatchObject({ state: 'OPEN', expiresAt });
  });
});

describe('a session whose opening was aborted', () => {
  /** Aborts during the login, whose outcome is `fault`, or the login's own. */
  async function abortedLogin(w: World, fault?: Parameters<World['once']>[1]) {
    const controller = new AbortController();
    w.once('login', async (act, call) => {
      controller.abort(REASON);
      await turns(5);
      return fault ? fault(act, call) : act();
    });
    const call = fleetOf(w.ports).open('fb1', { ...LEASE, signal: controller.signal });
    await expect(call).rejects.toBe(REASON);
  }

  it('is recorded as a SUSPECT if the response to its login is lost', async () => {
    const w = world();
    await abortedLogin(w, loseResponse(unreachable(true)));
    expect([w.suspects().length, w.live.size, w.slots('fb1')]).toEqual([1, 1, ['SUSPECT job-1']]);
    expect(w.events()).toContain('SuspectRecorded');
  });

  it('is reported and stays in the ledger if it cannot be closed', async () => {
    const w = world();
    w.dead.add('fb1');
    await abortedLogin(w);
    expect(w.events()).toContain('LogoutFailed');
    expect([w.lease('job-1')?.state, w.live.size, w.suspects()]).toEqual(['CLOSING', 1, []]);
  });

  it('leaves nothing if the login fails', async () => {
    const w = world();
    await abortedLogin(w, fail(unreachable(false)));
    expect([w.suspects(), w.live.size, w.slots('fb1')]).toEqual([[], 0, []]);
    expect(w.lease('job-1')?.state ?? 'CLOSED').toBe('CLOSED');
  });

  it('does not end a lease of another owner that has the same id', async () => {
    for (const aborting of ['secret', 'read', 'takeSlot']) {
      const w = world();
      await open(w, { owner: 'other' });
      const controller = new AbortController();
      w.once(aborting, async (act) => {
        await turns(1);
        controller.abort(REASON);
        return act();
      });
      const options = { ...LEASE, signal: controller.signal, owner: 'mine' };
      await expect(fleetOf(w.ports).withSession('fb1', () => expect.unreachable(), options)).rejects.toBe(REASON);
      expect([w.lease('job-1')?.state, w.live.size, w.slots('fb1')]).toEqual(['OPEN', 1, ['job-1']]);
    }
  });

  it('does not end a lease that was already open, because another call may be using it', async () => {
    const functions = {
      open: (fleet: Fleet, options: object) => fleet.open('fb1', options),
      withSession: (fleet: Fleet, options: object) => fleet.withSession('fb1', () => expect.unreachable(), options),
    };
    for (const call of Object.values(functions)) {
      for (const aborting of ['secret', 'write OPENING', 'read', 'takeSlot', 'freeSlot']) {
        const w = world();
        await open(w, { owner: 'mine' });
        const controller = new AbortController();
        w.once(aborting, async (act) => {
          controller.abort(REASON);
          await turns(1);
          return act();
        });
        const options = { ...LEASE, signal: controller.signal, owner: 'mine' };
        await expect(call(fleetOf(w.ports), options)).rejects.toBe(REASON);
        expect([w.lease('job-1')?.state, w.live.size, w.slots('fb1')]).toEqual(['OPEN', 1, ['job-1']]);
        expect(w.events()).not.toContain('LogoutSucceeded');
      }
    }
  });

  it('cannot be opened by a later request with the same lease id', async () => {
    const w = world();
    await abortedLogin(w);
    await expect(open(w)).rejects.toMatchObject({ code: 'LEASE_ENDED' });
    await untilCalled(w, 'login');
  });
});
