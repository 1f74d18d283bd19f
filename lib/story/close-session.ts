/** Closes the session of a lease: claim → unseal → log out → CLOSED. Needs neither the array's secret nor its API token. */

import { sealContext } from '../edges/seal.ts';
import { type FlashBladeError, isFlashBladeError, known } from '../ground/errors.ts';
import type { Closing, LeaseItem } from '../ground/lease-items.ts';
import { close, postpone, release } from '../ground/lease-states.ts';
import type { Session } from '../ground/model.ts';
import { closingDeadlines, seconds } from '../ground/time.ts';
import type { ClosingEdges } from './edges.ts';
import { contended, ROUNDS, readLease, stamped, tidy, writeSuspect } from './ledger.ts';

/**
 * - `CLOSED`: the array confirmed that the session has ended.
 * - `ALREADY_CLOSED`: it had been before.
 * - `ENDING`: it is being opened at this moment; whoever opens it logs out at once.
 * - `NEVER_OPENED`: no such lease; a request for it that comes late opens nothing.
 * - `SUSPECT`: its opening died half-way; what that may have left was recorded and ends by the array's idle time-out.
 */
export type CloseOutcome = 'CLOSED' | 'ALREADY_CLOSED' | 'ENDING' | 'NEVER_OPENED' | 'SUSPECT';
export type CloseResult = { readonly leaseId: string; readonly array?: string; readonly outcome: CloseOutcome };

type Deadlines = ReturnType<typeof closingDeadlines>;

/**
 * Closes the session of a lease, whatever state it is in; repeatable. `deadline` (epoch, ms): the call ends half a second before it.
 * `byOwner`: since its owner has ended. Throws FlashBladeError; whatever it throws, the ledger keeps the session until it has ended.
 */
export async function closeSession(
  edges: ClosingEdges,
  leaseId: string,
  deadline: number,
  byOwner = false,
): Promise<CloseResult> {
  const by = closingDeadlines(deadline, edges.now());
  for (let round = 0; round < ROUNDS; round++) {
    const current = await readLease(edges, leaseId, by.record);
    const step = release(current, leaseId, edges.newId(), seconds(edges.now()), byOwner);
    const outcome =
      step.state === 'LIVE'
        ? await logOut(edges, current, stamped(edges, step.write), by)
        : await endInLedger(edges, current, step, by.record);
    const array = current?.target?.name;
    if (outcome) return { leaseId, ...(array === undefined ? {} : { array }), outcome };
  }
  throw contended(leaseId);
}

type Step = ReturnType<typeof release>;

/** What needs no array: nothing is open, or not yet. Undefined: somebody changed the item at the same time. */
export async function endInLedger(
  edges: ClosingEdges,
  current: LeaseItem | undefined,
  step: Exclude<Step, { state: 'LIVE' }>,
  by: number,
): Promise<CloseOutcome | undefined> {
  if (step.state === 'CLOSED') return 'ALREADY_CLOSED';
  // A dead opening: what it may have left must be known before its item goes. Its slot is the SUSPECT's now.
  if (step.state === 'DEAD' && current?.state === 'OPENING') await writeSuspect(edges, current, by);
  if (!(await edges.leases.write(stamped(edges, step.write), current, by))) return undefined;
  return step.state === 'NOTHING' ? 'NEVER_OPENED' : step.state === 'DEAD' ? 'SUSPECT' : 'ENDING';
}

/** Logs out of the session that `current` holds. Undefined: somebody changed the item at the same time. */
export async function logOut(
  edges: ClosingEdges,
  current: LeaseItem | undefined,
  claimed: Closing,
  by: Deadlines,
): Promise<'CLOSED' | undefined> {
  const { leaseId, target, username, sealed } = claimed;
  const context = sealContext(leaseId, target);
  const [claim, token] = await Promise.allSettled([
    edges.leases.write(claimed, current, by.logout),
    edges.seal.unseal(sealed, context, by.logout),
  ]);
  if (claim.status === 'rejected') throw claim.reason;
  if (!claim.value) return undefined;
  const requestId = edges.newId();
  const startedAt = edges.now();
  const facts = { leaseId, array: target.name, requestId };
  try {
    if (token.status === 'rejected') throw token.reason;
    const session: Session = { array: target, authToken: token.value, username };
    const { status } = await edges.flashblade.logout(session, { deadline: by.logout, requestId });
    const durationMs = edges.now() - startedAt;
    edges.report({ event: 'LogoutSucceeded', ...facts, status, durationMs, message: 'logged out' });
  } catch (error) {
    const {
      code,
      message,
      facts: { status },
    } = known(error);
    edges.report({ event: 'LogoutFailed', ...facts, code, status, durationMs: edges.now() - startedAt, message });
    await putOff(edges, claimed, known(error), by);
    throw known(error);
  }
  const closed = stamped(edges, close(claimed, seconds(edges.now())));
  await Promise.all([
    tidy(edges, claimed, async () => void (await edges.leases.write(closed, claimed, by.record))),
    tidy(edges, claimed, () => edges.leases.freeSlot(target.name, claimed, by.record)),
  ]);
  return 'CLOSED';
}

/** The session is still open: when to try again, and whom to tell. If this cannot be written, the claim runs out by itself. */
async function putOff(edges: ClosingEdges, claimed: Closing, error: FlashBladeError, by: Deadlines): Promise<void> {
  const hopeless = isFlashBladeError(error, 'LEASE_ALTERED', 'ANSWER_INVALID', 'INTERNAL');
  const next = stamped(edges, postpone(claimed, seconds(edges.now()), edges.random(), hopeless));
  await tidy(edges, claimed, async () => void (await edges.leases.write(next, claimed, by.record)));
  const facts = { leaseId: claimed.leaseId, array: claimed.target.name, code: error.code };
  if (error.code === 'LEASE_ALTERED') edges.report({ event: 'LeaseAltered', ...facts, message: error.message });
  if (next.state === 'STUCK') {
    const message = `a session of user ${claimed.username} on array ${claimed.target.name} is still open after ${next.tries} tries to close it; mend the cause, then invoke logout for lease ${claimed.leaseId}: ${error.message}`;
    edges.report({ event: 'LeaseStuck', ...facts, message });
  }
}
