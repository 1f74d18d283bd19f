/** The array's own list of sessions against the ledger: what the ledger does not know, and SUSPECTs that left nothing. */
import type { Pending } from '../edges/leases.ts';
import type { ActiveSession } from '../ground/array-answers.ts';
import { known } from '../ground/errors.ts';
import { unknownWarnings } from '../ground/fleet-warnings.ts';
import { type Item, leaseKey, type Suspect, suspectKey } from '../ground/lease-items.ts';
import type { FlashBlade } from '../ground/model.ts';
import { eachOf } from '../ground/pool.ts';
import { isIn, unaccounted, windowOf } from '../ground/session-windows.ts';
import { CLOCK_SKEW_SECONDS, INDEX_LAG_SECONDS } from '../ground/time.ts';
import { addressOf } from '../ground/trust.ts';
import type { Edges } from './edges.ts';
import { dropSuspect } from './sweep-one.ts';

const READS_AT_A_TIME = 8;

/** The ledger's unsettled entries of one array, as its index told them at `readAt`. Seconds. */
export type Snapshot = { readonly rows: readonly Pending[]; readonly readAt: number };

/** Whose sessions are compared, and when this check logged in and asked for the list. */
type Circumstances = {
  readonly array: FlashBlade;
  readonly username: string;
  readonly loggedInAt: number;
  readonly askedAt: number;
  readonly by: number;
};

export type Compared = {
  /** Active REST sessions of our user that the ledger does not know. Undefined: the list cannot be compared. */
  readonly unknown?: number;
  readonly warnings: readonly string[];
};

/**
 * `listed` is what the array lists when it is asked at `askedAt`, after the ledger's snapshot: a session that began before the snapshot
 * and is still active must be in both. Younger ones, our own among them, are not judged. `loggedInAt`, `askedAt`: seconds; `by`: epoch,
 * ms. Throws AWS_UNAVAILABLE, OUT_OF_TIME.
 */
export async function compareSessions(
  edges: Edges,
  { rows, readAt }: Snapshot,
  listed: readonly ActiveSession[],
  { array, username, loggedInAt, askedAt, by }: Circumstances,
): Promise<Compared> {
  const own = listed.filter(({ user }) => user === username).map(({ startedAt }) => startedAt);
  // Who does not find what is certainly there cannot tell what is not.
  const thisCheck = { from: loggedInAt - CLOCK_SKEW_SECONDS, to: askedAt + CLOCK_SKEW_SECONDS };
  if (!own.some((startedAt) => isIn(startedAt, thisCheck))) {
    const why = 'its list of sessions lacks the one of this check, or its clock is wrong: sessions were not compared';
    return { warnings: [why] };
  }
  const old = own.filter((startedAt) => startedAt < readAt - CLOCK_SKEW_SECONDS - INDEX_LAG_SECONDS);
  const suspected = rows.some(({ kind }) => kind === 'suspect');
  if (old.length === 0 && !suspected) return { unknown: 0, warnings: [] };

  const items = await readAll(edges, rows, by);
  const windows = items.flatMap((item) => windowOf(item, username) ?? []);
  const unknown = unaccounted(old, windows);
  for (const item of items) {
    // The list of another machine tells nothing about it.
    if (item?.kind !== 'suspect' || addressOf(item.target) !== addressOf(array)) continue;
    if (leftNothing(item, listed, askedAt)) await forget(edges, item, by);
  }
  return { unknown, warnings: unknownWarnings(unknown, username) };
}

async function readAll(edges: Edges, rows: readonly Pending[], by: number): Promise<(Item | undefined)[]> {
  const items: (Item | undefined)[] = [];
  const sessions = rows.filter(({ kind }) => kind === 'lease' || kind === 'suspect');
  await eachOf(sessions, READS_AT_A_TIME, async ({ kind, id }) => {
    items.push(await edges.leases.read(kind === 'lease' ? leaseKey(id) : suspectKey(id), by));
  });
  return items;
}

/** No session, whosever, is active that began when this login may have made one, and none can come any more. */
function leftNothing(item: Suspect, listed: readonly ActiveSession[], askedAt: number): boolean {
  const window = windowOf(item, '');
  return window !== undefined && askedAt > window.to && !listed.some(({ startedAt }) => isIn(startedAt, window));
}

/** If it cannot be written, the SUSPECT goes when its time is over. */
async function forget(edges: Edges, item: Suspect, by: number): Promise<void> {
  try {
    await dropSuspect(edges, item, by);
  } catch (error) {
    const { code, message } = known(error);
    edges.report({ event: 'LedgerWriteFailed', leaseId: item.leaseId, array: item.target.name, code, message });
  }
}
