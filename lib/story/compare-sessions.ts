/** The array's own list of sessions against the ledger: what the ledger does not know, and SUSPECTs that left nothing. */
import type { Pending } from '../edges/leases.ts';
import type { ActiveSession } from '../ground/array-answers.ts';
import { known } from '../ground/errors.ts';
import { unknownWarnings } from '../ground/fleet-warnings.ts';
import { type Item, leaseKey, type Suspect, suspectKey } from '../ground/lease-items.ts';
import type { FlashBlade } from '../ground/model.ts';
import { eachOf } from '../ground/pool.ts';
import { isIn, TOLERANCE_SECONDS, unaccounted, windowOf } from '../ground/session-windows.ts';
import { seconds } from '../ground/time.ts';
import { addressOf } from '../ground/trust.ts';
import type { Edges } from './edges.ts';
import { dropSuspect } from './sweep-one.ts';

const READS_AT_A_TIME = 8;

/** The ledger's unsettled entries of one array, as its index told them at `readAt`. Seconds. */
export type Snapshot = { readonly rows: readonly Pending[]; readonly readAt: number };

export type Compared = {
  /** Active REST sessions of our user that the ledger does not know. Undefined: the list cannot be compared. */
  readonly unknown?: number;
  readonly warnings: readonly string[];
};

/**
 * `listed` is what the array told after the ledger's snapshot: a session that began before it and is still active must be in it.
 * Younger ones, our own among them, are not judged. `loggedInAt`: seconds; `by`: epoch, ms. Throws AWS_UNAVAILABLE, OUT_OF_TIME.
 */
export async function compareSessions(
  edges: Edges,
  { rows, readAt }: Snapshot,
  listed: readonly ActiveSession[],
  { array, username, loggedInAt, by }: { array: FlashBlade; username: string; loggedInAt: number; by: number },
): Promise<Compared> {
  const own = listed.filter(({ user }) => user === username).map(({ startedAt }) => startedAt);
  // Who does not find what is certainly there cannot tell what is not.
  if (!own.some((startedAt) => Math.abs(startedAt - loggedInAt) <= TOLERANCE_SECONDS)) {
    const why = 'its list of sessions lacks the one of this check, or its clock is wrong: sessions were not compared';
    return { warnings: [why] };
  }
  const old = own.filter((startedAt) => startedAt < readAt - TOLERANCE_SECONDS);
  const suspected = rows.some(({ kind }) => kind === 'suspect');
  if (old.length === 0 && !suspected) return { unknown: 0, warnings: [] };

  const items = await readAll(edges, rows, by);
  const idle = edges.limits.arrayIdleSeconds;
  const windows = items.flatMap((item) => windowOf(item, username, idle) ?? []);
  const unknown = unaccounted(old, windows);
  for (const item of items) {
    // The list of another machine tells nothing about it.
    if (item?.kind !== 'suspect' || addressOf(item.target) !== addressOf(array)) continue;
    if (leftNothing(item, listed, seconds(edges.now()), idle)) await forget(edges, item, by);
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
function leftNothing(item: Suspect, listed: readonly ActiveSession[], now: number, idleSeconds: number): boolean {
  const window = windowOf(item, '', idleSeconds);
  return window !== undefined && now > window.to && !listed.some(({ startedAt }) => isIn(startedAt, window));
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
