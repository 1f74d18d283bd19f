/** The events that this product sends and understands: names and contents, once for code, contracts and infrastructure. */

/** `source` of the events that this product sends. */
export const SOURCE = 'flashblade-sessions';

/** `detail-type` of every event. The first two ask for something, the others tell what became of it. */
export const DETAIL_TYPES = {
  requested: 'Session Requested',
  released: 'Session Released',
  opened: 'Session Opened',
  closed: 'Session Closed',
  failed: 'Session Failed',
} as const;

/** Step Functions tells of the ends of executions so, on the account's default event bus. */
export const EXECUTION_SOURCE = 'aws.states';
export const EXECUTION_DETAIL_TYPE = 'Step Functions Execution Status Change';
export const EXECUTION_ENDS = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;

/** A session is open. `expiresAt` in seconds since the epoch. */
export type SessionOpened = {
  readonly leaseId: string;
  readonly array: string;
  readonly username: string;
  readonly expiresAt: number;
  readonly owner?: string;
};
/** A session has ended; told again when the request to end it comes again. */
export type SessionClosed = { readonly leaseId: string; readonly array: string; readonly owner?: string };
/** What was asked for will not happen. `code` and `reason` as in the README's table of errors. */
export type SessionFailed = {
  readonly eventId?: string;
  readonly leaseId?: string;
  readonly array?: string;
  readonly owner?: string;
  readonly code: string;
  readonly reason: string;
};

export type OutgoingEvent =
  | { readonly type: 'opened'; readonly detail: SessionOpened }
  | { readonly type: 'closed'; readonly detail: SessionClosed }
  | { readonly type: 'failed'; readonly detail: SessionFailed };
