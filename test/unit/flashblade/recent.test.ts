import { expect, it } from 'vitest';
import { remember } from '../../../lib/flashblade/trust.ts';

it('a bounded map removes the least recently used entry', () => {
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
