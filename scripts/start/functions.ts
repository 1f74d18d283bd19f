/** Invokes login and logout, and tracks the leases that may still have a session. */
import type { Lease } from '../../lib/core/model.ts';
import type { CloseResult } from '../../lib/leases/close.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import type { OpenRequest } from '../../lib/leases/requests.ts';
import { withLease } from '../../lib/leases/use.ts';
import type { Deployment } from '../../test/kit/deploy.ts';
import { resultOf } from '../../test/kit/lambda/outcome.ts';
import type { Look } from './array.ts';
import { explain } from './failures.ts';
import type { Screen } from './screen.ts';

export type Functions = ReturnType<typeof functionsOf>;

export function functionsOf({ login, logout, lambdaOf }: Pick<Deployment, 'login' | 'logout' | 'lambdaOf'>) {
  const unclosed = new Set<string>();

  /** Throws the function's error, whose name is the error code. */
  async function openLease(request: OpenRequest): Promise<Lease> {
    unclosed.add(request.leaseId);
    return resultOf<Lease>(await login(request));
  }

  /** Throws the function's error, whose name is the error code. */
  async function closeLease(leaseId: string): Promise<CloseResult> {
    const result = resultOf<CloseResult>(await logout({ leaseId }));
    unclosed.delete(leaseId);
    return result;
  }

  return {
    openLease,
    closeLease,
    /** Kills the login process immediately. */
    killLogin: () => lambdaOf('login').kill('SIGKILL'),
    /** The leases to close at the end. Code that opens or closes leases without these functions must update this set. */
    unclosed,
  };
}

/** Queries the array under a separate lease. If a step fails, that lease stays in `unclosed`. */
export const lookOf =
  ({ openLease, closeLease }: Functions, ports: Ports, request: OpenRequest): Look =>
  async (work) => {
    await openLease(request);
    const seen = await withLease(ports, request.leaseId, work);
    await closeLease(request.leaseId);
    return seen;
  };

const IDLE_TIMEOUT = "If the lease has a session, the array's idle timeout will end that session.";

/** Closes all unclosed leases, no matter how the demonstration ended. Never throws. */
export async function closeRemaining({ closeLease, unclosed }: Functions, { line }: Screen): Promise<void> {
  for (const leaseId of [...unclosed]) {
    try {
      const { outcome } = await closeLease(leaseId);
      line(`Lease ${leaseId}: ${outcome}`);
      if (outcome === 'ENDING' || outcome === 'SUSPECT') line(IDLE_TIMEOUT);
    } catch (error) {
      line(`Lease ${leaseId} WAS NOT CLOSED. ${explain(error)}`, 'red');
      line(IDLE_TIMEOUT);
    }
  }
}
