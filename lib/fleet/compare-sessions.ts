/**
 * Compares an array's session list with the ledger. Finds sessions that are not in the ledger, and drops each SUSPECT that left no session.
 * The session list contains no ids from the ledger, so sessions are matched by time. Each ledger entry accounts for at most one session
 * that began in the entry's time window.
 */
import { CLOCK_SKEW_SECONDS, INDEX_LAG_SECONDS, SLACK_SECONDS } from '../core/deadlines.ts';
import { mapLimit } from '../core/map-limit.ts';
import type { FlashBlade } from '../core/model.ts';
import { addressOf } from '../flashblade/trust.ts';
import { type Item, leaseKey, type Suspect, suspectKey } from '../leases/items.ts';
import { dropSuspect, LEDGER_CALLS_AT_A_TIME, tryToWrite } from '../leases/ledger.ts';
import type { Pending, Ports } from '../leases/ports.ts';
import type { ActiveSession } from './array-facts.ts';

/** The entries for one array in the ledger's index, read at `readAt` (epoch seconds). */
export type Snapshot = { readonly pending: readonly Pending[]; readonly readAt: number };

/** The active sessions that the array listed at `listedAt` or a little later, during this check's session. Times are in epoch seconds. */
type SessionList = {
  readonly array: FlashBlade;
  /** The user that this check logged in as. */
  readonly username: string;
  readonly sessions: readonly ActiveSession[];
  readonly loggedInAt: number;
  readonly listedAt: number;
};

type Comparison = {
  /** Number of our user's active REST sessions that are not in the ledger. Undefined if the session list cannot be compared. */
  readonly unknown?: number;
  readonly warnings: readonly string[];
};

/**
 * Compares the session list with the snapshot. The list is newer, so a session that began before the snapshot and is still active must be
 * in both. Newer sessions, such as this check's own, are not compared. `by` is in epoch milliseconds. Throws AWS_UNAVAILABLE or
 * OUT_OF_TIME.
 */
export async function compareSessions(
  ports: Ports,
  { pending, readAt }: Snapshot,
  { array, username, sessions, loggedInAt, listedAt }: SessionList,
  by: number,
): Promise<Comparison> {
  const own = sessions.filter(({ user }) => user === username).map(({ startedAt }) => startedAt);
  // If the list does not include this check's own session, the list proves nothing about other sessions.
  const thisCheck = { from: loggedInAt - CLOCK_SKEW_SECONDS, to: listedAt + CLOCK_SKEW_SECONDS };
  if (!own.some((startedAt) => isIn(startedAt, thisCheck))) {
    const why =
      "the session list does not include this check's session, or the array's clock is wrong, so sessions were not compared with the ledger";
    return { warnings: [why] };
  }
  const old = own.filter((startedAt) => startedAt < readAt - CLOCK_SKEW_SECONDS - INDEX_LAG_SECONDS);
  const hasSuspects = pending.some(({ kind }) => kind === 'suspect');
  if (old.length === 0 && !hasSuspects) return { unknown: 0, warnings: [] };

  const entries = pending.filter(({ kind }) => kind === 'lease' || kind === 'suspect');
  const items = await mapLimit(entries, LEDGER_CALLS_AT_A_TIME, ({ kind, id }) =>
    ports.store.read(kind === 'lease' ? leaseKey(id) : suspectKey(id), by),
  );
  const windows = items.flatMap((item) => windowOf(item, username) ?? []);
  const unknown = unaccounted(old, windows);
  for (const item of items) {
    // The name may now belong to a different array, whose session list proves nothing about this SUSPECT.
    if (item?.kind !== 'suspect' || addressOf(item.target) !== addressOf(array)) continue;
    if (!leftNothing(item, sessions, listedAt)) continue;
    // If the SUSPECT cannot be dropped here, the sweeper drops it after `until`.
    await tryToWrite(ports, item, () => dropSuspect(ports, item, by));
  }
  return { unknown, warnings: unknownWarnings(unknown, username) };
}

/** Returns the warning about unknown sessions, or an empty list if `count` is 0. */
export const unknownWarnings = (count: number, username: string): string[] =>
  count > 0
    ? [
        `${count} active REST session${count === 1 ? '' : 's'} for user ${username} ${count === 1 ? 'is' : 'are'} not in the ledger. Find out who else uses this user's API token`,
      ]
    : [];

/** Returns true if this login cannot have left an active session, because its window is over and no user's session began in that window. */
function leftNothing(item: Suspect, sessions: readonly ActiveSession[], listedAt: number): boolean {
  const window = windowOf(item, '');
  return window !== undefined && listedAt > window.to && !sessions.some(({ startedAt }) => isIn(startedAt, window));
}

/** The time window in which a session may have begun, by the array's clock. Both ends are inclusive and in epoch seconds. */
export type Window = { readonly from: number; readonly to: number };

const ANY: Window = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/**
 * Returns the time window in which an entry's session may have begun, or undefined if the entry has no session or its session belongs to a
 * different user. An entry that was removed after the index was read can account for a session that began at any time.
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
  // A relogin may replace the session at any later time.
  return { from, to: Number.POSITIVE_INFINITY };
}

export const isIn = (time: number, { from, to }: Window): boolean => from <= time && time <= to;

/** Counts the start times that no window accounts for. Each window accounts for at most one start time. */
export function unaccounted(times: readonly number[], windows: readonly Window[]): number {
  // Use the matching window that ends first, because windows that end later may match later start times.
  const free = windows.toSorted((a, b) => a.to - b.to);
  return times
    .toSorted((a, b) => a - b)
    .filter((time) => {
      const index = free.findIndex((window) => isIn(time, window));
      if (index >= 0) free.splice(index, 1);
      return index < 0;
    }).length;
}
