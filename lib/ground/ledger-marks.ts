/** What the ledger remembers beside leases: owners that have ended, API tokens that were refused. Pure; seconds since the epoch. */
import { type OwnerEnd, ownerKey, type Refusal, refusalKey } from './lease-items.ts';
import { KEEP_CLOSED_SECONDS } from './lease-states.ts';

/** The index of owners is eventually consistent: an owner's leases are looked for once more after so long. */
export const OWNER_AGAIN_SECONDS = 60;
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

/** Its leases were looked for once more: nothing is left to do. */
export function settleOwner({ dueAt: _dueAt, ...item }: OwnerEnd): OwnerEnd {
  return item;
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
