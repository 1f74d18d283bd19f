/** What the ledger's store promises. DynamoDB is one; the tests have another in memory. */
import type { Item, LeaseItem } from '../../ground/lease-items.ts';

/** A line of the index of all that is not settled. `dueAt` in seconds. */
export type Pending = {
  readonly kind: 'lease' | 'suspect' | 'owner' | 'slots';
  /** Lease id, attempt id, owner id or array. */
  readonly id: string;
  readonly dueAt: number;
  readonly array?: string;
  readonly state?: LeaseItem['state'];
};

/**
 * One of an array's slots, taken by an attempt before it logs in and kept until its session has certainly ended. `until` (seconds):
 * the attempt's process is over by then.
 */
export type Slot = {
  readonly attemptId: string;
  readonly leaseId: string;
  readonly until: number;
  /** Nobody holds the session of this attempt, if there is one. */
  readonly suspect?: true;
};

/** Version 0.1.0 wrote slots without `leaseId`, by the id of their lease or SUSPECT. */
export type StoredSlot = Omit<Slot, 'leaseId'> & Partial<Pick<Slot, 'leaseId'>>;

/** `by` is the end of the call (epoch, ms). Every operation throws AWS_UNAVAILABLE or OUT_OF_TIME. */
export type LeaseStore = {
  /** A consistent read. */
  read(id: string, by: number): Promise<Item | undefined>;
  /** Writes `next` if the store still holds `previous` (undefined: nothing). False: it does not. */
  write(next: Item, previous: Item | undefined, by: number): Promise<boolean>;
  /** Removes `item` if the store still holds it. False: it does not. */
  remove(item: Item, by: number): Promise<boolean>;
  /** Takes one of an array's `limit` slots for an attempt. False: all are taken. Repeatable. */
  takeSlot(array: string, slot: Slot, limit: number, by: number): Promise<boolean>;
  /**
   * Hands the slot of the attempt `from` over to another one of its lease, or that of version 0.1.0, or takes one if there is none.
   * False: all are taken. Repeatable.
   */
  moveSlot(array: string, from: string, slot: Slot, limit: number, by: number): Promise<boolean>;
  /** Writes the slot of an attempt whatever the limit is: it may have a session. Repeatable. */
  keepSlot(array: string, slot: Slot, by: number): Promise<void>;
  /** Gives the slot of an attempt back; with the id of a lease that is closed, else the one that version 0.1.0 took for it. Repeatable. */
  freeSlot(array: string, slot: Pick<StoredSlot, 'attemptId' | 'leaseId'>, by: number): Promise<void>;
  /** The slots of an array that are taken, by attempt id. */
  slots(array: string, by: number): Promise<ReadonlyMap<string, StoredSlot>>;
  /** When the sweeper looks at the slots of an array again (seconds); never, if none is taken. */
  lookAtSlots(array: string, at: number, by: number): Promise<void>;
  /** All that somebody must look at some time, soonest first. Eventually consistent: read an item before you believe it. */
  pending(by: number): Promise<Pending[]>;
  /** Ids of the leases of an owner. Eventually consistent. */
  ofOwner(owner: string, by: number): Promise<string[]>;
};
