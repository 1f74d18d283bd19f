/** One thing that is due: looked at again, consistently, and brought to its end. Nothing here throws: the next sweep comes. */

import type { Pending, StoredSlot } from '../edges/leases.ts';
import { isFlashBladeError, known } from '../ground/errors.ts';
import { leaseKey, ownerKey, type Suspect, suspectKey } from '../ground/lease-items.ts';
import { claim, isDead } from '../ground/lease-states.ts';
import { settleOwner } from '../ground/ledger-marks.ts';
import { eachOf } from '../ground/pool.ts';
import { closingDeadlines, SLACK_SECONDS, seconds } from '../ground/time.ts';
import { logOut } from './close-session.ts';
import type { ClosingEdges } from './edges.ts';
import { endLeasesOf } from './end-owner.ts';
import { readLease, settleSuspect, stamped, writeSuspect } from './ledger.ts';

/** How often an array's slots are compared with its leases. */
const SLOTS_SECONDS = 600;
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
      await settleSuspect(edges, current, by.record);
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

/** Looks for the leases of an ended owner again, now that the index has caught up. Returns those that must be closed. */
export async function sweepOwner(edges: ClosingEdges, ownerId: string, deadline: number): Promise<readonly Pending[]> {
  let ended: readonly Pending[] = [];
  await trying(edges, `owner ${ownerId}`, async () => {
    const by = closingDeadlines(deadline, edges.now());
    const { live, failure } = await endLeasesOf(edges, ownerId, by.record);
    ended = live;
    const item = await edges.leases.read(ownerKey(ownerId), by.record);
    const next = item?.kind === 'owner' && settleOwner(item, seconds(edges.now()), failure);
    if (item && next) await edges.leases.write(stamped(edges, next), item, by.record);
    if (failure) throw failure;
  });
  return ended;
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

/** A SUSPECT goes, and so does its slot: the array certainly has no session of it, unless it was recorded after all. */
export async function dropSuspect(edges: ClosingEdges, item: Suspect, by: number): Promise<void> {
  const { attemptId, leaseId, target } = item;
  await edges.leases.remove(item, by);
  const lease = await readLease(edges, leaseId, by);
  const isRecorded = lease !== undefined && lease.state !== 'CLOSED' && lease.attemptId === attemptId;
  if (!isRecorded) await edges.leases.freeSlot(target.name, { attemptId }, by);
}

/** Frees the slots of an array whose attempts are over and have left neither an unclosed lease nor a SUSPECT. */
export async function sweepSlots(edges: ClosingEdges, array: string, deadline: number): Promise<void> {
  await trying(edges, `the slots of array ${array}`, async () => {
    const by = closingDeadlines(deadline, edges.now());
    const now = seconds(edges.now());
    const taken = await edges.leases.slots(array, by.record);
    const over = [...taken].filter(([, { until }]) => until + SLACK_SECONDS < now);
    await eachOf(over, READS_AT_A_TIME, async ([name, slot]) => {
      if (await isNeeded(edges, array, name, slot, by.record)) return;
      await edges.leases.freeSlot(array, { attemptId: name }, by.record);
    });
    await edges.leases.lookAtSlots(array, now + SLOTS_SECONDS, by.record);
  });
}

async function isNeeded(
  edges: ClosingEdges,
  array: string,
  name: string,
  slot: StoredSlot,
  by: number,
): Promise<boolean> {
  const { leaseId } = slot;
  const lease = await edges.leases.read(leaseKey(leaseId ?? name), by);
  const isLive = lease?.kind === 'lease' && lease.state !== 'CLOSED' && lease.target.name === array;
  if (isLive && (leaseId === undefined || lease.attemptId === name)) return true;
  return (await edges.leases.read(leaseId === undefined ? name : suspectKey(name), by))?.kind === 'suspect';
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
