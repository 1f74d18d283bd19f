/**
 * Schedules: the real lease code over a world in memory. The seed decides which process runs first, which one dies, which responses
 * are lost, and what happens to arrays and secrets. The seed of a schedule reproduces it.
 */
import { ACTORS, type ActorName, SWEEP_MS, type Wish } from './world/actors.ts';
import { DIMENSIONS, type Dimension, type Features } from './world/dimensions.ts';
import { wrongAfterReleases, wrongAfterwards, wrongAtLast, wrongNow, wrongOwner } from './world/invariants.ts';
import { type Random, randomOf } from './world/random.ts';
import { weatherOf } from './world/weather.ts';
import { type World, worldOf } from './world/world.ts';

export type Summary = Awaited<ReturnType<typeof runSchedules>>;

/** Whether to favor ended owners, long leases and frequent sweeps, which expose mistakes about lagging indexes. */
const lags = ({ lagMs, queue }: Features): boolean => lagMs >= 60_000 && !queue;

const weightsOf = (features: Features): Readonly<Record<ActorName, number>> => ({
  ...{ open: 6, close: 3, call: 3, renew: 1, work: 1, sweep: 2 },
  ...{ rotate: 1, move: 0.2, outage: 1, restart: 0.7, use: 0, workLong: 0 },
  ...(lags(features) ? { endOwner: 8, sweepOften: 6 } : { endOwner: 1, sweepOften: 0.5 }),
  ...(features.executions ? { endExecution: 5, endOwner: 0.3, sweepOften: 3 } : { endExecution: 0 }),
  ...(features.checks ? { check: 2, checkOften: 2 } : { check: 0, checkOften: 0 }),
  ...(features.queue ? { request: 8, release: 3, releaseOwner: 1 } : { request: 0, release: 0, releaseOwner: 0 }),
});
/** After this long without a new process, every process has ended and no intent is alive. */
const LONGEST_MS = 500_000;
/** The promise: an expired lease is closed within this time. */
const CLOSED_AFTER_SECONDS = 180;
/** By any clock, the slots of an array are checked again within this time. */
const SLOTS_LOOKED_AT_MS = 661_000;

/** Runs `count` schedules with seeds from `from` upward, until `enough` have failed. */
export async function runSchedules(dimension: Dimension, from: number, count: number, enough = 10) {
  const happened: Record<string, number> = {};
  const wrong: { readonly seed: number; readonly what: string }[] = [];
  let schedules = 0;
  while (schedules < count && wrong.length < enough) {
    const seed = from + schedules++;
    const outcome = await runSchedule(seed, dimension);
    for (const [what, times] of outcome.happened) happened[what] = (happened[what] ?? 0) + times;
    if (outcome.wrong !== undefined) wrong.push({ seed, what: outcome.wrong });
  }
  return { schedules, happened, wrong };
}

/**
 * Runs one schedule. `trace` receives every step as text. `wrong`: the first failure, as text. `happened`: how often each kind of event
 * happened: the ends of effects, and the reported events.
 */
export async function runSchedule(seed: number, dimension: Dimension, trace?: (line: string) => void) {
  const random = randomOf(seed);
  const features: Features = DIMENSIONS[dimension];
  const weather = weatherOf(random, features);
  const happened = new Map<string, number>();
  const count = (what: string): void => void happened.set(what, (happened.get(what) ?? 0) + 1);
  let wrong: string | undefined;
  const idleSeconds = random.pick([300, 1800]);
  const world = worldOf({
    ...{ random, weather, features, idleSeconds, trace, count },
    limits: { sessionsPerArray: random.pick([1, 2, 50]), arrayIdleSeconds: idleSeconds, maxLeaseSeconds: 3600 },
    onEffect: (present) => note(wrongNow(present)),
  });
  const note = (what: string | undefined): void => {
    if (what !== undefined && wrong === undefined) trace?.(`WRONG: ${what}`);
    wrong ??= what;
  };

  const lastMs = plan(world, random);
  await world.clock.runUntil(lastMs);
  weather.clear();
  await world.clock.runUntil(lastMs + LONGEST_MS);
  for (const leaseId of openLeases(world)) ACTORS.use(world, { array: '', leaseId, leaseSeconds: 0 });
  await openMore(world);
  await sweepUntil(world, world.seconds() + CLOSED_AFTER_SECONDS);
  note(wrongOwner(world));
  note(wrongAfterReleases(world));
  await sweepUntil(world, lastEnd(world) + CLOSED_AFTER_SECONDS);
  note(wrongAfterwards(world));
  await sweepTheRest(world);
  note(wrongAtLast(world));
  note(world.faults[0]);
  return { happened, wrong };
}

/** Plans all actions and their times. Returns when the last one can begin. */
function plan(world: World, random: Random): number {
  const { clock, arrays, secrets, features } = world;
  const fleet = random.pick([['fb1'], ['fb1'], ['fb1', 'fb2']] as const);
  for (const array of fleet) arrays.accept(array, secrets.change(array, {}).token);
  const wishes = ['job-1', 'job-2', 'job-3', 'job-4'].slice(0, 1 + random.below(4)).map(
    (leaseId): Wish => ({
      ...{ leaseId, array: random.pick(fleet), leaseSeconds: random.pick(lags(features) ? [900] : [60, 60, 120, 900]) },
      ...(random.chance(lags(features) ? 0.9 : 0.4) ? { owner: random.pick(['owner-1', 'owner-2']) } : {}),
    }),
  );
  const spanMs = random.pick(lags(features) ? [60_000] : [50, 2000, 60_000, 200_000]);
  const first = clock.now();
  clock.at(first, () => ACTORS.open(world, wishes[0] as Wish));
  for (let count = 2 + random.below(12); count > 0; count--) {
    const wish = random.pick(wishes as [Wish, ...Wish[]]);
    // Sometimes the lease id is used for another array or by another owner.
    const other = {
      ...wish,
      ...(random.chance(0.03) ? { array: random.pick(fleet) } : {}),
      ...(features.owners && random.chance(0.3) ? { owner: 'owner-3' } : {}),
    };
    const act = ACTORS[random.weighted(weightsOf(features))];
    clock.at(first + random.below(spanMs), () => act(world, other));
  }
  return first + spanMs;
}

const openLeases = ({ store, seconds }: World): string[] =>
  [...store.items.values()].flatMap((item) =>
    item.kind === 'lease' && item.state === 'OPEN' && item.expiresAt > seconds() + 60 ? [item.leaseId] : [],
  );

/** A clock that is a minute ahead may end a short lease before it is renewed. The former version renews nothing by itself. */
const canRenew = ({ skewMs, former }: Features): boolean => skewMs <= 5000 && !former;

/** More sessions are requested when the first SUSPECTs may be gone and earlier leases have not ended. */
async function openMore(world: World): Promise<void> {
  const [array = ''] = world.secrets.names();
  if (canRenew(world.features)) ACTORS.workLong(world, { array, leaseId: 'long', leaseSeconds: 60 });
  for (let times = 0; times < 3; times++) {
    for (const array of world.secrets.names()) {
      ACTORS.open(world, { array, leaseId: `more-${times} on ${array}`.replaceAll(' ', '-'), leaseSeconds: 60 });
    }
    await sweepOnce(world, SWEEP_MS);
  }
}

/** When the last lease ends, in seconds. */
const lastEnd = ({ store, seconds }: World): number =>
  Math.max(
    seconds(),
    ...[...store.items.values()].map((item) => (item.kind === 'lease' && item.state !== 'CLOSED' ? item.expiresAt : 0)),
  );

/** Sweeps every minute, as the schedule of the function does. */
async function sweepUntil(world: World, end: number): Promise<void> {
  while (world.seconds() < end) await sweepOnce(world, SWEEP_MS);
}

async function sweepOnce(world: World, intervalMs: number): Promise<void> {
  await purge(world);
  ACTORS.sweep(world, { array: '', leaseId: 'all', leaseSeconds: 0 });
  await world.clock.runUntil(world.clock.now() + intervalMs);
}

/** Sweeps until every SUSPECT must be gone and every slot must have been checked. */
async function sweepTheRest(world: World): Promise<void> {
  const untils = [...world.store.items.values()].map((item) => (item.kind === 'suspect' ? item.until : 0));
  await world.clock.runUntil(Math.max(world.clock.now(), ...untils.map((until) => until * 1000)));
  for (let times = 0; times < 4; times++) await sweepOnce(world, SLOTS_LOOKED_AT_MS);
}

/** What DynamoDB's TTL does: it deletes every item past its `purgeAt`. */
async function purge({ store, seconds }: World): Promise<void> {
  for (const item of store.items.values()) {
    if (item.purgeAt !== undefined && item.purgeAt <= seconds()) await store.remove(item, 0);
  }
}
