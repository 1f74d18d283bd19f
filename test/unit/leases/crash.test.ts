/** The process dies before or after each effect of opening a session. Every live session must still be in the ledger. */
import { describe, expect, it } from 'vitest';
import type { Item } from '../../../lib/leases/items.ts';
import { openSession } from '../../../lib/leases/open.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { type World, world } from '../../kit/memory/world.ts';

const EFFECTS = ['secret', 'write OPENING', 'dataKey', 'takeSlot', 'read', 'login', 'write OPEN'] as const;
const WHEN = ['before', 'after'] as const;

/** Opens a session in a process that dies at `effect`. None of its later effects happen. */
async function dieAt(w: World, ports: Ports, effect: string, when: 'before' | 'after'): Promise<void> {
  const { promise: death, resolve: die } = Promise.withResolvers<void>();
  w.once(effect, async (act) => {
    if (when === 'after') await act();
    for (const name of EFFECTS) w.once(name, () => new Promise(() => {}));
    die();
    return new Promise(() => {});
  });
  const call = openSession(ports, { array: 'fb1', leaseId: 'job-1', leaseSeconds: 900 }, w.deadline());
  await Promise.race([death, call]);
}

/** Attempt ids of live sessions that no ledger item accounts for. */
function unknownSessions(w: World): (string | undefined)[] {
  const known = new Set(
    [...w.store.items.values()].filter(isUnclosed).map((item) => 'attemptId' in item && item.attemptId),
  );
  return [...w.live.values()].map(({ requestId }) => requestId).filter((id) => id === undefined || !known.has(id));
}

const isUnclosed = (item: Item): boolean =>
  item.kind === 'suspect' || (item.kind === 'lease' && item.state !== 'CLOSED');

/** The negative control: writes the intent after the login. */
function intentAfterLogin(ports: Ports): Ports {
  let late = async (): Promise<unknown> => true;
  const { store, flashblade } = ports;
  return {
    ...ports,
    store: {
      ...store,
      write: async (next, previous, by) => {
        if (next.kind !== 'lease' || next.state !== 'OPENING') return store.write(next, previous, by);
        const written = { ...next, version: 'not written yet' };
        late = async () => Object.assign(written, await store.write(next, previous, by));
        return written;
      },
    },
    flashblade: {
      ...flashblade,
      login: async (...args) => {
        const response = await flashblade.login(...args);
        await late();
        return response;
      },
    },
  };
}

describe('a process that dies while it opens a session', () => {
  const cases = EFFECTS.flatMap((effect) => WHEN.map((when) => [when, effect] as const));

  it.each(cases)('dying %s "%s" leaves no live session that is missing from the ledger', async (when, effect) => {
    const w = world();
    await dieAt(w, w.ports, effect, when);
    expect(unknownSessions(w)).toEqual([]);
  });

  it('writing the intent after the login would leave unknown sessions', async () => {
    const unknown: string[] = [];
    for (const [when, effect] of cases) {
      const w = world();
      await dieAt(w, intentAfterLogin(w.ports), effect, when);
      if (unknownSessions(w).length > 0) unknown.push(`${when} ${effect}`);
    }
    expect(unknown).toEqual(['before write OPENING', 'after login']);
  });
});
