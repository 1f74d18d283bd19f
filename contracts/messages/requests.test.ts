/** Passes request events to the code that handles them. */
import { expect, test } from 'vitest';
import { dispatch } from '../../lib/leases/dispatch.ts';
import { DETAIL_TYPES } from '../../lib/leases/events.ts';
import { MAX_AGE_SECONDS, memoryOutbox } from '../../test/kit/memory/memory-outbox.ts';
import { type World, world } from '../../test/kit/memory/world.ts';
import { arrayName, id, integer, requestEvent } from './declare.ts';
import { detailFields } from './stack.ts';

/** Delivers an event with documented fields and returns the resulting events. Nothing may go to the dead-letter queue. */
async function deliver(w: World, content: unknown): Promise<string[]> {
  const { 'detail-type': type, detail } = content as { 'detail-type': string; detail: object };
  expect(detailFields(type)).toEqual(expect.arrayContaining(Object.keys(detail)));
  const { outbox, outcomes, letters } = memoryOutbox();
  await dispatch(
    w.ports,
    outbox,
    { messageId: 'message-7', body: JSON.stringify(content) },
    MAX_AGE_SECONDS,
    w.deadline(),
  );
  expect(letters).toEqual([]);
  return outcomes();
}

async function withLeases(...leaseIds: string[]): Promise<World> {
  const w = world();
  for (const leaseId of leaseIds) {
    const detail = { array: 'fb1', leaseId, owner: 'run-7' };
    await deliver(w, { id: leaseId, source: 'x', 'detail-type': DETAIL_TYPES.requested, detail });
  }
  expect(w.live.size).toBe(leaseIds.length);
  return w;
}

test('a request that specifies only an array opens a session whose lease id is made up of the array name and the event id', () =>
  requestEvent('a session is requested with only an array', DETAIL_TYPES.requested, {
    array: arrayName(),
  }).executeTest(async ({ contents }) => {
    const w = world();
    expect(await deliver(w, contents.content)).toEqual(['opened fb1:event-7']);
    expect(w.live.size).toBe(1);
    expect(w.lease('fb1:event-7')).toMatchObject({ state: 'OPEN', expiresAt: w.seconds() + 900 });
  }));

test('a request with an owner and a duration opens a session whose lease has both', () =>
  requestEvent('a session is requested with an owner and a duration', DETAIL_TYPES.requested, {
    array: arrayName(),
    leaseId: id('nightly-7'),
    leaseSeconds: integer(1800),
    owner: id('run-7'),
  }).executeTest(async ({ contents }) => {
    const w = world();
    expect(await deliver(w, contents.content)).toEqual(['opened nightly-7']);
    expect(w.lease('nightly-7')).toMatchObject({ state: 'OPEN', owner: 'run-7', expiresAt: w.seconds() + 1800 });
  }));

test('a release by lease id closes only that session', () =>
  requestEvent('a session is released', DETAIL_TYPES.released, { leaseId: id('nightly-7') }).executeTest(
    async ({ contents }) => {
      const w = await withLeases('nightly-7', 'nightly-8');
      expect(await deliver(w, contents.content)).toEqual(['closed nightly-7']);
      expect(w.live.size).toBe(1);
    },
  ));

test("a release by owner closes all of the owner's sessions", () =>
  requestEvent('all sessions for an owner are released', DETAIL_TYPES.released, { owner: id('run-7') }).executeTest(
    async ({ contents }) => {
      const w = await withLeases('nightly-7', 'nightly-8');
      expect((await deliver(w, contents.content)).sort()).toEqual(['closed nightly-7', 'closed nightly-8']);
      expect(w.live.size).toBe(0);
    },
  ));
