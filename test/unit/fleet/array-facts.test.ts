import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activeSessionsOf, idleSecondsOf, pageOf, tokenEndOf } from '../../../lib/fleet/array-facts.ts';

const session = { user: 'pureuser', user_interface: 'REST', start_time: 1_800_000_000_000, end_time: 0 };
const token = (name: string, expires_at?: number | null) => ({ admin: { name }, api_token: { expires_at } });

describe('the facts of an array', () => {
  it('a page of a list has the token of the next page, if there is one', () => {
    expect(pageOf({ items: [1], continuation_token: 'x', total_item_count: 2 })).toEqual({ items: [1], next: 'x' });
    expect(pageOf({ items: [], continuation_token: null })).toEqual({ items: [] });
    for (const body of ['<html>', null, {}, { items: {} }]) expect(pageOf(body)).toBeUndefined();
  });

  it('the idle timeout is read in milliseconds', () => {
    expect(idleSecondsOf([{ idle_timeout: 1_800_000 }])).toBe(1800);
    expect(idleSecondsOf([{ idle_timeout: 0 }])).toBe(0);
    expect(idleSecondsOf([{}])).toBeUndefined();
  });

  it("the end of the user's own API token is read, whatever other users the list has", () => {
    const items = [token('another-user', 1000), token('pureuser', 2000)];
    expect(tokenEndOf(items, 'pureuser')).toBe(2);
    expect(tokenEndOf(items, 'absent-user')).toBeUndefined();
    expect(tokenEndOf([token('pureuser'), token('pureuser', 5)], 'pureuser')).toBeUndefined();
    expect(tokenEndOf([token('pureuser', null)], 'pureuser')).toBeUndefined();
    // A list is not an object.
    expect(tokenEndOf([{ ...token('pureuser'), api_token: [] }, ...items], 'pureuser')).toBe(2);
  });

  it('only REST sessions that have not ended are active sessions', () => {
    const others = [{ ...session, user_interface: 'GUI' }, { ...session, end_time: 5 }, { event: 'failed login' }];
    expect(activeSessionsOf([...others, session])).toEqual([{ user: 'pureuser', startedAt: 1_800_000_000 }]);
  });

  it('any response is read without an error', () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        const items = pageOf(body)?.items ?? [body];
        expect([idleSecondsOf(items), tokenEndOf(items, 'pureuser'), activeSessionsOf(items)]).toHaveLength(3);
      }),
      { seed: 7 },
    );
  });
});
