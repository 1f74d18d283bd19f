/** The work that leases were opened for has ended, in whatever way: so do its leases, also one that is asked for too late. */
import type { Pending } from '../edges/leases.ts';
import { type FlashBladeError, known } from '../ground/errors.ts';
import { ownerKey } from '../ground/lease-items.ts';
import { release } from '../ground/lease-states.ts';
import { endOwner } from '../ground/ledger-marks.ts';
import { eachOf } from '../ground/pool.ts';
import { closingDeadlines, seconds } from '../ground/time.ts';
import { type CloseResult, closeSession, endInLedger } from './close-session.ts';
import type { ClosingEdges } from './edges.ts';
import { contended, ROUNDS, readLease, stamped } from './ledger.ts';

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
async function closeLeasesOf(
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
      const result = await closeSession(edges, leaseId, deadline, true);
      results.push(result);
      await told?.(result);
    } catch (error) {
      failures.push(known(error));
    }
  });
  const failure = worst(failures);
  if (failure) throw failure;
  return results;
}

/**
 * Marks the leases of an ended owner that the index knows as closing, in the ledger only: no array holds this up. The sweeper logs out
 * of them. Returns those that have a session, and why others could not be marked.
 */
export async function endLeasesOf(edges: ClosingEdges, ownerId: string, by: number): Promise<Ended> {
  const live: Pending[] = [];
  const failures: FlashBladeError[] = [];
  await eachOf(await edges.leases.ofOwner(ownerId, by), AT_A_TIME, async (leaseId) => {
    try {
      live.push(...(await endLease(edges, leaseId, by)));
    } catch (error) {
      failures.push(known(error));
    }
  });
  return { live, failure: worst(failures) };
}

/** The lease, if there is a session to log out. */
async function endLease(edges: ClosingEdges, leaseId: string, by: number): Promise<Pending[]> {
  for (let round = 0; round < ROUNDS; round++) {
    const current = await readLease(edges, leaseId, by);
    const step = release(current, leaseId, edges.newId(), seconds(edges.now()), true);
    if (step.state !== 'LIVE') {
      if (await endInLedger(edges, current, step, by)) return [];
    } else if (current?.state !== 'OPEN') {
      // Claimed before: it is tried again when it is due.
      return [];
    } else if (await edges.leases.write(stamped(edges, step.write), current, by)) {
      const { state, dueAt = 0, target } = step.write;
      return [{ kind: 'lease', id: leaseId, state, dueAt, array: target.name }];
    }
  }
  throw contended(leaseId);
}

type Ended = { readonly live: readonly Pending[]; readonly failure: FlashBladeError | undefined };

/** Of several failures one that may pass, so that it is tried again. */
const worst = (failures: readonly FlashBladeError[]): FlashBladeError | undefined =>
  failures.find(({ retryable }) => retryable) ?? failures[0];
