/** What nobody closed: expired leases, logouts that failed, openings that died, SUSPECTs, ended owners, leaked places. */
import type { Pending } from '../edges/leases.ts';
import { eachOf } from '../ground/pool.ts';
import { closingDeadlines, seconds } from '../ground/time.ts';
import type { ClosingEdges } from './edges.ts';
import { sweepLease, sweepOwner, sweepPlaces, sweepSuspect } from './sweep-one.ts';

/** Arrays that are worked on at the same time: a dead one holds up nobody else while fewer than these are dead. */
const ARRAYS_AT_A_TIME = 64;
/** Sessions of one array that are closed at the same time, once it has answered. */
const LEASES_AT_A_TIME = 4;
const OTHERS_AT_A_TIME = 8;

/** Counts of one sweep. `left`: due and not looked at, for want of time or because their array does not answer. */
export type SweepResult = {
  readonly live: number;
  readonly expired: number;
  readonly closed: number;
  readonly stuck: number;
  readonly suspect: number;
  readonly left: number;
  /** How long the longest waiting lease has been due, at the beginning. */
  readonly oldestDueSeconds: number;
};

/**
 * One sweep, oldest first, until nothing is due or `deadline` (epoch, ms) is near. Every array gets a lane of its own, which ends when
 * the array does not answer; besides what is due, each lane tries one lease that waits, and if that succeeds all of them.
 * Throws only if the ledger cannot be read.
 */
export async function sweep(edges: ClosingEdges, deadline: number): Promise<SweepResult> {
  const startedAt = seconds(edges.now());
  const rows = await edges.leases.pending(closingDeadlines(deadline, edges.now()).logout);
  const lanes = lanesOf(rows, startedAt);
  const done = new Set<Pending>();
  let closed = 0;

  async function sweepArray(lane: readonly Pending[]): Promise<void> {
    let answers = false;
    let silent = false;
    const next = async (row: Pending): Promise<void> => {
      if (silent) return;
      const outcome = await sweepLease(edges, row.id, deadline);
      silent ||= outcome === 'silent';
      answers ||= outcome === 'closed';
      if (outcome !== 'silent') done.add(row);
      if (outcome === 'closed') closed += 1;
    };
    let first = 0;
    while (first < lane.length && !answers && !silent) await next(lane[first++] as Pending);
    await eachOf(lane.slice(first), LEASES_AT_A_TIME, next);
  }

  const others = rows.filter(({ kind, dueAt }) => kind !== 'lease' && dueAt <= startedAt);
  await Promise.all([
    eachOf(lanes, ARRAYS_AT_A_TIME, sweepArray),
    eachOf(others, OTHERS_AT_A_TIME, (row) => sweepOther(edges, row, deadline)),
  ]);

  const due = rows.filter(({ kind, dueAt }) => kind === 'lease' && dueAt <= startedAt);
  const result: SweepResult = {
    ...countsOf(rows),
    closed,
    expired: due.filter(({ state }) => state === 'OPEN').length,
    left: due.filter((row) => !done.has(row)).length,
    oldestDueSeconds: due[0] === undefined ? 0 : startedAt - due[0].dueAt,
  };
  tell(edges, rows, result);
  return result;
}

const sweepOther = (edges: ClosingEdges, { kind, id }: Pending, deadline: number): Promise<void> =>
  kind === 'owner'
    ? sweepOwner(edges, id, deadline)
    : kind === 'places'
      ? sweepPlaces(edges, id, deadline)
      : sweepSuspect(edges, id, deadline);

/** Per array: what is due, oldest first, then what waits. Arrays that have failed before come last. */
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

function tell(edges: ClosingEdges, rows: readonly Pending[], result: SweepResult): void {
  const { live, stuck, suspect, expired, closed, left, oldestDueSeconds } = result;
  const gauges = {
    ...{ LiveLeases: live, StuckLeases: stuck, Suspects: suspect, ExpiredLeases: expired },
    ...{ ClosedBySweep: closed, LeftBySweep: left, OldestDueAge: oldestDueSeconds },
  };
  edges.report({ event: 'SweepDone', gauges, message: `swept: ${closed} closed, ${left} left` });
  for (const [array, own] of Map.groupBy(rows, (row) => row.array)) {
    if (array === undefined) continue;
    const counts = countsOf(own);
    const message = 'what the ledger holds of this array';
    const ownGauges = { LiveLeases: counts.live, StuckLeases: counts.stuck, Suspects: counts.suspect };
    edges.report({ event: 'ArrayCounted', array, gauges: ownGauges, message });
  }
}
