/** How often what goes wrong, different in every schedule; until it clears up. */
import type { End } from './effects.ts';
import type { Random } from './random.ts';
import type { Weather } from './world.ts';

export type ChangingWeather = Weather & { clear(): void };

export function weatherOf(random: Random): ChangingWeather {
  const often = random.pick([0, 0.02, 0.05, 0.2]);
  const slowOften = random.pick([0, 0.02, 0.2]);
  const staleOften = random.pick([0, 0.5]);
  const ends: Record<End, number> = {
    answered: 1 - often,
    failed: often * random.pick([0, 1, 3]),
    lost: often * random.pick([0, 1, 3]),
    repeated: often,
    'died before': often * random.pick([0, 0.3, 1]),
    'died after': often * random.pick([0, 0.3, 1]),
  };
  const forbiddenOften = random.pick([0, often, 0.5]);
  // As far as the story allows for: any two clocks differ by five seconds at the most.
  const skewMs = random.pick([0, 5000]);
  const paceMs = random.pick([3, 30, 300]);
  let bad = true;
  const happens = (probability: number): boolean => bad && random.chance(probability);
  const duration = (): number =>
    happens(slowOften) ? random.below(random.pick([2000, 12_000])) : random.below(paceMs);

  return {
    fateOf: () => ({
      thereMs: duration(),
      backMs: duration(),
      end: bad ? random.weighted(ends) : 'answered',
    }),
    arrayIsBusy: () => happens(often / 2),
    answerIsBad: () => happens(often / 2),
    callIsForbidden: () => happens(forbiddenOften),
    secretIsStale: () => happens(staleOften),
    indexIsStale: () => happens(staleOften),
    clockAheadMs: () => (bad ? random.below(skewMs + 1) - skewMs / 2 : 0),
    clear: () => {
      bad = false;
    },
  };
}

/** Nothing goes wrong, but who comes first is open. */
export const fairWeather = (random: Random): Weather => ({
  fateOf: () => ({ thereMs: random.below(50), backMs: random.below(50), end: 'answered' }),
  arrayIsBusy: () => false,
  answerIsBad: () => false,
  callIsForbidden: () => false,
  secretIsStale: () => false,
  indexIsStale: () => false,
  clockAheadMs: () => 0,
});
