/** A unit test of code that uses sessions: `node --test`. It needs no array, no AWS and no network. It fails if a lease stays open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fleet } from 'flashblade-sessions';
import { fakeFleet } from 'flashblade-sessions/testing';

const countBuckets = async (fleet: Fleet, array: string): Promise<number> =>
  (await fleet.withSession(array, (fb) => fb.get<{ items: unknown[] }>('/buckets'))).items.length;

test('counts the buckets of an array', async () => {
  await using fleet = fakeFleet({ respond: () => ({ body: { items: [{ name: 'logs' }, { name: 'backups' }] } }) });
  assert.equal(await countBuckets(fleet, 'fb1'), 2);
});
