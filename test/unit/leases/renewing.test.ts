/** `renew: 'auto'`: the lease lasts as long as the work. */
import { describe, expect, it } from 'vitest';
import { type FleetSession, fleetOf, type SessionOptions } from '../../../lib/fleet-of.ts';
import { awsDown, fail, open, type World, world } from '../../kit/memory/world.ts';

const START = 1_800_000_000;

/** A fleet whose waits end when the test says so. Then the clock is where the wait ends. */
function renewing(w: World) {
  const waits: { readonly ms: number; readonly end: () => void }[] = [];
  const ports = {
    ...w.ports,
    wait: (ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const end = (): void => {
          w.pass(ms / 1000);
          resolve();
        };
        waits.push({ ms, end });
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  /** Ends the wait, and waits for the next one, or until nothing more happens. */
  async function pass(): Promise<number | undefined> {
    const wait = waits.shift();
    wait?.end();
    for (let turn = 0; turn < 50 && waits.length === 0; turn++) await new Promise(setImmediate);
    return waits[0]?.ms;
  }
  const run = (work: (pass: () => Promise<number | undefined>, fb: FleetSession) => unknown, options: SessionOptions) =>
    fleetOf(ports).withSession('fb1', (fb) => work(pass, fb), { leaseId: 'job-1', ...options });
  return { run, waits };
}

const endOf = (w: World): number => (w.lease('job-1') as { expiresAt: number }).expiresAt - START;
const countOf = (w: World, name: string): number => w.calls.filter((call) => call === name).length;

describe("with renew: 'auto', a lease", () => {
  it('is renewed each time half of its remaining time has passed, for as long as the work runs', async () => {
    const w = world();
    const { run } = renewing(w);
    const ends: number[] = [];
    await run(
      async (pass) => {
        for (let times = 0; times < 4; times++) {
          expect(await pass()).toBe(450_000);
          ends.push(endOf(w));
        }
      },
      { renew: 'auto' },
    );
    expect(ends).toEqual([1350, 1800, 2250, 2700]);
    expect([w.live.size, w.lease('job-1')?.state]).toEqual([0, 'CLOSED']);
  });

  it('is not renewed by default', async () => {
    const w = world();
    const { run, waits } = renewing(w);
    await run(() => new Promise(setImmediate), {});
    expect(waits).toEqual([]);
  });

  it.each([
    [{ maxSeconds: 1000 }, {}, 1000],
    [{ maxSeconds: 86_400 }, {}, 86_400],
    [{}, { maxLeaseSeconds: 2000 }, 2000],
  ])('lasts no longer than maxSeconds and MAX_LEASE_SECONDS: %j %j', async (options, limits, latest) => {
    const w = world();
    Object.assign(w.ports.limits, limits);
    const { run } = renewing(w);
    await run(
      async (pass) => {
        for (let times = 0; times < 500; times++) if ((await pass()) === undefined) break;
      },
      { renew: 'auto', ...options },
    );
    expect(w.events()).not.toContain('RenewalFailed');
    expect(w.calls.filter((name) => name === 'write OPEN').length).toBeGreaterThan(1);
    expect(w.seconds() - START).toBeLessThan(latest);
    expect(w.seconds() - START).toBeGreaterThanOrEqual(latest - 900);
  });

  it('that an earlier call opened is renewed until maxSeconds after that call', async () => {
    const w = world();
    await open(w, { leaseSeconds: 1000 });
    w.pass(900);
    const { run } = renewing(w);
    await run(
      async (pass) => {
        for (let times = 0; times < 100; times++) if ((await pass()) === undefined) break;
        expect(endOf(w)).toBe(2000);
      },
      { renew: 'auto', leaseSeconds: 1000, maxSeconds: 2000 },
    );
    expect(w.events()).not.toContain('RenewalFailed');
  });

  it('is renewed again five seconds after a failure at the earliest, and each failure is reported', async () => {
    const w = world();
    const { run } = renewing(w);
    await run(
      async (pass) => {
        w.once('read', fail(awsDown));
        w.once('read', fail(awsDown));
        expect([await pass(), await pass()]).toEqual([225_000, 112_500]);
        expect(endOf(w)).toBe(900);
        await pass();
        expect(endOf(w)).toBe(787.5 + 900 - 0.5);
      },
      { renew: 'auto' },
    );
    const failure = { event: 'RenewalFailed', leaseId: 'job-1', array: 'fb1', code: 'AWS_UNAVAILABLE' };
    expect(w.reports.filter(({ event }) => event === 'RenewalFailed')).toEqual(
      Array(2).fill({ ...failure, message: 'no answer from AWS' }),
    );
  });

  it('that cannot be renewed is tried every five seconds until it ends, and then no more', async () => {
    const w = world();
    const { run } = renewing(w);
    const waits: (number | undefined)[] = [];
    await run(
      async (pass) => {
        for (let times = 0; times < 12; times++) w.once('read', fail(awsDown));
        for (let times = 0; times < 12; times++) waits.push(await pass());
      },
      { renew: 'auto', leaseSeconds: 60 },
    );
    expect(waits.filter((ms) => ms !== undefined).at(-1)).toBe(5000);
    expect(waits).toContain(undefined);
    expect(w.events().filter((event) => event === 'RenewalFailed').length).toBeLessThan(12);
  });

  it('is not renewed any more once the work has ended', async () => {
    const w = world();
    const { run, waits } = renewing(w);
    await run(() => 'done', { renew: 'auto' });
    const calls = w.calls.length;
    for (const { end } of waits) end();
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(w.calls).toHaveLength(calls);
    expect(w.lease('job-1')?.state).toBe('CLOSED');
  });

  it('is closed only after the renewal in progress has ended', async () => {
    const w = world();
    const { run } = renewing(w);
    let underWay = false;
    await run(
      async (pass) => {
        w.once('apiVersions', async (act) => {
          underWay = true;
          for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
          underWay = false;
          return act();
        });
        w.once('logout', async (act) => {
          expect(underWay).toBe(false);
          return act();
        });
        void pass();
        while (!underWay) await new Promise(setImmediate);
      },
      { renew: 'auto' },
    );
    expect([w.live.size, w.lease('job-1')?.state, countOf(w, 'login')]).toEqual([0, 'CLOSED', 1]);
    expect(w.events()).not.toContain('RenewalFailed');
  });

  it('stops its renewal at once when the work has ended, which is no failure', async () => {
    const w = world();
    const { run } = renewing(w);
    await run(
      async (pass) => {
        const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
        w.once('apiVersions', (_, { args }) => {
          const { signal } = args.at(-1) as { signal?: AbortSignal };
          begin();
          return new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
          });
        });
        void pass();
        await begun;
      },
      { renew: 'auto' },
    );
    expect(w.events()).toEqual(['LoginSucceeded', 'LogoutSucceeded']);
  });

  it('logs in again for a renewal if the array has dropped the session, and keeps the result of the work', async () => {
    const w = world();
    const { run } = renewing(w);
    const result = await run(
      async (pass) => {
        w.dropSessions();
        await pass();
        return 'done';
      },
      { renew: 'auto' },
    );
    expect([result, w.live.size, countOf(w, 'login')]).toEqual(['done', 0, 2]);
  });
});
