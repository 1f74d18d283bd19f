/** A unit test of code that uses sessions: `node --test`. It needs no AWS account, no array and no network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fleet } from 'flashblade-sessions';
import { fakeFleet } from 'flashblade-sessions/testing';

/** The code under test takes a fleet: the program passes `createFleet()`, and the test passes `fakeFleet()`. */
const countFileSystems = async (fleet: Fleet, array: string): Promise<number> =>
  (await fleet.withSession(array, (fb) => fb.get<{ items: unknown[] }>('/file-systems'))).items.length;

test('counts the file systems and leaves no session open', async () => {
  const fleet = fakeFleet({ respond: () => ({ body: { items: [{ name: 'home' }, { name: 'logs' }] } }) });
  assert.equal(await countFileSystems(fleet, 'fb1'), 2);
  assert.deepEqual(fleet.openSessions(), []);
});
