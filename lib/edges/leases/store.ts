/** What the ledger's store promises. DynamoDB is one; the tests have another in memory. */
import type { Item, LeaseItem } from '../../ground/lease-items.ts';

/** A line of the index of all that is not settled. `dueAt` in seconds. */
export type Pending = {
  readonly kind: 'lease' | 'suspect' | 'owner' | 'places';
  /** Lease id, attempt id, owner id or array. */
  readonly id: string;
  readonly dueAt: number;
  readonly array?: string;
  readonly state?: LeaseItem['state'];
};

/** `until` (seconds): before that, it is not asked whether the place is still needed. */
export type Place = { readonly attemptId: string; readonly until: number };

/** Who has a place that a further attempt of the same lease counts on: none of them, so that none gives it back alone. */
export const sharedBy = (attemptId: string): string => `shared by ${attemptId}`;

/** `by` is the end of the call (epoch, ms). Every operation throws AWS_UNAVAILABLE or OUT_OF_TIME. */
export type LeaseStore = {
  /** A consistent read. */
  read(id: string, by: number): Promise<Item | undefined>;
  /** Writes `next` if the store still holds `previous` (undefined: nothing). False: it does not. */
  write(next: Item, previous: Item | undefined, by: number): Promise<boolean>;
  /** Removes `item` if the store still holds it. False: it does not. */
  remove(item: Item, by: number): Promise<boolean>;
  /** Takes one of an array's `limit` places, or shares the one that the name has. False: all are taken. Repeatable. */
  join(array: string, name: string, place: Place & { readonly limit: number }, by: number): Promise<boolean>;
  /** Gives a place back; with `attemptId`, only if that attempt took it and shares it with none. Repeatable. */
  leave(array: string, name: string, by: number, attemptId?: string): Promise<void>;
  /** The places of an array that are taken, by the name (a lease id, or the id of a SUSPECT) that they are for. */
  places(array: string, by: number): Promise<ReadonlyMap<string, Place>>;
  /** When somebody must look at the places of an array again (seconds); never, if none is taken. */
  lookAtPlaces(array: string, at: number, by: number): Promise<void>;
  /** All that somebody must look at some time, soonest first. Eventually consistent: read an item before you believe it. */
  pending(by: number): Promise<Pending[]>;
  /** Ids of the leases of an owner. Eventually consistent. */
  ofOwner(owner: string, by: number): Promise<string[]>;
};
