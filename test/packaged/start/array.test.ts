import { expect, test } from 'vitest';
import { type ArrayRequest, type ArrayResponse, FlashBladeError, type Use } from '../../../lib/index.ts';
import { realArray } from '../../../scripts/start/array.ts';

const lease = { leaseId: 'demo', array: 'fb1', username: 'pureuser', expiresAt: 1_795_500_000 };
const array = realArray('fb1');

/** Under a lease of `pureuser`, an array that answers calls so. */
const useOf = (answer: (call: ArrayRequest) => ArrayResponse): Use => ({
  lease,
  request: async (call) => answer(call),
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

test("our session is the newest of our user, on whichever page, and nobody else's", async () => {
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

const noAnswer = (): ArrayResponse => {
  throw new FlashBladeError('FORBIDDEN', 'not for this user');
};

test.each([
  ['without REST 2.3', '1.12', noAnswer, 'it serves no REST 2.3'],
  ['that shows this user no list', '2.26', noAnswer, 'it shows this user no list of sessions'],
  ['that answers something else', '2.26', () => ({ ...pageWith([]), body: '' }), 'it shows this user no list'],
])('an array %s cannot show its sessions, and that is said', async (_, version, answer, why) => {
  const left = await array.watch(useOf(answer), version);
  const { live, report } = await left(() => Promise.reject(new Error('nothing is to be looked at')));
  expect(live).toBe(0);
  expect(report).toContain(`it cannot be seen, ${why}`);
  expect(report).toContain('its logout was confirmed');
});

test('what goes wrong while the list is read is not taken for a missing permission', async () => {
  const use = useOf(() => {
    throw new FlashBladeError('ARRAY_BUSY', 'later');
  });
  await expect(array.watch(use, '2.26')).rejects.toThrow('later');
});
