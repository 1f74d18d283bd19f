/** The ledger's store in memory: the same promises as DynamoDB's, for proofs that run thousands of times a second. */

import type { LeaseStore } from '../../lib/edges/leases.ts';
import type { Item } from '../../lib/ground/lease-states.ts';

export type MemoryStore = LeaseStore & {
  readonly items: ReadonlyMap<string, Item>;
  readonly places: ReadonlyMap<string, ReadonlyMap<string, number>>;
};

export function memoryStore(): MemoryStore {
  const items = new Map<string, Item>();
  const places = new Map<string, Map<string, number>>();

  const holds = (id: string, previous: Item | undefined): boolean => {
    const stored = items.get(id);
    return stored?.attemptId === previous?.attemptId && stored?.version === previous?.version;
  };
  const placesOf = (array: string): Map<string, number> => {
    const taken = places.get(array) ?? new Map<string, number>();
    places.set(array, taken);
    return taken;
  };

  return {
    items,
    places,
    async read(id) {
      return structuredClone(items.get(id));
    },
    async write(next, previous) {
      if (!holds(next.id, previous)) return false;
      items.set(next.id, structuredClone(next));
      return true;
    },
    async remove(item) {
      if (!holds(item.id, item)) return false;
      return items.delete(item.id);
    },
    async join(array, leaseId, { until, limit }) {
      const taken = placesOf(array);
      if (!taken.has(leaseId) && taken.size >= limit) return false;
      taken.set(leaseId, until);
      return true;
    },
    async leave(array, leaseId) {
      placesOf(array).delete(leaseId);
    },
  };
}
