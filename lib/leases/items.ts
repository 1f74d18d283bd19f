/** What the ledger stores. Times are epoch seconds. */
import type { FlashBlade } from '../core/model.ts';
import { addressOf, trustDigest } from '../flashblade/trust.ts';

/** An item as it was read or written. `version` is new at every write: a write replaces an item only if it still has this version. */
export type Stored<T> = T & { readonly version: string };

type Common = {
  readonly id: string;
  /** When the sweeper must look at the item next. */
  readonly dueAt?: number;
  /** When DynamoDB may delete the item. Only set on items that hold no session. */
  readonly purgeAt?: number;
};

type LeaseBase = Common & {
  readonly kind: 'lease';
  readonly leaseId: string;
  /** The latest attempt to log in. */
  readonly attemptId: string;
  readonly owner?: string;
  /** Copied from the secret, so that closing needs neither the secret nor the API token. */
  readonly target: FlashBlade;
  readonly createdAt: number;
  readonly expiresAt: number;
};

export type Opening = LeaseBase & {
  readonly state: 'OPENING';
  /** When this attempt began. */
  readonly attemptedAt: number;
  /** No login of this attempt begins or ends after this. */
  readonly openingUntil: number;
  /** The lease was released before it was open: the session is not recorded, but logged out. */
  readonly endRequested?: true;
  /** A relogin: what the lease was when it was open. Its former session has ended. Version 0.1.0 wrote `true`. */
  readonly again?: Pick<Live, 'attemptId' | 'username' | 'sealed' | 'reloginAt'> | true;
};
type Live = LeaseBase & {
  readonly username: string;
  /** The encrypted auth token. */
  readonly sealed: string;
  /** When the latest relogin began, if there was one. */
  readonly reloginAt?: number;
};
export type Open = Live & { readonly state: 'OPEN' };
export type Closing = Live &
  EndedByOwner & {
    readonly state: 'CLOSING' | 'STUCK';
    /** Failed attempts to log out. */
    readonly tries: number;
  };
/** Closed because its owner ended: if that is announced again, so is the end of the lease. */
type EndedByOwner = { readonly byOwner?: true };
export type Closed = Omit<LeaseBase, 'target' | 'expiresAt' | 'attemptId'> &
  EndedByOwner & {
    readonly state: 'CLOSED';
    /** These three are absent on a tombstone: the release came before the request. */
    readonly attemptId?: string;
    readonly target?: FlashBlade;
    readonly expiresAt?: number;
    readonly closedAt: number;
  };
export type LeaseItem = Opening | Open | Closing | Closed;

/** A login whose outcome is unknown. Its session, if there is one, ends when it has been idle for too long. */
export type Suspect = Common & {
  readonly kind: 'suspect';
  readonly attemptId: string;
  readonly leaseId: string;
  readonly target: FlashBlade;
  readonly since: number;
  /** No login of this attempt was sent after this, by its process's clock. Version 0.1.0 did not write it. */
  readonly openingUntil?: number;
  /** The array has ended the session by then. */
  readonly until: number;
};

/** An array refused this version of its secret. Until then, no function sends it again. */
export type Refusal = Common & { readonly kind: 'refusal'; readonly until: number };

/** The work that leases were opened for has ended: its leases close, and a late request of that owner opens nothing. */
export type OwnerEnd = Common & { readonly kind: 'owner'; readonly ownerId: string; readonly endedAt: number };

export type Item = LeaseItem | Suspect | Refusal | OwnerEnd;

export const leaseKey = (leaseId: string): string => `lease#${leaseId}`;
export const suspectKey = (attemptId: string): string => `suspect#${attemptId}`;
export const ownerKey = (ownerId: string): string => `owner#${ownerId}`;
export const refusalKey = (array: string, secretVersionId: string): string => `refusal#${array}#${secretVersionId}`;

/** Whether the index of owners lists the item: the end of an owner does not concern leases that were closed for another reason. */
export const isOfItsOwner = (item: Item): boolean =>
  item.kind === 'lease' && item.owner !== undefined && (item.state !== 'CLOSED' || item.byOwner === true);

/** What a sealed token is bound to. None of it is secret: KMS writes it to CloudTrail. */
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
