/** Who does what in a schedule: callers, releases, ended owners, sweepers, and what happens to arrays and secrets. */
import { parseLoginRequest } from '../../../lib/ground/requests.ts';
import { closeSession } from '../../../lib/story/close-session.ts';
import type { Edges } from '../../../lib/story/edges.ts';
import { endOwnerOf } from '../../../lib/story/end-owner.ts';
import { openSession } from '../../../lib/story/open-session.ts';
import { renewLease } from '../../../lib/story/renew-lease.ts';
import { sweep } from '../../../lib/story/sweep.ts';
import { type Use, withLease, withSession } from '../../../lib/story/use-session.ts';
import type { World } from './world.ts';

/** Time-outs of functions; the second leaves a login two seconds. */
const FUNCTION_MS = [30_000, 8000] as const;
export const SWEEP_MS = 60_000;
/** So long works a program at the most. */
const WORK_MS = 120_000;
const READ = { method: 'GET', path: '/api/2.10/arrays' } as const;

/** One lease that somebody wants: every request for it is the same. */
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
    work: (edges: Edges, deadline: number, wish: Wish, world: World) => Promise<unknown>,
  ) =>
  (world: World, wish: Wish): void =>
    world.start(`${name} ${wish.leaseId} (${world.newId()})`, world.random.pick(timeoutsMs), (edges, deadline) =>
      work(edges, deadline, wish, world),
    );

export const ACTORS = {
  open: process('open', FUNCTION_MS, (edges, deadline, wish) =>
    openSession(edges, parseLoginRequest(wish, ''), deadline),
  ),
  close: process('close', FUNCTION_MS, async (edges, deadline, { leaseId }, { ended }) => {
    await closeSession(edges, leaseId, deadline);
    ended.add(leaseId);
  }),
  call: process('call', FUNCTION_MS, (edges, deadline, { leaseId }) =>
    withLease(leaseId, useTwice, { edges, deadline: deadline - 500 }),
  ),
  renew: process('renew', FUNCTION_MS, (edges, deadline, { leaseId }, { random, seconds }) =>
    renewLease(edges, { leaseId, expiresAt: seconds() + random.below(600) }, deadline),
  ),
  /** A program of its own, as long as the others put together. */
  work: process('work', [WORK_MS], (edges, deadline, { array, ...options }, world) =>
    withSession(array, useForAWhile(world), { ...options, edges, deadline }),
  ),
  endOwner: process('end owner of', FUNCTION_MS, async (edges, deadline, { owner = 'nobody' }, { ended }) => {
    await endOwnerOf(edges, owner, deadline);
    ended.add(owner);
  }),
  sweep: process('sweep', [SWEEP_MS], sweep),
  sweepOften: (world, wish) => {
    for (let times = 0; times < 12; times++) world.clock.after(times * 15_000, () => ACTORS.sweep(world, wish));
  },
  rotate: (world, { array }) => {
    const { secrets, arrays, random, clock, newId } = world;
    const before = secrets.read(array, true).token;
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

const useTwice = async ({ request }: Use): Promise<void> => {
  await Promise.all([request(READ), request(READ)]);
};

const useForAWhile =
  ({ clock, random }: World) =>
  async (use: Use): Promise<void> => {
    await useTwice(use);
    await new Promise<void>((resume) => clock.after(random.below(8000), resume));
    await useTwice(use);
  };
