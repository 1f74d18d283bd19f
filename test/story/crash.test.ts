/** The process dies at any effect of opening, before or after it took place: is every live session known to the ledger? */
import { describe, expect, it } from 'vitest';
import type { Item } from '../../lib/ground/lease-items.ts';
import type { Edges } from '../../lib/story/edges.ts';
import { openSession } from '../../lib/story/open-session.ts';
import { type World, world } from './world.ts';

const EFFECTS = ['secret', 'write OPENING', 'dataKey', 'takeSlot', 'read', 'login', 'write OPEN'] as const;
const WHEN = ['before', 'after'] as const;

/** Opens a session in a process that dies at `effect`; nothing that it would have done later happens. */
async function dieAt(w: World, edges: Edges, effect: string, when: 'before' | 'after'): Promise<void> {
  const { promise: death, resolve: die } = Promise.withResolvers<void>();
  w.once(effect, async (act) => {
    if (when === 'after') await act();
    for (const name of EFFECTS) w.once(name, () => new Promise(() => {}));
    die();
    return new Promise(() => {});
  });
  const call = openSession(edges, { array: 'fb1', leaseId: 'job-1', leaseSeconds: 900 }, w.deadline());
  await Promise.race([death, call]);
}

/** Attempt ids of live sessions that no item of the ledger tells of. */
function unknownSessions(w: World): (string | undefined)[] {
  const known = new Set([...w.store.items.values()].filter(tells).map(({ attemptId }) => attemptId));
  return [...w.live.values()].map(({ requestId }) => requestId).filter((id) => id === undefined || !known.has(id));
}

const tells = (item: Item): boolean => item.kind === 'suspect' || (item.kind === 'lease' && item.state !== 'CLOSED');

/** The control: what if the intent were written after the login? */
function intentAfterLogin(edges: Edges): Edges {
  let late = async (): Promise<unknown> => true;
  const { leases, flashblade } = edges;
  return {
    ...edges,
    leases: {
      ...leases,
      write: async (next, previous, by) => {
        if (next.kind !== 'lease' || next.state !== 'OPENING') return leases.write(next, previous, by);
        late = () => leases.write(next, previous, by);
        return true;
      },
    },
    flashblade: {
      ...flashblade,
      login: async (...args) => {
        const answer = await flashblade.login(...args);
        await late();
        return answer;
      },
    },
  };
}

describe('a process that dies while it opens a session', () => {
  const cases = EFFECTS.flatMap((effect) => WHEN.map((when) => [when, effect] as const));

  it.each(cases)('%s "%s" leaves no live session that the ledger does not know', async (when, effect) => {
    const w = world();
    await dieAt(w, w.edges, effect, when);
    expect(unknownSessions(w)).toEqual([]);
  });

  it('would leave unknown sessions if the intent were written after the login', async () => {
    const unknown: string[] = [];
    for (const [when, effect] of cases) {
      const w = world();
      await dieAt(w, intentAfterLogin(w.edges), effect, when);
      if (unknownSessions(w).length > 0) unknown.push(`${when} ${effect}`);
    }
    expect(unknown).toEqual(['before write OPENING', 'after login']);
  });
});
