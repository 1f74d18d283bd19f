import { describe, expect, test } from 'vitest';
import { intervalOf, quantile, shuffled, verdict } from '../../../scripts/bench/measure.ts';
import { randomOf } from '../../proofs/world/random.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('an interval', () => {
  test('holds the median and the ranks that stand one width of √n from it', () => {
    expect(intervalOf(shuffled(upTo(101), randomOf(1).next))).toEqual({ low: 41, median: 51, high: 61 });
  });

  test('of few values is all of them', () => {
    expect(intervalOf([3, 1, 2])).toEqual({ low: 1, median: 2, high: 3 });
    expect(intervalOf([7])).toEqual({ low: 7, median: 7, high: 7 });
  });

  test('holds the true median of noise in about 19 of 20 cases', () => {
    const random = randomOf(7).next;
    const hits = upTo(1000).filter(() => {
      const { low, high } = intervalOf(upTo(40).map(() => random() ** 3));
      return low <= 0.125 && 0.125 <= high;
    });
    expect(hits.length).toBeGreaterThan(940);
    expect(hits.length).toBeLessThan(985);
  });

  test('of nothing is an error', () => {
    expect(() => intervalOf([])).toThrow('nothing was measured');
  });
});

test.for([
  [[1, 2, 3, 4], 0.5, 2.5],
  [[4, 1, 3, 2], 0, 1],
  [[1, 2, 3, 4], 1, 4],
  [upTo(101), 0.99, 100],
] satisfies [number[], number, number][])('the quantile of %j at %d is %d', ([values, share, expected]) => {
  expect(quantile(values, share)).toBe(expected);
});

test.for([
  [1.3, 1.5, 'met'],
  [1.5, 1.7, 'undecided'],
  [1.7, 1.8, 'missed'],
] satisfies [number, number, string][])('a goal of 1.6 is, between %d and %d, %s', ([low, high, expected]) => {
  expect(verdict({ low, median: (low + high) / 2, high }, 1.6)).toBe(expected);
});

describe('an order', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(shuffled(upTo(20), randomOf(1).next)).toEqual(shuffled(upTo(20), randomOf(1).next));
    expect(shuffled(upTo(20), randomOf(1).next)).not.toEqual(shuffled(upTo(20), randomOf(2).next));
  });

  test('is any of the possible ones, each about as often', () => {
    const random = randomOf(3).next;
    const counts = Object.groupBy(
      upTo(6000).map(() => shuffled(['a', 'b', 'c'], random).join('')),
      (order) => order,
    );
    expect(Object.keys(counts).sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    for (const orders of Object.values(counts)) expect(Math.abs((orders?.length ?? 0) - 1000)).toBeLessThan(120);
  });
});
