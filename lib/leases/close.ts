/** Closes a lease's session: claim → unseal → log out → CLOSED. Needs neither the array's secret nor its API token. */
import { closingDeadlines, seconds } from '../core/deadlines.ts';
import { type FlashBladeError, isFlashBladeError, known } from '../core/errors.ts';
import type { Session } from '../core/model.ts';
import { type Closing, type LeaseItem, type Open, type Stored, sealContext } from './items.ts';
import { readLease, recordSuspect, reported, retryChanged, tryToWrite } from './ledger.ts';
import type { ClosingPorts } from './ports.ts';
import { close, postpone, release } from './states.ts';

/**
 * - `CLOSED`: the array confirmed that the session has ended.
 * - `ALREADY_CLOSED`: the session had already ended.
 * - `ENDING`: the session is still being opened. The call that is opening it logs out as soon as it has logged in.
 * - `NEVER_OPENED`: the lease does not exist. A later request with the same lease id does not open a session.
 * - `SUSPECT`: the process that was opening the session died. A SUSPECT is recorded, and the array's idle timeout ends any remaining
 *   session.
 */
export type CloseOutcome = 'CLOSED' | 'ALREADY_CLOSED' | 'ENDING' | 'NEVER_OPENED' | 'SUSPECT';
export type CloseResult = { readonly leaseId: string; readonly array?: string; readonly outcome: CloseOutcome };

type Deadlines = ReturnType<typeof closingDeadlines>;

/**
 * Closes a lease's session, regardless of the lease's state. Safe to repeat. Returns or throws a FlashBladeError at least half a second
 * before `deadline` (epoch milliseconds). After an error, the ledger tracks the session until it has ended. `byOwner` is true if the lease
 * is closed because its owner has ended.
 */
export async function closeSession(
  ports: ClosingPorts,
  leaseId: string,
  deadline: number,
  byOwner = false,
): Promise<CloseResult> {
  const by = closingDeadlines(deadline, ports.now());
  return retryChanged(leaseId, async () => {
    const current = await readLease(ports, leaseId, by.record);
    const step = release(current, leaseId, seconds(ports.now()), byOwner);
    const outcome =
      step.state === 'LIVE'
        ? await claimAndLogOut(ports, current, step.write, by)
        : await endInLedger(ports, current, step, by.record);
    const array = current?.target?.name;
    return outcome && { leaseId, ...(array === undefined ? {} : { array }), outcome };
  });
}

type Step = ReturnType<typeof release>;

/** Ends a lease that has no session to log out of. Returns undefined if the item has changed in the meantime. */
export async function endInLedger(
  ports: ClosingPorts,
  current: Stored<LeaseItem> | undefined,
  step: Exclude<Step, { state: 'LIVE' }>,
  by: number,
): Promise<CloseOutcome | undefined> {
  if (step.state === 'CLOSED') return 'ALREADY_CLOSED';
  // Before replacing a dead attempt's item, record the session that the attempt may have left. The slot now belongs to the SUSPECT.
  if (step.state === 'DEAD' && current?.state === 'OPENING') await recordSuspect(ports, current, by);
  if (!(await ports.store.write(step.write, current, by))) return undefined;
  return step.state === 'NOTHING' ? 'NEVER_OPENED' : step.state === 'DEAD' ? 'SUSPECT' : 'ENDING';
}

/** Claims the lease and logs out of its session. Returns undefined if the item has changed in the meantime. */
export async function claimAndLogOut(
  ports: ClosingPorts,
  current: Stored<LeaseItem> | undefined,
  claim: Closing,
  by: Deadlines,
): Promise<'CLOSED' | undefined> {
  const { leaseId, attemptId, target, username, sealed } = claim;
  // Compute the context before claiming the lease, because `sealContext` throws if the item's target is malformed.
  const context = sealContext(leaseId, target);
  const [written, token] = await Promise.allSettled([
    ports.store.write(claim, current, by.logout),
    ports.seal.unseal(sealed, context, by.logout),
  ]);
  if (written.status === 'rejected') throw written.reason;
  const claimed = written.value;
  if (claimed === undefined) return undefined;
  const session = () => {
    if (token.status === 'rejected') throw token.reason;
    return { array: target, authToken: token.value, username };
  };
  try {
    await logOut(ports, claimed, session, by.logout);
  } catch (error) {
    await postponeLogout(ports, claimed, known(error), by);
    throw error;
  }
  const closed = close(claimed, seconds(ports.now()));
  await Promise.all([
    tryToWrite(ports, claimed, () => ports.store.write(closed, claimed, by.record)),
    tryToWrite(ports, claimed, () =>
      ports.store.freeSlot(target.name, { attemptId, closedLeaseId: leaseId }, by.record),
    ),
  ]);
  return 'CLOSED';
}

/** Logs out. If `session` throws, the error is reported as a failed logout. Rethrows any error from `session` or the logout. */
export function logOut(
  ports: ClosingPorts,
  { leaseId, target }: Pick<Open, 'leaseId' | 'target'>,
  session: () => Session,
  by: number,
  why = 'logged out',
): Promise<void> {
  const requestId = ports.newId();
  return reported(ports, 'Logout', { leaseId, array: target.name, requestId }, why, async () =>
    ports.flashblade.logout(session(), { deadline: by, requestId }),
  );
}

/**
 * Schedules the next logout for a session that is still open, and raises an alarm if the lease is STUCK. If the write fails, the sweeper
 * tries again after the claim expires.
 */
async function postponeLogout(
  ports: ClosingPorts,
  claimed: Stored<Closing>,
  error: FlashBladeError,
  by: Deadlines,
): Promise<void> {
  const { leaseId, target, username } = claimed;
  const hopeless = isFlashBladeError(error, 'LEASE_ALTERED', 'ANSWER_INVALID', 'INTERNAL');
  const next = postpone(claimed, seconds(ports.now()), ports.random(), hopeless);
  await tryToWrite(ports, claimed, () => ports.store.write(next, claimed, by.record));
  if (error.code === 'LEASE_ALTERED') reportAltered(ports, claimed, error.message);
  if (next.state !== 'STUCK') return;
  const message = `user ${username}'s session on array ${target.name} is still open after ${next.tries} failed logouts. Fix the cause, then invoke logout for lease ${leaseId}. The last error was: ${error.message}`;
  ports.report({ event: 'LeaseStuck', leaseId, array: target.name, code: error.code, message });
}

/** Raises an alarm about a lease table change that this product did not make. */
export const reportAltered = (
  ports: ClosingPorts,
  { leaseId, target }: Pick<Open, 'leaseId' | 'target'>,
  message: string,
): void => ports.report({ event: 'LeaseAltered', leaseId, array: target.name, code: 'LEASE_ALTERED', message });
