import { expect, test } from 'vitest';
import { type ArrayRequest, type ArrayResponse, FlashBladeError } from '../../../lib/index.ts';
import type { Use } from '../../../lib/leases/use.ts';
import { realArray } from '../../../scripts/start/array.ts';

const lease = { leaseId: 'demo', array: 'fb1', username: 'pureuser', expiresAt: 1_795_500_000 };
const array = realArray('fb1');

/** A lease of `pureuser` on an array that responds to calls with `respond`. */
const useOf = (respond: (call: ArrayRequest) => ArrayResponse): Use => ({
  lease,
  request: async (call) => respond(call),
  apiVersions: async () => ['2.4'],
});

const session = (start_time: number, more: object = {}) => ({
  ...{ user: 'pureuser', user_interface: 'REST', location: '192.0.2.1', start_time, end_time: 0 },
  ...more,
});
const pageWith = (items: readonly object[], continuation_token = ''): ArrayResponse => ({
  status: 200,
  headers: {},
  requestId: 'request-1',
  body: { items, continuation_token },
});

test('our session is the newest REST session of our user, on any page of the list', async () => {
  const others = [session(1), session(9, { user: 'else' }), session(8, { user_interface: 'GUI' })];
  let live = [...others, session(5)];
  const use = useOf(({ query }) =>
    query?.['continuation_token'] === 'more' ? pageWith(live.slice(3)) : pageWith(live.slice(0, 3), 'more'),
  );
  const left = await array.watch(use, '2.26');
  expect(await left((work) => work(use))).toMatchObject({ live: 1, report: expect.stringContaining('STILL LIVE') });
  live = others;
  expect(await left((work) => work(use))).toMatchObject({
    live: 0,
    report: expect.stringContaining('no longer live'),
  });
});

const forbidden = (): ArrayResponse => {
  throw new FlashBladeError('FORBIDDEN', 'this user may not read it');
};

test.each([
  ['does not support REST 2.3', '1.12', forbidden, 'the array does not support REST 2.3'],
  ['forbids the list', '2.26', forbidden, 'this user cannot list sessions'],
  ['returns something else', '2.26', () => ({ ...pageWith([]), body: '' }), 'this user cannot list sessions'],
])('if an array %s, the report says that its sessions are unknown', async (_, version, respond, why) => {
  const left = await array.watch(useOf(respond), version);
  const { live, report } = await left(() => Promise.reject(new Error('no look expected')));
  expect(live).toBe(0);
  expect(report).toBe(`unknown, because ${why}; the array confirmed the logout`);
});

test('any other error while the list is read fails the step', async () => {
  const use = useOf(() => {
    throw new FlashBladeError('ARRAY_BUSY', 'later');
  });
  await expect(array.watch(use, '2.26')).rejects.toThrow('later');
});
