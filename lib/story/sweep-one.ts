/** One thing that is due: looked at again, consistently, and brought to its end. Nothing here throws: the next sweep comes. */
import { isFlashBladeError, known } from '../ground/errors.ts';
import { ownerKey, type Suspect, suspectKey } from '../ground/lease-items.ts';
import { claim, isDead } from '../ground/lease-states.ts';
import { settleOwner } from '../ground/ledger-marks.ts';
import { eachOf } from '../ground/pool.ts';
import { closingDeadlines, seconds } from '../ground/time.ts';
import { logOut } from './close-session.ts';
import type { ClosingEdges } from './edges.ts';
import { closeLeasesOf } from './end-owner.ts';
import { readLease, settle, stamped, writeSuspect } from './ledger.ts';

/** How often an array's places are compared with its leases. */
const PLACES_SECONDS = 600;
const READS_AT_A_TIME = 8;

/**
 * - `closed`: the array confirmed that the session has ended.
 * - `silent`: the array does not answer, or no time is left: its other sessions need not be tried.
 * - `settled`: nothing more to do now, and nothing learned about the array.
 */
export type Swept = 'closed' | 'silent' | 'settled';

/** Closes a lease that has expired or is being closed; turns an opening that died into a SUSPECT. */
export async function sweepLease(edges: ClosingEdges, leaseId: string, deadline: number): Promise<Swept> {
  try {
    const by = closingDeadlines(deadline, edges.now());
    const now = seconds(edges.now());
    const current = await readLease(edges, leaseId, by.record);
    if (current === undefined || current.state === 'CLOSED') return 'settled';
    if (current.state === 'OPENING') {
      if (!isDead(current, now)) return 'settled';
      await writeSuspect(edges, current, by.record);
      await settle(edges, current, by.record);
      return 'settled';
    }
    // Renewed since the index was read.
    if (current.state === 'OPEN' && current.expiresAt > now) return 'settled';
    return (await logOut(edges, current, stamped(edges, claim(current, now)), by)) ? 'closed' : 'settled';
  } catch (error) {
    const silent = isFlashBladeError(error, 'ARRAY_UNREACHABLE', 'ARRAY_UNTRUSTED', 'ARRAY_BUSY', 'OUT_OF_TIME');
    if (!silent) fail(edges, `lease ${leaseId}`, error);
    return silent ? 'silent' : 'settled';
  }
}

/** Looks for the leases of an ended owner once more, now that the index has caught up. */
export async function sweepOwner(edges: ClosingEdges, ownerId: string, deadline: number): Promise<void> {
  await trying(edges, `owner ${ownerId}`, async () => {
    const by = closingDeadlines(deadline, edges.now());
    await closeLeasesOf(edges, ownerId, deadline);
    const item = await edges.leases.read(ownerKey(ownerId), by.record);
    if (item?.kind === 'owner') await edges.leases.write(stamped(edges, settleOwner(item)), item, by.record);
  });
}

/** Lets a SUSPECT go: the array has ended its session as idle. */
export async function sweepSuspect(edges: ClosingEdges, attemptId: string, deadline: number): Promise<void> {
  await trying(edges, `SUSPECT ${attemptId}`, async () => {
    const by = closingDeadlines(deadline, edges.now());
    const item = await edges.leases.read(suspectKey(attemptId), by.record);
    if (item?.kind !== 'suspect' || item.until > seconds(edges.now())) return;
    await dropSuspect(edges, item, by.record);
  });
}

/** A SUSPECT goes, and so does the place that it took: the array certainly has no session of it. */
export async function dropSuspect(edges: ClosingEdges, item: Suspect, by: number): Promise<void> {
  await edges.leases.remove(item, by);
  await edges.leases.leave(item.target.name, item.id, by);
}

/** Frees the places of an array whose opening is over and that no unclosed lease holds. */
export async function sweepPlaces(edges: ClosingEdges, array: string, deadline: number): Promise<void> {
  await trying(edges, `the places of array ${array}`, async () => {
    const by = closingDeadlines(deadline, edges.now());
    const now = seconds(edges.now());
    const over = [...(await edges.leases.places(array, by.record))].filter(([, { until }]) => until < now);
    await eachOf(over, READS_AT_A_TIME, async ([leaseId, { attemptId }]) => {
      const lease = await readLease(edges, leaseId, by.record);
      const holds = lease !== undefined && lease.state !== 'CLOSED' && lease.target.name === array;
      if (!holds) await edges.leases.leave(array, leaseId, by.record, attemptId);
    });
    await edges.leases.lookAtPlaces(array, now + PLACES_SECONDS, by.record);
  });
}

async function trying(edges: ClosingEdges, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    fail(edges, what, error);
  }
}

function fail(edges: ClosingEdges, what: string, error: unknown): void {
  const { code, message } = known(error);
  edges.report({ event: 'SweepFailed', code, message: `${what} was not swept: ${message}` });
}
