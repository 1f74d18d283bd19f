/** What must hold at every moment, and what must hold at the end. Each function returns the violation as text, or `undefined`. */
import type { World } from './world.ts';

/** Every live session is known by its attempt: from a lease that is not closed, or from a SUSPECT. */
export function wrongNow({ arrays, store, limits, features }: World): string | undefined {
  const live = arrays.live();
  if (live.length === 0) return undefined;
  const leaseOf = new Map<string, string>();
  const suspects = new Set<string>();
  for (const item of store.items.values()) {
    if (item.kind === 'lease' && item.state !== 'CLOSED') leaseOf.set(item.attemptId, item.leaseId);
    if (item.kind === 'suspect') suspects.add(item.attemptId);
  }
  const inUse = live.filter(({ requestId }) => !suspects.has(requestId));
  const unknown = inUse.find(({ requestId }) => !leaseOf.has(requestId));
  if (unknown) return `the live session of attempt ${unknown.requestId} is not in the ledger`;
  const leases = inUse.map(({ requestId }) => leaseOf.get(requestId));
  if (new Set(leases).size < leases.length) return 'a lease has two live sessions';
  // Sessions whose auth token is lost count, too. A former version did not count them.
  for (const [array, { length }] of features.former ? [] : Map.groupBy(live, ({ array }) => array)) {
    if (length > limits.sessionsPerArray) return `array ${array} has ${length} sessions, which is more than its limit`;
  }
  return undefined;
}

/**
 * After three minutes of sweeping, an owner whose end is recorded is over, and has no lease that is not closed. The end of every owner for
 * which a lease was closed is recorded, because late requests look for it.
 */
export function wrongOwner({ store, over }: World): string | undefined {
  const ends = new Set([...store.items.values()].flatMap((item) => (item.kind === 'owner' ? [item.ownerId] : [])));
  const early = [...ends].find((owner) => !over.has(owner));
  if (early) return `the end of ${early} is recorded, although it has not ended`;
  const leases = [...store.items.values()].filter((item) => item.kind === 'lease');
  const unrecorded = leases.find((item) => 'byOwner' in item && item.byOwner && !ends.has(item.owner ?? ''));
  if (unrecorded) return `${unrecorded.id} was closed for its owner, whose end is not recorded`;
  const left = leases.find((item) => item.state !== 'CLOSED' && item.owner !== undefined && ends.has(item.owner));
  return left && `${left.id} is not closed, although the end of its owner is recorded`;
}

/** After three minutes of sweeping, every lease that was released or whose owner has ended is closed. */
export function wrongAfterReleases({ store, ended }: World): string | undefined {
  const released = [...store.items.values()].find(
    (item) => item.kind === 'lease' && item.state !== 'CLOSED' && (ended.has(item.leaseId) || ended.has(item.owner)),
  );
  return released && `${released.id} is not closed, although its end was requested`;
}

/** After the last lease has ended and the sweeper has reached every array, only SUSPECTs may be left. */
export function wrongAfterwards({ arrays, store }: World): string | undefined {
  const suspects = new Set([...store.items.values()].map((item) => (item.kind === 'suspect' ? item.attemptId : '')));
  const left = arrays.live().filter(({ requestId }) => !suspects.has(requestId));
  if (left[0]) return `the session of attempt ${left[0].requestId} is still open after its lease ended`;
  const open = [...store.items.values()].find((item) => item.kind === 'lease' && item.state !== 'CLOSED');
  return open && `${open.id} is not closed after its end`;
}

/** After all idle timeouts, no SUSPECT and no slot is left. */
export function wrongAtLast({ store }: World): string | undefined {
  const suspect = [...store.items.values()].find(({ kind }) => kind === 'suspect');
  if (suspect) return `${suspect.id} is kept forever`;
  const taken = [...store.arrays].find(([, slots]) => slots.size > 0);
  return taken && `array ${taken[0]}: slots of ${[...taken[1].keys()].join(', ')} are taken forever`;
}
