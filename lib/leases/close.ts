/** Closes the session of a lease: claim → unseal → log out → CLOSED. Needs neither the array's secret nor its API token. */
import { closingDeadlines, seconds } from '../core/deadlines.ts';
import { type FlashBladeError, isFlashBladeError, known } from '../core/errors.ts';
import type { Session } from '../core/model.ts';
import { type Closing, type LeaseItem, type Open, type Stored, sealContext } from './items.ts';
import { readLease, recordSuspect, reported, retryChanged, tryToWrite } from './ledger.ts';
import type { ClosingPorts } from './ports.ts';
import { close, postpone, release } from './states.ts';

/**
 * - `CLOSED`: the array confirmed that the session has ended.
 * - `ALREADY_CLOSED`: it had ended before.
 * - `ENDING`: it is still being opened; the call that opens it logs out at once.
 * - `NEVER_OPENED`: there is no such lease; a later request for it opens nothing.
 * - `SUSPECT`: the process that opened it died; the session that it may have left is recorded and ends by the array's idle timeout.
 */
export type CloseOutcome = 'CLOSED' | 'ALREADY_CLOSED' | 'ENDING' | 'NEVER_OPENED' | 'SUSPECT';
export type CloseResult = { readonly leaseId: string; readonly array?: string; readonly outcome: CloseOutcome };

type Deadlines = ReturnType<typeof closingDeadlines>;

/**
 * Closes the session of a lease in any state. Repeatable. Returns or throws (FlashBladeError) half a second before `deadline` (epoch,
 * ms). Whatever it throws, the ledger keeps the session until it has ended. `byOwner`: because the lease's owner has ended.
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

/** Ends a lease without a session to log out. Returns undefined if the item changed in between. */
export async function endInLedger(
  ports: ClosingPorts,
  current: Stored<LeaseItem> | undefined,
  step: Exclude<Step, { state: 'LIVE' }>,
  by: number,
): Promise<CloseOutcome | undefined> {
  if (step.state === 'CLOSED') return 'ALREADY_CLOSED';
  // What a dead attempt may have left must be known before its item goes. Its slot now belongs to the SUSPECT.
  if (step.state === 'DEAD' && current?.state === 'OPENING') await recordSuspect(ports, current, by);
  if (!(await ports.store.write(step.write, current, by))) return undefined;
  return step.state === 'NOTHING' ? 'NEVER_OPENED' : step.state === 'DEAD' ? 'SUSPECT' : 'ENDING';
}

/** Logs out of the session that `current` holds. Returns undefined if the item changed in between. */
export async function claimAndLogOut(
  ports: ClosingPorts,
  current: Stored<LeaseItem> | undefined,
  claim: Closing,
  by: Deadlines,
): Promise<'CLOSED' | undefined> {
  const { leaseId, attemptId, target, username, sealed } = claim;
  // Before the claim: a damaged item may have no target that can be sealed.
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

/** Logs out. `session` may throw: that counts as a failed logout. Throws what it or a logout throws. */
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

/** The session is still open: plans the next try and raises the alarm if it is STUCK. If this is not written, the claim expires. */
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
  const message = `a session of user ${username} on array ${target.name} is still open after ${next.tries} failed logouts. Fix the cause, then invoke logout for lease ${leaseId}: ${error.message}`;
  ports.report({ event: 'LeaseStuck', leaseId, array: target.name, code: error.code, message });
}

/** Raises the alarm: the lease table was written by something other than this product. */
export const reportAltered = (
  ports: ClosingPorts,
  { leaseId, target }: Pick<Open, 'leaseId' | 'target'>,
  message: string,
): void => ports.report({ event: 'LeaseAltered', leaseId, array: target.name, code: 'LEASE_ALTERED', message });
