/** The two functions, invoked as their callers invoke them; and which leases may still hold a session. */
import { type CloseResult, type Edges, type Lease, type OpenRequest, withLease } from '../../lib/index.ts';
import type { Lambda } from '../../test/lambda/lambda.ts';
import type { Look } from './array.ts';
import { explain } from './failures.ts';
import type { Screen } from './screen.ts';

export type Functions = ReturnType<typeof functionsOf>;

export function functionsOf(login: Lambda, logout: Lambda) {
  const unclosed = new Set<string>();

  /** Throws what the function throws; its name is the code. */
  async function openLease(request: OpenRequest): Promise<Lease> {
    unclosed.add(request.leaseId);
    return (await invoke(login, request)) as Lease;
  }

  /** Throws what the function throws; its name is the code. */
  async function closeLease(leaseId: string): Promise<CloseResult> {
    const result = (await invoke(logout, { leaseId })) as CloseResult;
    unclosed.delete(leaseId);
    return result;
  }

  return { openLease, closeLease, unclosed: unclosed as ReadonlySet<string> };
}

async function invoke(lambda: Lambda, event: object): Promise<unknown> {
  const outcome = await lambda.invoke(event);
  if ('result' in outcome) return outcome.result;
  if ('killed' in outcome) throw new Error(`the function's process was ended by ${outcome.killed}`);
  const { errorType, errorMessage } = outcome.error;
  throw Object.assign(new Error(errorMessage), { name: errorType });
}

/** A way to look at the array under another lease. If the look fails, that lease is among the unclosed. */
export const lookOf =
  ({ openLease, closeLease }: Functions, edges: Edges, request: OpenRequest): Look =>
  async (work) => {
    await openLease(request);
    const seen = await withLease(request.leaseId, work, { edges });
    await closeLease(request.leaseId);
    return seen;
  };

/** Whatever ended the story: no session stays open for want of trying. Never throws. */
export async function closeTheRest({ closeLease, unclosed }: Functions, { line }: Screen): Promise<void> {
  for (const leaseId of [...unclosed]) {
    try {
      const { outcome } = await closeLease(leaseId);
      line(`Lease ${leaseId}: ${outcome}`);
    } catch (error) {
      line(`Lease ${leaseId} WAS NOT CLOSED. ${explain(error)}`, 'red');
      line('Its session, if there is one, ends by the idle time-out of the array.');
    }
  }
}
