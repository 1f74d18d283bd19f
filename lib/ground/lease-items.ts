/** What the ledger holds. Seconds since the epoch throughout. */
import type { FlashBlade } from './model.ts';

/** `version` is new at every write, `attemptId` at every login: a write names both of the item that it replaces. */
type Common = {
  readonly id: string;
  readonly version: string;
  readonly attemptId: string;
  /** When the sweeper must look at this item next. */
  readonly dueAt?: number;
  /** When DynamoDB may remove it. Only ever set on what holds no session. */
  readonly purgeAt?: number;
};

type LeaseBase = Common & {
  readonly kind: 'lease';
  readonly leaseId: string;
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
  /** A release came first: recording refuses. */
  readonly endRequested?: true;
  /** Logs in again under a lease that was open: what it was, its session has ended. Version 0.1.0 wrote `true`. */
  readonly again?: Pick<Live, 'attemptId' | 'username' | 'sealed' | 'reloginAt'> | true;
};
type Live = LeaseBase & {
  readonly username: string;
  readonly sealed: string;
  /** When it last logged in again, if it did. */
  readonly reloginAt?: number;
};
export type Open = Live & { readonly state: 'OPEN' };
export type Closing = Live &
  EndedByOwner & {
    readonly state: 'CLOSING' | 'STUCK';
    readonly tries: number;
  };
/** The owner's end closes it: when that comes again, it is told again. */
type EndedByOwner = { readonly byOwner?: true };
export type Closed = Omit<LeaseBase, 'target' | 'expiresAt'> &
  EndedByOwner & {
    readonly state: 'CLOSED';
    /** Absent on a tombstone: the release came before the request. */
    readonly target?: FlashBlade;
    readonly expiresAt?: number;
    readonly closedAt: number;
  };
export type LeaseItem = Opening | Open | Closing | Closed;

/** A login whose outcome nobody knows. Its session, if there is one, ends by the array's idle time-out. */
export type Suspect = Common & {
  readonly kind: 'suspect';
  readonly leaseId: string;
  readonly target: FlashBlade;
  readonly since: number;
  /** No login of this attempt was sent after this, by the clock of its process. Version 0.1.0 did not write it. */
  readonly openingUntil?: number;
  readonly until: number;
};

/** An API token that an array refused. */
export type Refusal = Common & { readonly kind: 'refusal'; readonly until: number };

/** The work that leases were opened for has ended: they end, and a late request of that owner opens nothing. */
export type OwnerEnd = Common & { readonly kind: 'owner'; readonly ownerId: string; readonly endedAt: number };

export type Item = LeaseItem | Suspect | Refusal | OwnerEnd;

/** Whether the end of its owner finds the item: what is closed already, by whoever else, does not concern it. */
export const isOfItsOwner = (item: Item): boolean =>
  item.kind === 'lease' && item.owner !== undefined && (item.state !== 'CLOSED' || item.byOwner === true);

export const leaseKey = (leaseId: string): string => `lease#${leaseId}`;
export const suspectKey = (attemptId: string): string => `suspect#${attemptId}`;
export const ownerKey = (ownerId: string): string => `owner#${ownerId}`;
export const refusalKey = (array: string, secretVersionId: string): string => `refusal#${array}#${secretVersionId}`;
