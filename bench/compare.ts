/**
 * Compares contenders in interleaved rounds. Every round runs each contender once, in random order. Each contender's ratio to the
 * baseline is computed within the round, so that a disturbance affects both contenders.
 */

/** Milliseconds per operation: elapsed time, and CPU time across all threads of the measured process. */
export type Usage = { readonly wallMs: number; readonly cpuMs: number };

/** A median and the bounds of its confidence interval (about 95%). */
export type Interval = { readonly low: number; readonly median: number; readonly high: number };

export type Contender<Sample extends Usage> = {
  readonly name: string;
  /** Name of the contender to compare with. A baseline is compared with itself. */
  readonly baseline: string;
  /** Runs one short block of operations. */
  readonly run: () => Promise<Sample>;
};

export type Measured = { readonly ms: Interval; readonly ratio: Interval };
export type Comparison<Sample extends Usage = Usage> = {
  readonly name: string;
  readonly baseline: string;
  readonly cpu: Measured;
  readonly wall: Measured;
  /** One sample per round, excluding warm-up rounds. */
  readonly samples: readonly Sample[];
};

/** `warmUp` rounds run first and are not counted. */
export type Rounds = { readonly rounds: number; readonly warmUp: number };

/** Returns the comparisons in the same order as `contenders`. `random` returns a number from 0 to 1. */
export async function compare<Sample extends Usage>(
  contenders: readonly Contender<Sample>[],
  { rounds, warmUp }: Rounds,
  random: () => number = Math.random,
): Promise<readonly Comparison<Sample>[]> {
  const samplesOf = new Map(contenders.map(({ name }) => [name, [] as Sample[]]));
  for (let round = -warmUp; round < rounds; round++) {
    for (const { name, run } of shuffled(contenders, random)) {
      const sample = await run();
      if (round >= 0) samplesOf.get(name)?.push(sample);
    }
  }
  return contenders.map(({ name, baseline }) => {
    const [samples = [], base = []] = [samplesOf.get(name), samplesOf.get(baseline)];
    return { name, baseline, samples, cpu: measured(samples, base, 'cpuMs'), wall: measured(samples, base, 'wallMs') };
  });
}

const measured = (samples: readonly Usage[], base: readonly Usage[], what: keyof Usage): Measured => ({
  ms: intervalOf(samples.map((sample) => sample[what])),
  ratio: intervalOf(samples.map((sample, round) => sample[what] / (base[round]?.[what] ?? Number.NaN))),
});

/** Half of the normal distribution's 97.5% quantile. The standard deviation of the median's rank is √n / 2. */
const HALF_WIDTH = 0.98;

/**
 * Returns the median and its confidence interval. Uses only ranks, so it makes no assumption about the distribution. Throws if `values` is
 * empty.
 */
export function intervalOf(values: readonly number[]): Interval {
  const reach = HALF_WIDTH * Math.sqrt(values.length);
  const middle = (values.length - 1) / 2;
  return {
    low: rank(values, Math.floor(middle - reach)),
    median: quantile(values, 0.5),
    high: rank(values, Math.ceil(middle + reach)),
  };
}

/** Returns a quantile, interpolated between the two nearest values. `share` ranges from 0 to 1. Throws if `values` is empty. */
export function quantile(values: readonly number[], share: number): number {
  const index = share * (values.length - 1);
  const [below, above] = [rank(values, Math.floor(index)), rank(values, Math.ceil(index))];
  return below + (above - below) * (index - Math.floor(index));
}

function rank(values: readonly number[], index: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(Math.max(index, 0), sorted.length - 1)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

/** Returns the values in random order. Each order is equally likely. */
export function shuffled<Value>(values: readonly Value[], random: () => number): Value[] {
  return values
    .map((value) => ({ value, draw: random() }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ value }) => value);
}
