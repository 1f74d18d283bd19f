/** One world: arrays, secrets, ledger and clock in memory, shared by the processes that are started in it. */
import type { Pending } from '../../../lib/edges/leases.ts';
import { known } from '../../../lib/ground/errors.ts';
import type { Edges } from '../../../lib/story/edges.ts';
import { memoryStore } from '../../story/memory-store.ts';
import { memoryArrays } from './arrays.ts';
import { virtualClock } from './clock.ts';
import { edgesOf } from './edges.ts';
import { effectsOf, type Fate, type Process } from './effects.ts';
import type { Random } from './random.ts';
import { memorySeal } from './seal.ts';
import { memorySecrets } from './secrets.ts';

export type World = ReturnType<typeof worldOf>;

/** What may happen beside processes; all of it is decided by the seed. */
export type Weather = {
  fateOf(process: Process, name: string): Fate;
  arrayIsBusy(): boolean;
  answerIsBad(): boolean;
  /** A call is refused although its session lives: the user may not make it. */
  callIsForbidden(): boolean;
  secretIsStale(): boolean;
  indexIsStale(): boolean;
  /** Of a process that starts. */
  clockAheadMs(): number;
};

export type WorldOptions = {
  readonly random: Random;
  readonly weather: Weather;
  readonly limits: Edges['limits'];
  /** After how long an array ends an idle session, in seconds; what `limits` says of it is what we were told. */
  readonly idleSeconds: number;
  readonly onEffect: (world: World) => void;
  /** Told of everything that happens, by a name of its kind. */
  readonly count: (what: string) => void;
  readonly trace?: ((line: string) => void) | undefined;
};

const START_MS = 1_800_000_000_000;
/** Every call ends so long before its deadline. */
const MARGIN_MS = 500;

export function worldOf(options: WorldOptions) {
  const { random, weather, limits, trace, count } = options;
  const clock = virtualClock(START_MS);
  const arrays = memoryArrays(clock.now, options.idleSeconds * 1000);
  const store = memoryStore();
  const faults: string[] = [];
  let ids = 0;
  let indexes = indexesNow();

  function indexesNow() {
    const pending: Promise<Pending[]> = store.pending(0);
    const items = [...store.items.values()];
    const ofOwner = (owner: string): string[] =>
      items.flatMap((item) => (item.kind === 'lease' && item.owner === owner ? [item.leaseId] : []));
    return { pending, ofOwner };
  }

  const effect = effectsOf({
    clock,
    trace,
    count,
    fateOf: weather.fateOf,
    onEffect: () => options.onEffect(world),
  });

  /**
   * Starts a process, which is killed at its deadline. What it throws is its caller's; that it ends too late, or by an error that is
   * none of ours, is a fault.
   */
  function start(name: string, timeoutMs: number, work: (edges: Edges, deadline: number) => Promise<unknown>): void {
    const process: Process = { name, clockAheadMs: weather.clockAheadMs(), dead: false };
    const deadline = clock.now() + timeoutMs;
    const fail = (error: unknown): void => {
      const { code, message } = known(error);
      trace?.(`${clock.now()} ${name} throws ${code}: ${message}`);
      count(code);
      if (code === 'INTERNAL') faults.push(`${name} failed: ${error instanceof Error ? error.stack : error}`);
    };
    const end = (): void => {
      process.dead = true;
      if (clock.now() > deadline - MARGIN_MS)
        faults.push(`${name} ended ${deadline - clock.now()} ms before its deadline`);
    };
    trace?.(`${clock.now()} ${name} starts`);
    void work(edgesOf(world, process), deadline + process.clockAheadMs)
      .catch(fail)
      .then(end);
    clock.at(deadline, () => {
      if (!process.dead) faults.push(`${name} was still at work at its deadline`);
      process.dead = true;
    });
  }

  const world = {
    clock,
    arrays,
    store,
    secrets: memorySecrets(weather.secretIsStale),
    seal: memorySeal(),
    effect,
    random,
    limits,
    trace,
    count,
    arrayIsBusy: (_array: string): boolean => weather.arrayIsBusy(),
    answerIsBad: weather.answerIsBad,
    callIsForbidden: weather.callIsForbidden,
    /** What the ledger's indexes tell: the present, or an earlier moment. */
    indexes: () => {
      if (!weather.indexIsStale()) indexes = indexesNow();
      return indexes;
    },
    newId: () => `id-${++ids}`,
    /** Leases and owners whose end was asked for, and answered. */
    ended: new Set<string | undefined>(),
    /** What no process may do. */
    faults,
    start,
    seconds: () => Math.floor(clock.now() / 1000),
  };
  return world;
}
