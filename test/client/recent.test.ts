import { expect, it } from 'vitest';
import { remember } from '../../lib/edges/flashblade/recent.ts';

it('a bounded map lets go what was used longest ago', () => {
  const map = new Map<string, number>();
  remember(map, 'a', 1, 2);
  remember(map, 'b', 2, 2);
  remember(map, 'a', 1, 2);
  expect([...map.keys()]).toEqual(['b', 'a']);
  remember(map, 'c', 3, 2);
  expect([...map]).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});
