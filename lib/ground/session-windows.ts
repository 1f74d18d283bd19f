/**
 * The array's list of sessions and the ledger have nothing in common but times: which entry of the ledger may account for a session
 * that began at a certain time. Pure; seconds since the epoch.
 */
import type { Item } from './lease-items.ts';
import { CLOCK_SKEW_SECONDS, SLACK_SECONDS } from './time.ts';

/** When a session that something accounts for may have begun, by the array's clock. */
export type Window = { readonly from: number; readonly to: number };

const ANY: Window = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/**
 * The window of an entry. Undefined: it is of another user, or has no session. An entry that has gone since the index was read
 * accounts for any time.
 */
export function windowOf(item: Item | undefined, username: string): Window | undefined {
  if (item === undefined) return ANY;
  if (item.kind === 'suspect') {
    const { since, openingUntil = item.until } = item;
    return { from: since - CLOCK_SKEW_SECONDS, to: openingUntil + SLACK_SECONDS };
  }
  if (item.kind !== 'lease' || ('username' in item && item.username !== username)) return undefined;
  const from = item.createdAt - CLOCK_SKEW_SECONDS;
  if (item.state === 'OPENING') return { from, to: item.openingUntil + SLACK_SECONDS };
  if (item.state === 'CLOSED') return { from, to: item.closedAt + SLACK_SECONDS };
  // Its session may be a later one: the array may have dropped the first.
  return { from, to: Number.POSITIVE_INFINITY };
}

export const isIn = (time: number, { from, to }: Window): boolean => from <= time && time <= to;

/** How many of the times no window accounts for, if each window accounts for one time at the most. */
export function unaccounted(times: readonly number[], windows: readonly Window[]): number {
  // The window that ends first goes first: the others may serve later times.
  const free = windows.toSorted((a, b) => a.to - b.to);
  return times
    .toSorted((a, b) => a - b)
    .filter((time) => {
      const index = free.findIndex((window) => isIn(time, window));
      if (index >= 0) free.splice(index, 1);
      return index < 0;
    }).length;
}
