/**
 * Cleans up after other calls. Handles expired leases, failed logouts, intents whose process died, SUSPECTs, ended owners and leaked slots.
 * It also looks for executions that ended without being reported. A sweep reads the index of due items, then each item itself, because the
 * index lags behind the table.
 */
import { closingDeadlines, SLACK_SECONDS, seconds } from '../core/deadlines.ts';
import { isFlashBladeError } from '../core/errors.ts';
import { mapLimit } from '../core/map-limit.ts';
import { claimAndLogOut } from './close.ts';
import { endLeasesOf, settleOwner } from './end-owner.ts';
import { findEndedExecutions } from './ended-executions.ts';
import { leaseKey, ownerKey, suspectKey } from './items.ts';
import { bestEffort, dropSuspect, LEDGER_CALLS_AT_A_TIME, leaveSuspect, readLease } from './ledger.ts';
import type { ClosingPorts, Pending, StoredSlot } from './ports.ts';
import { claim, isDead } from './states.ts';

/** How many arrays are swept in parallel. Unresponsive arrays delay the others only if there are more than this many. */
const ARRAYS_AT_A_TIME = 64;
/** How many sessions on one array are closed in parallel, once the array has responded. */
const LEASES_AT_A_TIME = 4;
/** How often an array's slots are compared with its leases. */
const SLOTS_SECONDS = 600;

/** Counts from one sweep. `left` counts the leases that are still due, because time ran out, their array did not respond, or a step failed. */
export type SweepResult = {
  readonly live: number;
  readonly expired: number;
  readonly closed: number;
  readonly stuck: number;
  readonly suspect: number;
  readonly left: number;
  /** How long the oldest due lease had been due when the sweep began. */
  readonly oldestDueSeconds: number;
};

/**
 * Sweeps once, oldest items first, until nothing is due or `deadline` (epoch milliseconds) is near. Arrays are swept independently. If an
 * array does not respond, its remaining leases are skipped. In addition to the due leases, the sweep tries one of the array's leases that
 * are waiting for their next try. If that lease closes, the sweep tries all of them. Throws only if the ledger cannot be read.
 */
export async function sweep(ports: ClosingPorts, deadline: number): Promise<SweepResult> {
  const startedAt = seconds(ports.now());
  const rows = await ports.store.pending(closingDeadlines(deadline, ports.now()).logout);
  const done = new Set<Pending>();
  const silent = new Set<string | undefined>();
  let closed = 0;

  async function sweepArray(lane: readonly Pending[]): Promise<void> {
    const array = lane[0]?.array;
    let responds = false;
    const next = async (row: Pending): Promise<void> => {
      if (silent.has(array)) return;
      const outcome = await sweepLease(ports, row.id, deadline);
      if (outcome === 'silent') silent.add(array);
      else if (outcome !== 'failed') done.add(row);
      if (outcome !== 'closed') return;
      responds = true;
      closed += 1;
    };
    let first = 0;
    while (first < lane.length && !responds && !silent.has(array)) await next(lane[first++] as Pending);
    await mapLimit(lane.slice(first), LEASES_AT_A_TIME, next);
  }

  const sweepArrays = (leases: readonly Pending[]) =>
    mapLimit(lanesOf(leases, startedAt), ARRAYS_AT_A_TIME, sweepArray);
  /** Each kind of item has its own limit, so that no kind waits for another. */
  const sweepAll = <Result>(kind: Pending['kind'], work: (id: string) => Promise<Result>) => {
    const due = rows.filter((row) => row.kind === kind && row.dueAt <= startedAt);
    return mapLimit(due, LEDGER_CALLS_AT_A_TIME, ({ id }) => work(id));
  };
  const sweepExecutions = async () =>
    mapLimit(await findEndedExecutions(ports, rows, deadline), LEDGER_CALLS_AT_A_TIME, (id) =>
      sweepOwner(ports, id, deadline),
    );
  const [, ended, unreported] = await Promise.all([
    sweepArrays(rows),
    sweepAll('owner', (id) => sweepOwner(ports, id, deadline)),
    sweepExecutions(),
    sweepAll('suspect', (id) => sweepSuspect(ports, id, deadline)),
    sweepAll('slots', (id) => sweepSlots(ports, id, deadline)),
  ]);
  await sweepArrays([...ended, ...unreported].flat());

  const due = rows.filter(({ kind, dueAt }) => kind === 'lease' && dueAt <= startedAt);
  const result: SweepResult = {
    ...countsOf(rows),
    closed,
    expired: due.filter(({ state }) => state === 'OPEN').length,
    left: due.filter((row) => !done.has(row)).length,
    oldestDueSeconds: due[0] === undefined ? 0 : startedAt - due[0].dueAt,
  };
  reportSweep(ports, rows, result);
  return result;
}

/**
 * Groups leases by array. In each group, the due leases come first, oldest first, followed by those waiting for their next try. Arrays with
 * failed logouts come last.
 */
function lanesOf(rows: readonly Pending[], now: number): Pending[][] {
  const waits = ({ state }: Pending): boolean => state === 'CLOSING' || state === 'STUCK';
  const leases = rows.filter((row) => row.kind === 'lease' && (row.dueAt <= now || waits(row)));
  const lanes = [...Map.groupBy(leases, ({ array }) => array).values()];
  return lanes.sort((a, b) => Number(a.some(waits)) - Number(b.some(waits)));
}

const countsOf = (rows: readonly Pending[]) => ({
  live: rows.filter(({ state }) => state === 'OPEN').length,
  stuck: rows.filter(({ state }) => state === 'STUCK').length,
  suspect: rows.filter(({ kind }) => kind === 'suspect').length,
});

function reportSweep(ports: ClosingPorts, rows: readonly Pending[], result: SweepResult): void {
  const { live, stuck, suspect, expired, closed, left, oldestDueSeconds } = result;
  const gauges = {
    ...{ LiveLeases: live, StuckLeases: stuck, Suspects: suspect, ExpiredLeases: expired },
    ...{ ClosedBySweep: closed, LeftBySweep: left, OldestDueAge: oldestDueSeconds },
  };
  ports.report({ event: 'SweepDone', gauges, message: `swept: ${closed} closed, ${left} left` });
  for (const [array, own] of Map.groupBy(rows, (row) => row.array)) {
    if (array === undefined) continue;
    const counts = countsOf(own);
    const ownGauges = { LiveLeases: counts.live, StuckLeases: counts.stuck, Suspects: counts.suspect };
    ports.report({ event: 'ArrayCounted', array, gauges: ownGauges, message: 'ledger counts for this array' });
  }
}

/**
 * - `closed`: the array confirmed that the session has ended.
 * - `silent`: the array does not respond, or no time is left, so the array's other sessions are not tried.
 * - `failed`: a step failed, and nothing was learned about the array.
 * - `settled`: there is nothing more to do now, and nothing was learned about the array.
 */
type Swept = 'closed' | 'silent' | 'failed' | 'settled';

/** Closes a lease that has expired or is being closed. Turns an intent whose process died into a SUSPECT. Never throws. */
export async function sweepLease(ports: ClosingPorts, leaseId: string, deadline: number): Promise<Swept> {
  let swept: Swept = 'failed';
  await bestEffort(ports, 'SweepFailed', { what: `lease ${leaseId} was not swept` }, async () => {
    try {
      swept = (await closeDue(ports, leaseId, deadline)) ? 'closed' : 'settled';
    } catch (error) {
      if (!isFlashBladeError(error, 'ARRAY_UNREACHABLE', 'ARRAY_UNTRUSTED', 'ARRAY_BUSY', 'OUT_OF_TIME')) throw error;
      swept = 'silent';
    }
  });
  return swept;
}

/** Returns true if a session was closed. */
async function closeDue(ports: ClosingPorts, leaseId: string, deadline: number): Promise<boolean> {
  const by = closingDeadlines(deadline, ports.now());
  const now = seconds(ports.now());
  const current = await readLease(ports, leaseId, by.record);
  if (current === undefined || current.state === 'CLOSED') return false;
  if (current.state === 'OPENING') {
    if (isDead(current, now)) await leaveSuspect(ports, current, by.record);
    return false;
  }
  // The lease was renewed after the index was read.
  if (current.state === 'OPEN' && current.expiresAt > now) return false;
  return (await claimAndLogOut(ports, current, claim(current, now), by)) === 'CLOSED';
}

/** Looks for an ended owner's leases again, now that the index has caught up. Returns the leases that must be closed. Never throws. */
export async function sweepOwner(ports: ClosingPorts, ownerId: string, deadline: number): Promise<readonly Pending[]> {
  let ended: readonly Pending[] = [];
  await bestEffort(ports, 'SweepFailed', { what: `owner ${ownerId} was not swept` }, async () => {
    const by = closingDeadlines(deadline, ports.now()).record;
    const { live, failure } = await endLeasesOf(ports, ownerId, by);
    ended = live;
    const item = await ports.store.read(ownerKey(ownerId), by);
    const next = item?.kind === 'owner' && settleOwner(item, seconds(ports.now()), failure);
    if (next) await ports.store.write(next, item, by);
    if (failure) throw failure;
  });
  return ended;
}

/** Drops a SUSPECT after the array's idle timeout is certain to have ended its session. Never throws. */
export const sweepSuspect = (ports: ClosingPorts, attemptId: string, deadline: number): Promise<void> =>
  bestEffort(ports, 'SweepFailed', { what: `SUSPECT ${attemptId} was not swept` }, async () => {
    const by = closingDeadlines(deadline, ports.now()).record;
    const item = await ports.store.read(suspectKey(attemptId), by);
    if (item?.kind === 'suspect' && item.until <= seconds(ports.now())) await dropSuspect(ports, item, by);
  });

/** Frees an array's slots whose attempts have ended and left neither an unclosed lease nor a SUSPECT. Never throws. */
export const sweepSlots = (ports: ClosingPorts, array: string, deadline: number): Promise<void> =>
  bestEffort(ports, 'SweepFailed', { what: `the slots of array ${array} were not swept` }, async () => {
    const by = closingDeadlines(deadline, ports.now()).record;
    const now = seconds(ports.now());
    const over = [...(await ports.store.slots(array, by))].filter(([, { until }]) => until + SLACK_SECONDS < now);
    await mapLimit(over, LEDGER_CALLS_AT_A_TIME, async ([name, slot]) => {
      if (await isNeeded(ports, array, name, slot, by)) return;
      await ports.store.freeSlot(array, { attemptId: name }, by);
    });
    await ports.store.lookAtSlots(array, now + SLOTS_SECONDS, by);
  });

/** `name` is the attempt id. Version 0.1.0 wrote the id of the lease or SUSPECT instead. */
async function isNeeded(
  ports: ClosingPorts,
  array: string,
  name: string,
  { leaseId }: StoredSlot,
  by: number,
): Promise<boolean> {
  const lease = await ports.store.read(leaseKey(leaseId ?? name), by);
  const isLive = lease?.kind === 'lease' && lease.state !== 'CLOSED' && lease.target.name === array;
  if (isLive && (leaseId === undefined || lease.attemptId === name)) return true;
  return (await ports.store.read(leaseId === undefined ? name : suspectKey(name), by))?.kind === 'suspect';
}
