/** What must be true at every moment, and what at the end. Each answers what is wrong, in words, or nothing. */
import type { Item } from '../../../lib/leases/items.ts';
import type { World } from './world.ts';

/** A live session is known: by a lease that is not closed, or by a SUSPECT, either of its attempt. */
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
  // Those of which nobody holds the auth token are sessions, too. A former version did not count them.
  for (const [array, { length }] of features.former ? [] : groups(live.map(({ array }) => array))) {
    if (length > limits.sessionsPerArray) return `array ${array} has ${length} sessions, which is more than its limit`;
  }
  return undefined;
}

const groups = (names: readonly string[]): Map<string, string[]> => Map.groupBy(names, (name) => name);

/** Three minutes of sweeping have passed since the last release: what was released, or whose owner ended, is closed. */
export function wrongAfterReleases({ store, ended }: World): string | undefined {
  const released = [...store.items.values()].find(
    (item) => item.kind === 'lease' && item.state !== 'CLOSED' && (ended.has(item.leaseId) || ended.has(item.owner)),
  );
  return released && `${released.id} is not closed, although its end was asked for`;
}

/** Arrays have answered since the last lease ended, and the sweeper has worked: only SUSPECTs may be left. */
export function wrongAfterwards({ arrays, store }: World): string | undefined {
  const suspects = new Set([...store.items.values()].map((item) => (item.kind === 'suspect' ? item.attemptId : '')));
  const left = arrays.live().filter(({ requestId }) => !suspects.has(requestId));
  if (left[0]) return `the session of attempt ${left[0].requestId} is still open after its lease ended`;
  const open = [...store.items.values()].find(isUnclosed);
  return open && `${open.id} is not closed after its end`;
}

/** Idle time-outs have passed: nothing is left of anything. */
export function wrongAtLast({ store }: World): string | undefined {
  const suspect = [...store.items.values()].find(({ kind }) => kind === 'suspect');
  if (suspect) return `${suspect.id} is kept for ever`;
  const taken = [...store.arrays].find(([, slots]) => slots.size > 0);
  return taken && `array ${taken[0]}: slots of ${[...taken[1].keys()].join(', ')} are taken for ever`;
}

const isUnclosed = (item: Item): boolean => item.kind === 'lease' && item.state !== 'CLOSED';
