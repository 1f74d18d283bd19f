/** The actors of a schedule: callers, releases, ended owners, sweepers, and events at arrays and secrets. */

import { CLOSING_MS } from '../../../lib/core/deadlines.ts';
import type { Report } from '../../../lib/core/reports.ts';
import { checkFleet } from '../../../lib/fleet/check.ts';
import { leaseKey } from '../../../lib/leases/items.ts';
import { parseLoginRequest } from '../../../lib/leases/requests.ts';
import type { Use } from '../../../lib/leases/use.ts';
import { CURRENT, codeOf } from './code.ts';
import { checkOwner, deliver } from './queue.ts';
import type { Running, World } from './world.ts';

/** Time-outs of functions. The second one leaves two seconds for a login. */
const FUNCTION_MS = [30_000, 8000] as const;
export const SWEEP_MS = 60_000;
const CHECK_MS = 60_000;
/** The longest time that a program works. */
const WORK_MS = 120_000;
/** How long work takes at most: briefly, or longer than the shortest lease, which must then be renewed. */
const [BRIEF_MS, LONG_MS] = [8000, 90_000];
const READ = { method: 'GET', path: '/api/2.10/arrays' } as const;

/** One wanted lease. Every request for it is the same. */
export type Wish = {
  readonly array: string;
  readonly leaseId: string;
  readonly leaseSeconds: number;
  readonly owner?: string;
};
type Actor = (world: World, wish: Wish) => void;

const process =
  (
    name: string,
    timeoutsMs: readonly [number, ...number[]],
    work: (running: Running, wish: Wish, world: World) => Promise<unknown>,
  ) =>
  (world: World, wish: Wish): void =>
    world.start(`${name} ${wish.leaseId} (${world.newId()})`, world.random.pick(timeoutsMs), (running) =>
      work(running, wish, world),
    );

export const ACTORS = {
  open: process('open', FUNCTION_MS, async ({ code, ports, deadline }, wish, world) => {
    await code.openSession(ports, parseLoginRequest(wish, ''), deadline);
    if (world.features.owners) checkOwner(world, wish);
  }),
  close: process('close', FUNCTION_MS, async ({ code, ports, deadline }, { leaseId }, { ended }) => {
    await code.closeSession(ports, leaseId, deadline);
    ended.add(leaseId);
  }),
  call: process('call', FUNCTION_MS, ({ code, ports, deadline }, { leaseId }) =>
    code.withLease(ports, leaseId, useTwice, { deadline: deadline - 500 }),
  ),
  renew: process('renew', FUNCTION_MS, ({ code, ports, deadline }, { leaseId }, { random, seconds }) =>
    code.renewLease(ports, { leaseId, expiresAt: seconds() + random.below(600) }, deadline),
  ),
  /** A program that runs as long as all functions together. Some renew their lease, and some are aborted. */
  work: process('work', [WORK_MS], async (running, wish, world) => {
    const { random, count } = world;
    const isLong = random.chance(0.5);
    const workMs = random.below(isLong ? LONG_MS : BRIEF_MS);
    const signal = random.chance(0.4) ? running.abortedWithin(random.pick([1000, workMs + 1000])) : undefined;
    let hasBegun = false;
    const work = async (use: Use): Promise<void> => {
      hasBegun = true;
      await useForAWhile(world, workMs, running.deadline)(use);
    };
    const options = { deadline: running.deadline, signal, ...(isLong && ({ renew: 'auto' } as const)) };
    try {
      await running.code.withSession(running.ports, wish, work, options);
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
      count(hasBegun ? 'aborted at work' : 'aborted while opening');
    } finally {
      checkClosed(running, wish, world, hasBegun);
    }
  }),
  /** In clear weather, a lease that is renewed outlasts its first end. */
  workLong: process('work long', [WORK_MS], async ({ code, ports, deadline }, wish, world) => {
    try {
      await code.withSession(ports, wish, useForAWhile(world, LONG_MS, deadline), { deadline, renew: 'auto' });
      world.count('outlasted');
    } catch (error) {
      const { code: found, message } = codeOf(error);
      if (found !== 'LEASE_LIMIT') world.faults.push(`${wish.leaseId} ended while it was renewed: ${message}`);
      throw error;
    }
  }),
  endOwner: process('end owner of', FUNCTION_MS, async ({ code, ports, deadline }, wish, world) => {
    const { owner = 'no-owner' } = wish;
    world.over.add(owner);
    await code.endOwner(ports, owner, deadline);
    world.ended.add(owner);
  }),
  /** Nothing reports the end. */
  endExecution: ({ executions, over, random }, { owner = 'no-owner' }) => {
    over.add(owner);
    executions.end(owner, random.pick(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']));
  },
  sweep: process('sweep', [SWEEP_MS], ({ code, ports, deadline }) => code.sweep(ports, deadline)),
  check: process('check', [CHECK_MS], async ({ ports, deadline }, _wish, { faults }) => {
    const { unknownSessions } = await checkFleet(ports, {}, deadline);
    if (unknownSessions > 0) faults.push('a fleet check reports a session as unknown that is in the ledger');
  }),
  checkOften: (world, wish) => often(world, 10, 30_000, () => ACTORS.check(world, wish)),
  /** An open lease can be used once the weather is clear. A former version may have no slot for a relogin. */
  use: process('use', [FUNCTION_MS[0]], async ({ code, ports, deadline }, { leaseId }, world) => {
    try {
      await code.withLease(ports, leaseId, useTwice, { deadline: deadline - 500 });
    } catch (error) {
      const { code: found, message } = codeOf(error);
      const passes = ['LEASE_ENDED', 'LEASE_UNKNOWN', ...(world.features.former ? ['LEASE_LIMIT'] : [])];
      if (!passes.includes(found)) world.faults.push(`${leaseId} cannot be used: ${message}`);
      throw error;
    }
  }),
  request: (world, wish) => deliver(world, 'requested', wish),
  release: (world, { leaseId }) => deliver(world, 'released', { leaseId }, () => world.ended.add(leaseId)),
  releaseOwner: (world, { owner = 'no-owner' }) => {
    world.over.add(owner);
    deliver(world, 'released', { owner }, () => world.ended.add(owner));
  },
  sweepOften: (world, wish) => often(world, 12, 15_000, () => ACTORS.sweep(world, wish)),
  rotate: (world, { array }) => {
    const { secrets, arrays, random, clock, newId } = world;
    const before = secrets.latest(array)?.token;
    const token = `T-${newId()}`;
    arrays.accept(array, token);
    clock.after(random.below(5000), () => secrets.change(array, { token }));
    clock.after(random.below(10_000), () => arrays.refuse(array, before));
  },
  move: ({ secrets, newId }, { array }) => void secrets.change(array, { host: `${newId()}.example.com` }),
  outage: ({ arrays, random, clock }, { array }) => {
    arrays.down.add(array);
    clock.after(random.below(random.pick([10_000, 100_000])), () => arrays.down.delete(array));
  },
  restart: ({ arrays }, { array }) => arrays.dropSessions(array),
} as const satisfies Record<string, Actor>;

export type ActorName = keyof typeof ACTORS;

const often = ({ clock }: World, times: number, everyMs: number, act: () => void): void => {
  for (let nth = 0; nth < times; nth++) clock.after(nth * everyMs, act);
};

const useTwice = async ({ request }: Use): Promise<void> => {
  await Promise.all([request(READ), request(READ)]);
};

/** Work of a program that ends in time, even if the program was stopped meanwhile. */
const useForAWhile =
  ({ clock }: World, ms: number, deadline: number) =>
  async (use: Use): Promise<void> => {
    await useTwice(use);
    const left = deadline - clock.now() - 2 * CLOSING_MS;
    await new Promise<void>((resume) => clock.after(Math.max(0, Math.min(ms, left)), resume));
    await useTwice(use);
  };

/**
 * A program that has ended leaves no lease open that it used, and no session that it opened, unless it has reported that it could not log
 * out.
 */
function checkClosed({ code, reported }: Running, { leaseId }: Wish, world: World, hasBegun: boolean): void {
  const { store, arrays, faults } = world;
  const item = store.items.get(leaseKey(leaseId));
  if (code !== CURRENT || item?.kind !== 'lease' || item.state !== 'OPEN') return;
  const has = (name: Report['event'], attempt?: string): boolean =>
    reported.some(({ event, requestId }) => event === name && (attempt === undefined || requestId === attempt));
  const isLive = arrays.live().some(({ requestId }) => requestId === item.attemptId);
  const isOwn = isLive && has('LoginSucceeded', item.attemptId);
  if ((hasBegun || isOwn) && !has('LogoutFailed'))
    faults.push(`${leaseId} is open, although the program that used it has ended`);
}
