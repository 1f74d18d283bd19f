import { expect, test } from 'vitest';
import { apiToken } from '../../../lib/core/model.ts';
import { login } from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { API_TOKEN, checkClient } from '../../../scripts/bench/check.ts';
import type { Client, Place } from '../../../scripts/bench/subjects/client.ts';
import { libraryClient } from '../../../scripts/bench/subjects/library.ts';
import { rawClient } from '../../../scripts/bench/subjects/raw.ts';
import { workWith } from '../../../scripts/bench/subjects/work.ts';
import { authority, certificate, trust } from '../../unit/flashblade/servers.ts';

const { fingerprint } = certificate;
const place: Place = { host: '127.0.0.1', ca: authority.certificate, fingerprint, apiToken: API_TOKEN };

const check = (client: Client) =>
  checkClient('it', (work) => workWith(client, work), { ...certificate, ca: authority.certificate });

test('a client that logs in and out as often as it says may be measured', async () => {
  await check(rawClient(place, { resume: true }));
  await check(rawClient(place, { resume: false }));
  await check(libraryClient(place, { by: 'ca' }));
  await check(libraryClient(place, { by: 'fingerprint' }));
});

test('a client that does nothing is found out', async () => {
  await expect(check({ cycle: async () => {}, close: () => {} })).rejects.toThrow('3 cycles, but 0 logins');
});

test('a client that does every second cycle only is found out', async () => {
  const real = rawClient(place, { resume: true });
  let nth = 0;
  const lazy: Client = { ...real, cycle: async (port) => (nth++ % 2 === 0 ? real.cycle(port) : undefined) };
  await expect(check(lazy)).rejects.toThrow('3 cycles, but 2 logins and 2 logouts');
});

test('a client that logs in and never out is found out', async () => {
  const cycle = async (port: number) => {
    await login({ name: 'fb1', host: '127.0.0.1', port, trust }, apiToken(API_TOKEN));
  };
  await expect(check({ cycle, close: closeConnections })).rejects.toThrow('3 cycles, but 3 logins and 0 logouts');
});

test('a client that fails is named with its reason', async () => {
  const wrong = rawClient({ ...place, apiToken: 'T-wrong' }, { resume: true });
  await expect(check(wrong)).rejects.toThrow('it fails: Error: the array answered HTTP/1.1 401');
});
