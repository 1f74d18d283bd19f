/**
 * Finds owners whose execution has ended, although the event that reports the end is missing. EventBridge delivers the events of Step
 * Functions on a best-effort basis.
 */
import { closingDeadlines, seconds } from '../core/deadlines.ts';
import { mapLimit } from '../core/map-limit.ts';
import { ownerEnd } from './end-owner.ts';
import { BUSY, EXECUTION_ENDS } from './items.ts';
import { bestEffort, LEDGER_CALLS_AT_A_TIME, readLease } from './ledger.ts';
import type { ClosingPorts, Pending } from './ports.ts';

/** A lease is looked at in about every fifth sweep. */
const SWEEPS = 5;
/** About how many leases one sweep looks at. The quota for asking Step Functions belongs to the whole account. */
const LEASES = 50;
const ASKS_AT_A_TIME = 4;

/**
 * Looks at some of the open leases among `rows`, chosen at random, and asks about their owners. Records the end of each owner whose
 * execution has ended, and returns these owners. After a failure, or if Step Functions is busy, asks no more until the next sweep. Never
 * throws.
 */
export async function findEndedExecutions(
  ports: ClosingPorts,
  rows: readonly Pending[],
  deadline: number,
): Promise<readonly string[]> {
  const { executions } = ports;
  if (executions === undefined) return [];
  const open = rows.filter(({ state }) => state === 'OPEN');
  const share = Math.min(1 / SWEEPS, LEASES / open.length);
  const chosen = open.filter(() => ports.random() < share).slice(0, 2 * LEASES);
  const ended: string[] = [];
  await bestEffort(ports, 'SweepFailed', { what: 'not all ended executions were looked for' }, async () => {
    const by = closingDeadlines(deadline, ports.now()).record;
    const owners = new Set<string>();
    await untilFailure(chosen, LEDGER_CALLS_AT_A_TIME, async ({ id }) => {
      const lease = await readLease(ports, id, by);
      if (lease?.state === 'OPEN' && lease.owner !== undefined) owners.add(lease.owner);
    });
    let isBusy = false;
    await untilFailure([...owners].filter(executions.isExecution), ASKS_AT_A_TIME, async (owner) => {
      if (isBusy) return;
      const status = await executions.status(owner, by);
      isBusy ||= status === BUSY;
      if (!EXECUTION_ENDS.some((end) => end === status)) return;
      await recordEnd(ports, owner, by);
      ended.push(owner);
    });
  });
  return ended;
}

/** Like `mapLimit`, but waits for all work that has begun before it throws, and begins no more after an error. */
async function untilFailure<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  await mapLimit(items, limit, async (item) => {
    if (failures.length === 0) await work(item).catch((error) => void failures.push(error));
  });
  if (failures.length > 0) throw failures[0];
}

async function recordEnd(ports: ClosingPorts, owner: string, by: number): Promise<void> {
  const end = ownerEnd(owner, seconds(ports.now()));
  // Record the end before the leases are looked up, so that a login that the lookup misses finds the owner's end.
  if (!(await ports.store.read(end.id, by))) await ports.store.write(end, undefined, by);
}
