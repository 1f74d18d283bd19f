import { expect, test } from 'vitest';
import { longestChain, type Span, timeCovered } from '../../../scripts/bench/overhead/spans.ts';

const spans = (...pairs: [number, number][]): Span[] => pairs.map(([from, to]) => ({ from, to }));

test.for([
  ['none', [], 0, 0],
  ['one after the other', spans([0, 20], [20, 40], [45, 65]), 3, 60],
  ['two together', spans([0, 20], [1, 21]), 1, 21],
  ['two together, and then one', spans([21, 41], [0, 20], [1, 21]), 2, 41],
  ['a long one beside three short ones', spans([0, 100], [0, 10], [10, 20], [30, 40]), 3, 100],
  ['one that begins before the first of two together has ended', spans([0, 20], [5, 25], [21, 41]), 2, 41],
] satisfies [string, Span[], number, number][])(
  'longestChain and timeCovered count overlapping spans once: %j',
  ([_, all, chain, covered]) => {
    expect([longestChain(all), timeCovered(all)]).toEqual([chain, covered]);
  },
);
