/** Both versions at work on the same few leases at the same time. The seed decides what each call does, the machine when. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OPERATIONS } from '../../kit/operations.ts';
import { type Random, randomOf } from '../../proofs/world/random.ts';
import { unknownSessions } from '../functions/unknown-sessions.ts';
import { failuresIn, leftIn, SESSIONS_PER_ARRAY, type World } from './world.ts';

const ARRAY = 'shared';
type VersionName = 'today' | 'previous' | 'sharded';
/** One more than may be open at the same time. */
const LEASES = SESSIONS_PER_ARRAY + 1;
/** The average number of other calls between two calls of a function. Leases must live long enough to be worked on. */
const RARITY = { login: 2, logout: 25, renew: 2, 'call-array': 2, 'sweep-sessions': 6 };
/** How rarely a lease expires or a session is lost. */
const DISTURBANCE_RARITY = 15;
type Name = keyof typeof RARITY;
const NAMES = Object.keys(RARITY) as Name[];

/** Expected when calls meet, or when a session is lost twice within a minute (FORBIDDEN). */
const EXPECTED = ['LEASE_OPENING', 'LEASE_ENDED', 'LEASE_UNKNOWN', 'LEASE_LIMIT', 'FORBIDDEN'];

type Options = {
  readonly seed: number;
  readonly calls: number;
  readonly versions?: readonly [VersionName, VersionName];
};

/**
 * Makes `calls` calls, up to three times as many until every function of both versions has succeeded, but none once something has gone
 * wrong. Then closes everything. Returns what went wrong: unexpected errors, more sessions than the limit, live sessions that the ledger
 * does not know, what is left in the end, functions that never succeeded.
 */
export async function interleave(
  w: World,
  { seed, calls, versions = ['today', 'previous'] }: Options,
): Promise<string[]> {
  await w.reset();
  w.addArray(ARRAY);
  const random = randomOf(seed);
  const leases = leasesOf(random);
  const before = failuresIn(w);
  const wrong: string[] = [];
  const idle = new Set(versions.flatMap((version) => NAMES.map((name) => `${version} ${name} never succeeded`)));
  let done = 0;
  const isOver = (): boolean => wrong.length > 0 || done >= (idle.size === 0 ? calls : 3 * calls);
  const pause = async (rarity: number): Promise<void> => {
    const next = done + random.below(2 * rarity);
    while (done < next && !isOver()) await sleep(2);
  };
  w.watchArray((phase) => {
    const { length } = w.simulator.sessions();
    if (phase === 'done' && length > SESSIONS_PER_ARRAY) wrong.push(`the array had ${length} sessions`);
  });

  async function invoke(version: VersionName, name: Name, leaseId: string): Promise<void> {
    try {
      await w[version].invoke(name, OPERATIONS[name].event(leaseId, ARRAY));
      idle.delete(`${version} ${name} never succeeded`);
      if (name === 'logout') leases.replace(leaseId);
    } catch (error) {
      const { name: code, message } = error as Error;
      if (code === 'LEASE_ENDED') leases.replace(leaseId);
      if (!EXPECTED.includes(code)) wrong.push(`${version} ${name}: ${code}: ${message}`);
    }
    done += 1;
  }
  async function work(version: VersionName, name: Name): Promise<void> {
    while (!isOver()) {
      await invoke(version, name, leases.pick());
      await pause(RARITY[name]);
    }
  }
  const findUnknown = async (): Promise<void> => {
    wrong.push(...(await unknownSessions(w)).map((id) => `the ledger does not know session ${id}`));
  };
  const disturb = async (): Promise<void> => {
    while (!isOver()) {
      await findUnknown();
      await (random.chance(0.5) ? loseSession(w) : expire(w, leases.pick()));
      await pause(DISTURBANCE_RARITY);
    }
  };
  // One after the other: a machine that starts ten processes at once is too busy to respond in time.
  for (const name of NAMES) for (const version of versions) await invoke(version, name, 'warm');
  await Promise.all([...versions.flatMap((version) => NAMES.map((name) => work(version, name))), disturb()]);

  await findUnknown();
  await closeAll(w, versions);
  return [...wrong, ...idle, ...(await leftIn(w)), ...failuresIn(w, before)];
}

/** A few lease ids. One that has ended never opens again, so another takes its place. */
function leasesOf(random: Random) {
  let count = LEASES;
  const current = Array.from({ length: LEASES }, (_, n) => `lease-${n}`);
  return {
    pick: (): string => current[random.below(LEASES)] ?? '',
    replace(leaseId: string): void {
      const n = current.indexOf(leaseId);
      if (n >= 0) current[n] = `lease-${count++}`;
    },
  };
}

/** The array drops a session, so that the next call logs in again. */
async function loseSession({ simulator }: World): Promise<void> {
  const [session] = simulator.sessions();
  if (session) simulator.endSession(session.authToken);
}

/** Nothing happens if the lease does not exist or is closed: then it has no `dueAt`. */
const expire = (w: World, leaseId: string): Promise<void> =>
  w.change(`lease#${leaseId}`, { expiresAt: 1, dueAt: 1 }).catch(() => {});

/** Each version closes every other lease; then both sweep. */
async function closeAll(w: World, versions: readonly [VersionName, VersionName]): Promise<void> {
  const open = (await w.items()).filter(({ kind, state }) => kind === 'lease' && state !== 'CLOSED');
  for (const [n, { leaseId }] of open.entries()) await w[versions[n % 2 ? 1 : 0]].invoke('logout', { leaseId });
  for (const version of versions) await w[version].invoke('sweep-sessions', {});
}
