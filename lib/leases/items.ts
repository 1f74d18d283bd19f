/** The items in the ledger. Times are in epoch seconds. */
import type { FlashBlade } from '../core/model.ts';
import { addressOf, trustDigest } from '../flashblade/trust.ts';

/**
 * An item as read or written. Every write sets a new `version`, and replaces an item only if the item still has the version that was
 * read.
 */
export type Stored<T> = T & { readonly version: string };

type Common = {
  readonly id: string;
  /** Time at which the sweeper must next look at the item. */
  readonly dueAt?: number;
  /** Time after which DynamoDB may delete the item. Set only on items that have no session. */
  readonly purgeAt?: number;
};

type LeaseBase = Common & {
  readonly kind: 'lease';
  readonly leaseId: string;
  /** Id of the latest login attempt. */
  readonly attemptId: string;
  readonly owner?: string;
  /** Copied from the secret, so that closing needs neither the secret nor the API token. */
  readonly target: FlashBlade;
  readonly createdAt: number;
  readonly expiresAt: number;
};

export type Opening = LeaseBase & {
  readonly state: 'OPENING';
  /** Time at which this attempt began. */
  readonly attemptedAt: number;
  /** Time by which the attempt's login is certain to have ended. */
  readonly openingUntil: number;
  /**
   * Set if the lease was released before it was open. The call that is opening the session then logs out instead of recording the session.
   */
  readonly endRequested?: true;
  /**
   * Set only during a relogin. Contains the fields that the lease had while it was open. The previous session has ended. Version 0.1.0
   * wrote `true`.
   */
  readonly again?: Pick<Live, 'attemptId' | 'username' | 'sealed' | 'reloginAt'> | true;
};
type Live = LeaseBase & {
  readonly username: string;
  /** The encrypted auth token. */
  readonly sealed: string;
  /** Time at which the latest relogin began, if any. */
  readonly reloginAt?: number;
};
export type Open = Live & { readonly state: 'OPEN' };
export type Closing = Live &
  EndedByOwner & {
    readonly state: 'CLOSING' | 'STUCK';
    /** Number of failed logouts. */
    readonly tries: number;
  };
/** Set if the lease closed because its owner ended. If the event that ended the owner arrives again, Session Closed is published again. */
type EndedByOwner = { readonly byOwner?: true };
export type Closed = Omit<LeaseBase, 'target' | 'expiresAt' | 'attemptId'> &
  EndedByOwner & {
    readonly state: 'CLOSED';
    /** `attemptId`, `target` and `expiresAt` are absent if the lease was released before it was requested (a tombstone). */
    readonly attemptId?: string;
    readonly target?: FlashBlade;
    readonly expiresAt?: number;
    readonly closedAt: number;
  };
export type LeaseItem = Opening | Open | Closing | Closed;

/** A login with an unknown outcome. If it opened a session, the array's idle timeout ends that session. */
export type Suspect = Common & {
  readonly kind: 'suspect';
  readonly attemptId: string;
  readonly leaseId: string;
  readonly target: FlashBlade;
  readonly since: number;
  /** The attempt's login was sent before this time, according to the sending process's clock. Version 0.1.0 did not write this field. */
  readonly openingUntil?: number;
  /** Time by which the array is certain to have ended the session. */
  readonly until: number;
};

/** An array refused the API token in this secret version. No function sends the token again before `until`. */
export type Refusal = Common & { readonly kind: 'refusal'; readonly until: number };

/** Records that an owner has ended. The owner's leases are closed, and a late request from the owner fails with LEASE_ENDED. */
export type OwnerEnd = Common & { readonly kind: 'owner'; readonly ownerId: string; readonly endedAt: number };

/** The statuses of a Step Functions execution that has ended. */
export const EXECUTION_ENDS = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;
/** Takes the place of an execution's status if Step Functions is too busy to return it. */
export const BUSY = 'BUSY';

export type Item = LeaseItem | Suspect | Refusal | OwnerEnd;

export const leaseKey = (leaseId: string): string => `lease#${leaseId}`;
export const suspectKey = (attemptId: string): string => `suspect#${attemptId}`;
export const ownerKey = (ownerId: string): string => `owner#${ownerId}`;
export const refusalKey = (array: string, secretVersionId: string): string => `refusal#${array}#${secretVersionId}`;

/**
 * Returns true if the owner index lists the item. The index omits leases that were closed for other reasons, because they do not change
 * when the owner ends.
 */
export const isOfItsOwner = (item: Item): boolean =>
  item.kind === 'lease' && item.owner !== undefined && (item.state !== 'CLOSED' || item.byOwner === true);

/** The context that a sealed token is bound to. The context contains no secrets, because KMS logs the context in CloudTrail. */
export type SealContext = {
  readonly leaseId: string;
  readonly array: string;
  readonly host: string;
  readonly trust: string;
};

export const sealContext = (leaseId: string, target: FlashBlade): SealContext => ({
  leaseId,
  array: target.name,
  host: addressOf(target),
  trust: trustDigest(target.trust),
});
