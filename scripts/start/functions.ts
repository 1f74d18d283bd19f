/** Login and logout, invoked as their callers invoke them; and which leases may still hold a session. */
import { type CloseResult, type Lease, type OpenRequest, type Ports, withLease } from '../../lib/index.ts';
import type { Deployment } from '../../test/kit/deploy.ts';
import { resultOf } from '../../test/kit/lambda/outcome.ts';
import type { Look } from './array.ts';
import { explain } from './failures.ts';
import type { Screen } from './screen.ts';

export type Functions = ReturnType<typeof functionsOf>;

export function functionsOf({ login, logout, lambdaOf }: Pick<Deployment, 'login' | 'logout' | 'lambdaOf'>) {
  const unclosed = new Set<string>();

  /** Throws what the function throws; its name is the code. */
  async function openLease(request: OpenRequest): Promise<Lease> {
    unclosed.add(request.leaseId);
    return resultOf<Lease>(await login(request));
  }

  /** Throws what the function throws; its name is the code. */
  async function closeLease(leaseId: string): Promise<CloseResult> {
    const result = resultOf<CloseResult>(await logout({ leaseId }));
    unclosed.delete(leaseId);
    return result;
  }

  return {
    openLease,
    closeLease,
    /** Ends the process of login at once, whatever it is doing. */
    killLogin: () => lambdaOf('login').kill('SIGKILL'),
    /** Leases to close whatever happens. Who opens or closes one in another way adds or removes it. */
    unclosed,
  };
}

/** A way to look at the array under another lease. If the look fails, that lease is among the unclosed. */
export const lookOf =
  ({ openLease, closeLease }: Functions, ports: Ports, request: OpenRequest): Look =>
  async (work) => {
    await openLease(request);
    const seen = await withLease(request.leaseId, work, { ports });
    await closeLease(request.leaseId);
    return seen;
  };

const BY_IDLE_TIME_OUT = 'Its session, if there is one, ends by the idle time-out of the array.';

/** Whatever ended the story: no session stays open for want of trying. Never throws. */
export async function closeTheRest({ closeLease, unclosed }: Functions, { line }: Screen): Promise<void> {
  for (const leaseId of [...unclosed]) {
    try {
      const { outcome } = await closeLease(leaseId);
      line(`Lease ${leaseId}: ${outcome}`);
      if (outcome === 'ENDING' || outcome === 'SUSPECT') line(BY_IDLE_TIME_OUT);
    } catch (error) {
      line(`Lease ${leaseId} WAS NOT CLOSED. ${explain(error)}`, 'red');
      line(BY_IDLE_TIME_OUT);
    }
  }
}
