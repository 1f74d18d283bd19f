/** What the ledger's store promises. DynamoDB is one; the tests have another in memory. */
import type { Item, LeaseItem } from '../../ground/lease-states.ts';

/** A line of the index of all that is not settled. `dueAt` in seconds. */
export type Pending = {
  readonly kind: 'lease' | 'suspect' | 'owner' | 'places';
  /** Lease id, attempt id, owner id or array. */
  readonly id: string;
  readonly dueAt: number;
  readonly array?: string;
  readonly state?: LeaseItem['state'];
};

/** `by` is the end of the call (epoch, ms). Every operation throws AWS_UNAVAILABLE or OUT_OF_TIME. */
export type LeaseStore = {
  /** A consistent read. */
  read(id: string, by: number): Promise<Item | undefined>;
  /** Writes `next` if the store still holds `previous` (undefined: nothing). False: it does not. */
  write(next: Item, previous: Item | undefined, by: number): Promise<boolean>;
  /** Removes `item` if the store still holds it. False: it does not. */
  remove(item: Item, by: number): Promise<boolean>;
  /** Takes one of an array's `limit` places for a lease; `until` (seconds) ends its opening. False: all are taken. Repeatable. */
  join(array: string, leaseId: string, place: { until: number; limit: number }, by: number): Promise<boolean>;
  /** Gives the place back; with `until`, only if it is still the one that was taken so. Repeatable. */
  leave(array: string, leaseId: string, by: number, until?: number): Promise<void>;
  /** The places of an array that are taken: lease id → end of its opening (seconds). */
  places(array: string, by: number): Promise<ReadonlyMap<string, number>>;
  /** When somebody must look at the places of an array again (seconds); never, if none is taken. */
  lookAtPlaces(array: string, at: number, by: number): Promise<void>;
  /** All that somebody must look at some time, soonest first. Eventually consistent: read an item before you believe it. */
  pending(by: number): Promise<Pending[]>;
  /** Ids of the leases of an owner. Eventually consistent. */
  ofOwner(owner: string, by: number): Promise<string[]>;
};
