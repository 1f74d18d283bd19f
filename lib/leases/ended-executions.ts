/**
 * Finds owners whose execution has ended but whose event never arrived. EventBridge delivers Step Functions events only on a best-effort
 * basis.
 */
import { closingDeadlines, seconds } from '../core/deadlines.ts';
import { mapLimit } from '../core/map-limit.ts';
import { ownerEnd } from './end-owner.ts';
import { BUSY, EXECUTION_ENDS } from './items.ts';
import { bestEffort, LEDGER_CALLS_AT_A_TIME, readLease } from './ledger.ts';
import type { ClosingPorts, Pending } from './ports.ts';

/** Each lease is checked in about one of five sweeps. */
const SWEEPS = 5;
/** Approximate number of leases that one sweep checks. All calls to DescribeExecution in the account share one quota. */
const LEASES = 50;
const ASKS_AT_A_TIME = 4;

/**
 * Picks some of the open leases in `rows` at random, and looks up their owners' executions. Records each owner whose execution has ended,
 * and returns these owners. After a failure, or if Step Functions is busy, stops until the next sweep. Never throws.
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
  await bestEffort(ports, 'SweepFailed', { what: 'some executions were not checked' }, async () => {
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

/** Like `mapLimit`, but after an error, starts no more work, and waits for the running work before it throws. */
async function untilFailure<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  await mapLimit(items, limit, async (item) => {
    if (failures.length === 0) await work(item).catch((error) => void failures.push(error));
  });
  if (failures.length > 0) throw failures[0];
}

async function recordEnd(ports: ClosingPorts, owner: string, by: number): Promise<void> {
  const end = ownerEnd(owner, seconds(ports.now()));
  // Record the ended owner before the leases are looked up, so that a login that the lookup misses finds it.
  if (!(await ports.store.read(end.id, by))) await ports.store.write(end, undefined, by);
}
