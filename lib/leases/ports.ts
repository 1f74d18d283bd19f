/**
 * Types for everything outside the domain that leases depend on. `lib/aws` implements the AWS ports, `lib/compose.ts` creates the
 * production ports, and the tests use in-memory ports. `by` and `deadline` are the times (epoch milliseconds) by which a call must end.
 */
import type { ApiToken, AuthToken, FlashBlade, Session } from '../core/model.ts';
import type { Reporter } from '../core/reports.ts';
import type {
  ArrayRequest,
  ArrayResponse,
  CallOptions,
  RequestOptions,
  VersionsOptions,
  WithHttpInfo,
} from '../flashblade/client.ts';
import type { OutgoingEvent } from './events.ts';
import type { Item, LeaseItem, SealContext, Stored } from './items.ts';

export type Ports = {
  readonly secrets: Secrets;
  readonly store: LeaseStore;
  readonly seal: Seal;
  readonly flashblade: {
    login(array: FlashBlade, token: ApiToken, options: CallOptions): Promise<WithHttpInfo<Session>>;
    logout(session: Session, options: CallOptions): Promise<WithHttpInfo<void>>;
    apiVersions(array: FlashBlade, options: VersionsOptions): Promise<WithHttpInfo<readonly string[]>>;
    request(session: Session, call: ArrayRequest, options: RequestOptions): Promise<ArrayResponse>;
  };
  readonly limits: {
    readonly sessionsPerArray: number;
    readonly arrayIdleSeconds: number;
    readonly maxLeaseSeconds: number;
  };
  /** Present only in the sweeper, and only if executions may own leases. */
  readonly executions?: Executions;
  /** Never throws. */
  readonly report: Reporter;
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after this time, or as soon as the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Returns a random number from 0 to 1. */
  random(): number;
  /** Returns a new id on every call. */
  newId(): string;
};

/** The ports for code that only closes sessions. Without `secrets`, such code cannot read an API token. */
export type ClosingPorts = Omit<Ports, 'secrets'>;

/** The contents of an array's secret. `versionId` is the secret's version id in AWS. */
export type ArraySecret = { readonly array: FlashBlade; readonly apiToken: ApiToken; readonly versionId: string };

export type Secrets = {
  /**
   * Reads an array's secret (AWSCURRENT), from the cache unless the cached secret is too old or `fresh` is set. Throws ARRAY_UNKNOWN,
   * SECRET_INVALID, SECRET_UNAVAILABLE or OUT_OF_TIME.
   */
  read(array: string, options: { by: number; fresh?: boolean }): Promise<ArraySecret>;
  /**
   * Returns the names of all secrets under the stack's prefix, sorted and without that prefix. With `prefix`, returns only the names that
   * begin with it. Some may not be array names. Throws SECRET_UNAVAILABLE or OUT_OF_TIME.
   */
  list(options: { by: number; prefix?: string }): Promise<string[]>;
};

/** Step Functions, whose executions can own leases. */
export type Executions = {
  /** Returns true if the owner is an execution that `status` can look up. */
  isExecution(owner: string): boolean;
  /**
   * Returns an execution's status, undefined if the execution does not exist, or BUSY if Step Functions should not be asked for now. Throws
   * AWS_UNAVAILABLE or OUT_OF_TIME.
   */
  status(executionArn: string, by: number): Promise<string | undefined>;
};

/** A key for sealing one token. `plaintext` is overwritten after use. */
export type DataKey = { readonly plaintext: Uint8Array; readonly encrypted: Uint8Array };

export type Seal = {
  /** Creates a data key for one token. Throws AWS_UNAVAILABLE or OUT_OF_TIME. */
  dataKey(context: SealContext, by: number): Promise<DataKey>;
  /** Encrypts a token, then overwrites the plaintext key. */
  seal(key: DataKey, token: AuthToken, context: SealContext): string;
  /** Decrypts a sealed token. Throws AWS_UNAVAILABLE, OUT_OF_TIME, or LEASE_ALTERED if the sealed token or its context was changed. */
  unseal(sealed: string, context: SealContext, by: number): Promise<AuthToken>;
};

/** An entry in the `due` index, which lists every item that the sweeper must look at. */
export type Pending = {
  readonly kind: 'lease' | 'suspect' | 'owner' | 'slots';
  /** Lease id, attempt id, owner id or array name. */
  readonly id: string;
  /** Epoch seconds. */
  readonly dueAt: number;
  readonly array?: string;
  readonly state?: LeaseItem['state'];
};

/** One of an array's `SESSIONS_PER_ARRAY` slots, taken before the login and kept until the session is certain to have ended. */
export type Slot = {
  readonly attemptId: string;
  readonly leaseId: string;
  /** Time by which the attempt's process is certain to have ended (epoch seconds). */
  readonly until: number;
  /** Set if the attempt is a SUSPECT. */
  readonly suspect?: true;
};

/** Version 0.1.0 wrote slots without `leaseId`, keyed by the id of the lease or SUSPECT. */
export type StoredSlot = Omit<Slot, 'leaseId'> & Partial<Pick<Slot, 'leaseId'>>;

/** The lease ledger. Every operation may throw AWS_UNAVAILABLE or OUT_OF_TIME. */
export type LeaseStore = {
  /** Reads an item. Strongly consistent. */
  read(id: string, by: number): Promise<Stored<Item> | undefined>;
  /**
   * Writes `next` if the item has not changed since `previous` was read. If `previous` is undefined, the item must not exist. Returns
   * undefined if this condition is not met.
   */
  write<T extends Item>(next: T, previous: Stored<Item> | undefined, by: number): Promise<Stored<T> | undefined>;
  /** Removes an item, or returns false if the item has changed since it was read. */
  remove(item: Stored<Item>, by: number): Promise<boolean>;
  /** Takes one of an array's `limit` slots. Returns false if all slots are taken. Safe to repeat. */
  takeSlot(array: string, slot: Slot, limit: number, by: number): Promise<boolean>;
  /**
   * Moves a slot to the attempt in `slot`. Uses the slot of the attempt `from`, or the slot that version 0.1.0 took for the lease. If
   * neither exists, takes a new slot. Returns false if all slots are taken. Safe to repeat.
   */
  moveSlot(array: string, from: string, slot: Slot, limit: number, by: number): Promise<boolean>;
  /** Writes a slot regardless of the limit, for an attempt that may have a session. Safe to repeat. */
  keepSlot(array: string, slot: Slot, by: number): Promise<void>;
  /**
   * Frees an attempt's slot. If the attempt has no slot, frees the one that version 0.1.0 took for a lease that is now closed. Safe to
   * repeat.
   */
  freeSlot(
    array: string,
    of: { readonly attemptId: string; readonly closedLeaseId?: string },
    by: number,
  ): Promise<void>;
  /** Returns an array's slots by attempt id. */
  slots(array: string, by: number): Promise<ReadonlyMap<string, StoredSlot>>;
  /** Sets when the sweeper next checks an array's slots (epoch seconds). If no slot is taken, cancels the check. */
  lookAtSlots(array: string, at: number, by: number): Promise<void>;
  /** Returns all entries in the `due` index, sorted by `dueAt`. Eventually consistent, so read an item before you act on it. */
  pending(by: number): Promise<Pending[]>;
  /** Returns the ids of an owner's leases. Eventually consistent. */
  ofOwner(owner: string, by: number): Promise<string[]>;
};

/** A message that failed permanently: the reason, and the event and lease that were affected, but never the message's contents. */
export type DeadLetter = {
  readonly code: string;
  readonly reason: string;
  readonly messageId: string;
  readonly eventId?: string | undefined;
  readonly leaseId?: string | undefined;
};

/** Publishes events and dead letters. Both functions may throw AWS_UNAVAILABLE or OUT_OF_TIME. */
export type Outbox = {
  emit(event: OutgoingEvent, by: number): Promise<void>;
  deadLetter(letter: DeadLetter, by: number): Promise<void>;
};
