/** The ledger's store in memory: the same promises as DynamoDB's, for proofs that run thousands of times a second. */

import { sharedBy } from '../../lib/edges/leases/store.ts';
import type { LeaseStore, Pending, Place } from '../../lib/edges/leases.ts';
import { type Item, leaseKey } from '../../lib/ground/lease-items.ts';

type Places = Map<string, Place> & { dueAt?: number };

export type MemoryStore = LeaseStore & {
  readonly items: ReadonlyMap<string, Item>;
  readonly arrays: ReadonlyMap<string, ReadonlyMap<string, Place>>;
};

export function memoryStore(): MemoryStore {
  const items = new Map<string, Item>();
  const arrays = new Map<string, Places>();

  const holds = (id: string, previous: Item | undefined): boolean => {
    const stored = items.get(id);
    return stored?.attemptId === previous?.attemptId && stored?.version === previous?.version;
  };
  const placesOf = (array: string): Places => {
    const taken = arrays.get(array) ?? (new Map<string, Place>() as Places);
    arrays.set(array, taken);
    return taken;
  };

  return {
    items,
    arrays,
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
    async join(array, name, { attemptId, until, limit }) {
      const taken = placesOf(array);
      const before = taken.get(name);
      if (!before && taken.size >= limit) return false;
      const isOwn = before === undefined || before.attemptId === attemptId;
      taken.set(name, { attemptId: isOwn ? attemptId : sharedBy(attemptId), until });
      taken.dueAt ??= until;
      return true;
    },
    async leave(array, name, _by, attemptId) {
      const taken = placesOf(array);
      if (attemptId === undefined || taken.get(name)?.attemptId === attemptId) taken.delete(name);
    },
    async places(array) {
      return new Map(placesOf(array));
    },
    async lookAtPlaces(array, at) {
      const taken = placesOf(array);
      if (taken.size === 0) delete taken.dueAt;
      else taken.dueAt = at;
    },
    async pending() {
      const rows = [...items.values()].flatMap(pendingOf);
      for (const [array, { dueAt }] of arrays) {
        if (dueAt !== undefined) rows.push({ kind: 'places', id: array, array, dueAt });
      }
      return rows.sort((a, b) => a.dueAt - b.dueAt);
    },
    async ofOwner(owner) {
      return [...items.values()].flatMap((item) =>
        item.kind === 'lease' && item.owner === owner ? [item.leaseId] : [],
      );
    },
  };
}

function pendingOf(item: Item): Pending[] {
  const { dueAt } = item;
  if (dueAt === undefined || item.kind === 'refusal') return [];
  if (item.kind === 'owner') return [{ kind: 'owner', id: item.ownerId, dueAt }];
  if (item.kind === 'suspect') return [{ kind: 'suspect', id: item.attemptId, array: item.target.name, dueAt }];
  return [
    {
      kind: 'lease',
      // As the index has it: by the item's key, whatever the item says of itself.
      id: item.id.slice(leaseKey('').length),
      state: item.state,
      dueAt,
      ...(item.target ? { array: item.target.name } : {}),
    },
  ];
}
