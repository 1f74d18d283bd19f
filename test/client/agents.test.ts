/** What is kept for the next connection has a bound. */
import { expect, it } from 'vitest';
import { agentOf } from '../../lib/edges/flashblade/agents.ts';
import { remember } from '../../lib/edges/flashblade/recent.ts';
import { closeConnections, exchange } from '../../lib/edges/flashblade/transport.ts';
import { arrayAt, startServer } from './servers.ts';

it('a bounded map lets go what was used longest ago, and tells which', () => {
  const map = new Map<string, number>();
  expect([remember(map, 'a', 1, 2), remember(map, 'b', 2, 2)]).toEqual([undefined, undefined]);
  remember(map, 'a', 1, 2);
  expect(remember(map, 'c', 3, 2)).toBe(2);
  expect([...map]).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

it('the idle connection of the array that was asked longest ago is closed when 1024 others were asked since', async () => {
  const server = await startServer();
  const array = arrayAt(server);
  await exchange(array, { method: 'GET', path: '/api/api_version' });
  for (let n = 0; n < 1023; n++) agentOf(array, `other ${n}`);
  await exchange(array, { method: 'GET', path: '/api/api_version' });
  expect(server.resumed).toHaveLength(1);
  for (let n = 0; n < 1024; n++) agentOf(array, `another ${n}`);
  await server.quiet();
  await exchange(array, { method: 'GET', path: '/api/api_version' });
  expect(server.resumed).toHaveLength(2);
  closeConnections();
});
