/** The arithmetic of measurements: pure functions of numbers. */

/** A median, and the bounds between which it lies with a probability of about 95 % (distribution-free, by rank). */
export type Interval = { readonly low: number; readonly median: number; readonly high: number };

/** Normal quantile of 97.5 %, halved: ranks around the middle are spread by √n / 2. */
const HALF_WIDTH = 0.98;

/** Throws if there is no value. */
export function intervalOf(values: readonly number[]): Interval {
  const count = values.length;
  const reach = HALF_WIDTH * Math.sqrt(count);
  const middle = (count - 1) / 2;
  return {
    low: rank(values, Math.floor(middle - reach)),
    median: quantile(values, 0.5),
    high: rank(values, Math.ceil(middle + reach)),
  };
}

/** Between two values, the part of the way from one to the other. `share` from 0 to 1. Throws if there is no value. */
export function quantile(values: readonly number[], share: number): number {
  const place = share * (values.length - 1);
  const [below, above] = [rank(values, Math.floor(place)), rank(values, Math.ceil(place))];
  return below + (above - below) * (place - Math.floor(place));
}

function rank(values: readonly number[], index: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(Math.max(index, 0), sorted.length - 1)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

/** Whether a goal is met: not decided while it lies inside the interval. */
export function verdict({ low, high }: Interval, atMost: number): 'met' | 'missed' | 'undecided' {
  if (high <= atMost) return 'met';
  return low > atMost ? 'missed' : 'undecided';
}

/** The values in an order that `random` draws; each order is as likely as any other. */
export function shuffled<Value>(values: readonly Value[], random: () => number): Value[] {
  return values
    .map((value) => ({ value, draw: random() }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ value }) => value);
}
