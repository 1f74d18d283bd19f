/** Extends a lease and keeps its session from reaching the array's idle timeout. */
import { closingDeadlines, seconds } from '../core/deadlines.ts';
import { FlashBladeError } from '../core/errors.ts';
import type { Lease } from '../core/model.ts';
import { compareVersions } from '../flashblade/client.ts';
import type { LeaseItem, Open } from './items.ts';
import { readLease, retryChanged } from './ledger.ts';
import { leaseOf } from './open.ts';
import type { Ports } from './ports.ts';
import type { RenewRequest } from './requests.ts';
import { unknownLease } from './session.ts';
import { renew } from './states.ts';
import { unexpectedStatus, withLease } from './use.ts';

/**
 * Extends a lease to `expiresAt` (epoch seconds), at most MAX_LEASE_SECONDS after the lease was requested. Never shortens a lease. Safe to
 * repeat. `signal` aborts the call to the array. `field` is what the caller calls the end. Throws REQUEST_INVALID, LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED, and anything that a call to the array throws. After any of
 * these errors, the lease is unchanged.
 */
export async function renewLease(
  ports: Ports,
  request: RenewRequest,
  deadline: number,
  signal?: AbortSignal,
  field = 'renew request: expiresAt',
): Promise<Lease> {
  const by = closingDeadlines(deadline, ports.now());
  const { leaseId } = request;
  await keepAlive(ports, renewed(ports, await readLease(ports, leaseId, by.logout), request, field), by.logout, signal);
  return retryChanged(leaseId, async () => {
    const current = await readLease(ports, leaseId, by.record);
    const written = await ports.store.write(renewed(ports, current, request, field), current, by.record);
    return written && leaseOf(written);
  });
}

function renewed(
  ports: Ports,
  current: LeaseItem | undefined,
  { leaseId, expiresAt }: RenewRequest,
  field: string,
): Open {
  if (!current) throw unknownLease(leaseId);
  const { maxLeaseSeconds } = ports.limits;
  const latest = current.createdAt + maxLeaseSeconds;
  if (expiresAt > latest) {
    const rule = `the lease can last until ${new Date(latest * 1000).toISOString()} at most, ${maxLeaseSeconds} seconds after it was requested (MAX_LEASE_SECONDS)`;
    throw new FlashBladeError('REQUEST_INVALID', `${field}: ${rule}. Ask for an earlier end, or open another session.`);
  }
  return renew(current, expiresAt, seconds(ports.now()));
}

/** Makes one cheap call in the session, because every call resets the session's idle timer. */
async function keepAlive(
  ports: Ports,
  { leaseId, target }: Open,
  deadline: number,
  signal?: AbortSignal,
): Promise<void> {
  await withLease(
    ports,
    leaseId,
    // Ask the host for its versions only after unsealing has verified the host.
    async ({ request, apiVersions }) => {
      const newest = (await apiVersions()).toSorted(compareVersions).at(-1);
      const call = { method: 'GET', path: `/api/${newest}/arrays` } as const;
      const { status } = await request(call);
      if (status === 200) return;
      throw unexpectedStatus(
        target.name,
        call,
        status,
        `lease ${leaseId} was not renewed. Try again before the lease ends.`,
      );
    },
    { deadline, signal },
  );
}
