/** What the ledger remembers beside leases: owners that have ended, API tokens that were refused. Pure; seconds since the epoch. */
import { type OwnerEnd, ownerKey, type Refusal, refusalKey } from './lease-items.ts';
import { KEEP_CLOSED_SECONDS } from './lease-states.ts';
import { INDEX_LAG_SECONDS, SLACK_SECONDS } from './time.ts';

/** The index of owners follows the table: an owner's leases are looked for again from then on, */
const OWNER_AGAIN_SECONDS = INDEX_LAG_SECONDS;
/** and until the index has certainly caught up, by any clock: the end may be written a while after its time. */
const OWNER_SETTLED_SECONDS = INDEX_LAG_SECONDS + SLACK_SECONDS;
/** An owner one of whose leases cannot be ended is looked at again after so long. */
const OWNER_FAILED_SECONDS = 600;
/** An array that refused an API token is not asked again with the same one for so long. */
export const REFUSAL_SECONDS = 600;

/** An owner has ended. */
export const endOwner = (ownerId: string, attemptId: string, now: number): OwnerEnd => ({
  kind: 'owner',
  id: ownerKey(ownerId),
  version: '',
  attemptId,
  ownerId,
  endedAt: now,
  dueAt: now + OWNER_AGAIN_SECONDS,
  purgeAt: now + KEEP_CLOSED_SECONDS,
});

/** Its leases were looked for again. Undefined: the next sweep does it once more. A failure that will not pass waits for longer. */
export function settleOwner(
  { dueAt: _dueAt, ...item }: OwnerEnd,
  now: number,
  failure?: { readonly retryable: boolean },
): OwnerEnd | undefined {
  if (failure && !failure.retryable) return { ...item, dueAt: now + OWNER_FAILED_SECONDS };
  return failure || now < item.endedAt + OWNER_SETTLED_SECONDS ? undefined : item;
}

/** An array refused an API token. */
export const refuse = (array: string, secretVersionId: string, attemptId: string, now: number): Refusal => ({
  kind: 'refusal',
  id: refusalKey(array, secretVersionId),
  version: '',
  attemptId,
  until: now + REFUSAL_SECONDS,
  purgeAt: now + REFUSAL_SECONDS,
});
