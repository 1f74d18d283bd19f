/** The work that leases were opened for has ended, in whatever way: so do its leases, also one that is asked for too late. */
import { type FlashBladeError, known } from '../ground/errors.ts';
import { ownerKey } from '../ground/lease-items.ts';
import { endOwner } from '../ground/ledger-marks.ts';
import { eachOf } from '../ground/pool.ts';
import { closingDeadlines, seconds } from '../ground/time.ts';
import { type CloseResult, closeSession } from './close-session.ts';
import type { ClosingEdges } from './edges.ts';
import { stamped } from './ledger.ts';

const AT_A_TIME = 8;

/** Is told of each lease that was closed, and waited for. What it throws counts as a failure to close that lease. */
type Told = (result: CloseResult) => Promise<void>;

/**
 * Ends an owner: remembers that it has ended, then closes its leases. Repeatable. Throws a failure after all were tried, one that
 * a repetition may mend before others; the sweeper looks for the owner's leases once more in any case, since the index of owners
 * may lag behind.
 */
export async function endOwnerOf(
  edges: ClosingEdges,
  ownerId: string,
  deadline: number,
  told?: Told,
): Promise<CloseResult[]> {
  const by = closingDeadlines(deadline, edges.now());
  const item = stamped(edges, endOwner(ownerId, edges.newId(), seconds(edges.now())));
  const before = await edges.leases.read(ownerKey(ownerId), by.logout);
  // Before the leases are looked for: an opening that we do not find finds this.
  if (!before) await edges.leases.write(item, undefined, by.logout);
  return closeLeasesOf(edges, ownerId, deadline, told);
}

/** Closes the leases of an owner that the index knows. */
export async function closeLeasesOf(
  edges: ClosingEdges,
  ownerId: string,
  deadline: number,
  told?: Told,
): Promise<CloseResult[]> {
  const by = closingDeadlines(deadline, edges.now());
  const results: CloseResult[] = [];
  const failures: FlashBladeError[] = [];
  await eachOf(await edges.leases.ofOwner(ownerId, by.logout), AT_A_TIME, async (leaseId) => {
    try {
      const result = await closeSession(edges, leaseId, deadline);
      results.push(result);
      await told?.(result);
    } catch (error) {
      failures.push(known(error));
    }
  });
  const failure = failures.find(({ retryable }) => retryable) ?? failures[0];
  if (failure) throw failure;
  return results;
}
