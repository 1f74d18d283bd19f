/** How often each failure happens. It differs in every schedule, and all failures stop when the weather clears. */
import type { Features } from './dimensions.ts';
import type { End, Fate } from './effects.ts';
import type { Random } from './random.ts';

/** What may happen besides the processes' own work. The seed decides all of it. */
export type Weather = ReturnType<typeof weatherOf>;

export function weatherOf(random: Random, features: Features) {
  const often = random.pick([0, 0.02, 0.05, 0.2]);
  const slowOften = random.pick([0, 0.02, 0.2]);
  const staleOften = random.pick([features.lagMs >= 60_000 ? 0.5 : 0, 0.5]);
  const ends: Record<End, number> = {
    answered: 1 - often,
    failed: often * random.pick([0, 1, 3]),
    lost: often * random.pick([0, 1, 3]),
    repeated: often,
    'died before': often * random.pick([0, 0.3, 1]),
    'died after': often * random.pick([0, 0.3, 1]),
  };
  const forbiddenOften = random.pick([0, often, 0.5]);
  const skewMs = random.pick([features.skewMs > 5000 ? features.skewMs : 0, features.skewMs]);
  const lateOften = features.lateMs > 5000 ? random.pick([0.02, 0.2]) : 0;
  const stopOften = features.stopMs > 0 ? random.pick([0.03, 0.1]) : 0;
  const outliving = random.pick([0, 1]);
  const paceMs = random.pick([3, 30, 300]);
  let bad = true;
  const happens = (probability: number): boolean => bad && random.chance(probability);
  const duration = (): number =>
    happens(slowOften) ? random.below(random.pick([2000, 12_000])) : random.below(paceMs);

  return {
    fateOf: (name: string, lateMs: number): Fate => ({
      thereMs: happens(lateMs > 5000 ? lateOften : 0) ? random.below(lateMs + 10_000) : duration(),
      backMs: duration(),
      end: bad ? random.weighted(ends) : 'answered',
      // Most often in the handshake of a login: a request that is sent after it may open a session.
      ...(happens(name.startsWith('login') ? 4 * stopOften : stopOften)
        ? { stop: { ms: random.below(features.stopMs), when: random.pick(['sending', 'waiting']) } }
        : {}),
    }),
    arrayIsBusy: (): boolean => happens(often / 2),
    responseIsBad: () => happens(often / 2),
    /** A call is refused although its session is live, because the user lacks the right. */
    callIsForbidden: () => happens(forbiddenOften),
    secretIsStale: () => happens(staleOften),
    /** The lag of one item that is read from an index. */
    indexLagMs: () => (happens(staleOften) ? random.pick([features.lagMs, random.below(features.lagMs + 1)]) : 0),
    /** For a process that starts, or for an array. Clear weather does not change the clocks. */
    // Half of them are as far apart as allowed.
    clockAheadMs: () => (random.chance(0.5) ? random.pick([0, skewMs]) : random.below(skewMs + 1)) - skewMs / 2,
    /** Whether a stopped process resumes after its deadline. Other processes are killed at their deadline. */
    outlivesItsDeadline: () => happens(outliving),
    /** Whether a process that starts runs the code of a former version. */
    runsFormerCode: () => features.former && random.chance(0.5),
    clear: () => {
      bad = false;
    },
  };
}
