/** What nobody closed: expired leases, logouts that failed, openings that died, SUSPECTs, ended owners, leaked slots. */
import type { Pending } from '../edges/leases.ts';
import { eachOf } from '../ground/pool.ts';
import { closingDeadlines, seconds } from '../ground/time.ts';
import type { ClosingEdges } from './edges.ts';
import { sweepLease, sweepOwner, sweepSlots, sweepSuspect } from './sweep-one.ts';

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
  const done = new Set<Pending>();
  const silent = new Set<string | undefined>();
  let closed = 0;

  async function sweepArray(lane: readonly Pending[]): Promise<void> {
    const array = lane[0]?.array;
    let answers = false;
    const next = async (row: Pending): Promise<void> => {
      if (silent.has(array)) return;
      const outcome = await sweepLease(edges, row.id, deadline);
      if (outcome === 'silent') silent.add(array);
      else done.add(row);
      if (outcome !== 'closed') return;
      answers = true;
      closed += 1;
    };
    let first = 0;
    while (first < lane.length && !answers && !silent.has(array)) await next(lane[first++] as Pending);
    await eachOf(lane.slice(first), LEASES_AT_A_TIME, next);
  }

  const sweepArrays = (lanes: readonly Pending[][]) => eachOf(lanes, ARRAYS_AT_A_TIME, sweepArray);
  /** Of each kind a few at a time, so that none waits for another. */
  const sweepAll = (kind: Pending['kind'], work: (id: string) => Promise<void>) => {
    const due = rows.filter((row) => row.kind === kind && row.dueAt <= startedAt);
    return eachOf(due, OTHERS_AT_A_TIME, ({ id }) => work(id));
  };
  const ended: Pending[] = [];
  await Promise.all([
    sweepArrays(lanesOf(rows, startedAt)),
    sweepAll('owner', async (id) => void ended.push(...(await sweepOwner(edges, id, deadline)))),
    sweepAll('suspect', (id) => sweepSuspect(edges, id, deadline)),
    sweepAll('slots', (id) => sweepSlots(edges, id, deadline)),
  ]);
  await sweepArrays(lanesOf(ended, startedAt));

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
