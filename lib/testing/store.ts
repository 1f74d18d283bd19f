/**
 * An in-memory ledger store with the same guarantees as DynamoDB, for the fake fleet and for proofs that run thousands of times per second.
 */
import { DUE_PARTITIONS, duePartitionOf, WITHOUT_SHARDS } from '../aws/due-partitions.ts';
import { type Item, isOfItsOwner, leaseKey, type Stored } from '../leases/items.ts';
import type { LeaseStore, Pending, Slot, StoredSlot } from '../leases/ports.ts';

/** `dueAt`: when the sweeper checks the slots. */
export type Slots = Map<string, StoredSlot> & { dueAt?: number };

export type MemoryStore = LeaseStore & {
  readonly items: ReadonlyMap<string, Stored<Item>>;
  /** The entries in one partition of the index, which is all that version 0.1.0 reads. */
  readonly pendingIn: (partitions: readonly string[]) => Pending[];
  /** Like `write`, but keeps the item's version, and writes its entry where version 0.1.0 does. */
  readonly replace: <T extends Item>(next: Stored<T>, previous: Stored<Item> | undefined) => Stored<T> | undefined;
  readonly arrays: ReadonlyMap<string, Slots>;
  /** An array's slots, for tests that change the slots directly or as former versions did. */
  readonly slotsOf: (array: string) => Slots;
};

/** The index contents. `change` is called for every item that is written or removed. After a removal, `item` is undefined. */
export type LedgerIndex = {
  readonly change: (id: string, item: Item | undefined) => void;
  readonly items: () => Iterable<Item>;
};

/** By default, the index always matches the table, and has one partition. `dueShards` is called for each write. */
export function memoryStore(index?: LedgerIndex, dueShards = () => 1): MemoryStore {
  const items = new Map<string, Stored<Item>>();
  /** The partition of each item's entry in the index. */
  const partitions = new Map<string, string>();
  const indexed = (): Item[] => [...(index?.items() ?? items.values())];
  const arrays = new Map<string, Slots>();

  let versions = 0;

  const isUnchanged = (id: string, previous: Stored<Item> | undefined): boolean => {
    const stored = items.get(id);
    return stored?.version === previous?.version;
  };
  const replace = <T extends Item>(
    next: Stored<T>,
    previous: Stored<Item> | undefined,
    partition = WITHOUT_SHARDS,
  ): Stored<T> | undefined => {
    if (!isUnchanged(next.id, previous)) return undefined;
    const stored: Stored<Item> = frozen<Item>(next) as Stored<Item>;
    items.set(next.id, stored);
    partitions.set(next.id, partition);
    index?.change(next.id, stored);
    return next;
  };
  const slotsOf = (array: string): Slots => {
    const taken = arrays.get(array) ?? (new Map<string, StoredSlot>() as Slots);
    arrays.set(array, taken);
    return taken;
  };
  const put = (array: string, slot: Slot): void => {
    const taken = slotsOf(array);
    taken.set(slot.attemptId, slot);
    taken.dueAt ??= slot.until;
  };
  const take = (array: string, slot: Slot, limit: number): boolean => {
    const taken = slotsOf(array);
    const own = taken.get(slot.attemptId);
    if (own ? own.suspect : taken.size >= limit) return false;
    put(array, slot);
    return true;
  };

  const pendingIn: MemoryStore['pendingIn'] = (wanted) => {
    const isWanted = ({ id }: Item): boolean => wanted.includes(partitions.get(id) ?? WITHOUT_SHARDS);
    return [...indexed().filter(isWanted).flatMap(pendingOf), ...slotRows(arrays)].sort((a, b) => a.dueAt - b.dueAt);
  };

  return {
    items,
    arrays,
    slotsOf,
    pendingIn,
    async read(id) {
      return items.get(id);
    },
    replace,
    async write(next, previous) {
      return replace({ ...next, version: `v${++versions}` }, previous, duePartitionOf(next.id, dueShards()));
    },
    async remove(item) {
      if (!isUnchanged(item.id, item)) return false;
      index?.change(item.id, undefined);
      return items.delete(item.id);
    },
    async takeSlot(array, slot, limit) {
      return take(array, slot, limit);
    },
    async moveSlot(array, from, slot, limit) {
      const taken = slotsOf(array);
      const name = [from, slot.leaseId].find((one) => taken.has(one) && (one === from || isFormer(taken.get(one))));
      if (name === undefined) return take(array, slot, limit);
      taken.delete(name);
      put(array, slot);
      return true;
    },
    async keepSlot(array, slot) {
      put(array, slot);
    },
    async freeSlot(array, { attemptId, closedLeaseId }) {
      const taken = slotsOf(array);
      if (taken.delete(attemptId) || closedLeaseId === undefined) return;
      if (isFormer(taken.get(closedLeaseId))) taken.delete(closedLeaseId);
    },
    async slots(array) {
      return new Map(slotsOf(array));
    },
    async lookAtSlots(array, at) {
      const taken = slotsOf(array);
      if (taken.size === 0) delete taken.dueAt;
      else taken.dueAt = at;
    },
    async pending() {
      return pendingIn(DUE_PARTITIONS);
    },
    async ofOwner(owner) {
      return indexed().flatMap((item) =>
        item.kind === 'lease' && item.owner === owner && isOfItsOwner(item) ? [item.leaseId] : [],
      );
    },
  };
}

/** Freezes the item. A reader that tries to change the item fails instead of changing what other readers see. */
function frozen<T extends object>(item: T): T {
  for (const value of Object.values(item)) if (typeof value === 'object' && value !== null) frozen(value);
  return Object.freeze(item);
}

/** Whether version 0.1.0 took this slot. */
const isFormer = (slot: StoredSlot | undefined): boolean => slot !== undefined && slot.leaseId === undefined;

const slotRows = (arrays: MemoryStore['arrays']): Pending[] =>
  [...arrays].flatMap(([array, { dueAt }]) =>
    dueAt === undefined ? [] : [{ kind: 'slots', id: array, array, dueAt }],
  );

function pendingOf(item: Item): Pending[] {
  const { dueAt } = item;
  if (dueAt === undefined || item.kind === 'refusal') return [];
  if (item.kind === 'owner') return [{ kind: 'owner', id: item.ownerId, dueAt }];
  if (item.kind === 'suspect') return [{ kind: 'suspect', id: item.attemptId, array: item.target.name, dueAt }];
  return [
    {
      kind: 'lease',
      // The index uses the item's key, even if the item's `leaseId` differs.
      id: item.id.slice(leaseKey('').length),
      state: item.state,
      dueAt,
      ...(item.target ? { array: item.target.name } : {}),
    },
  ];
}
