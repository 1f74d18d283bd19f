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

/** Returns the error for an `expiresAt` after `latest` (epoch seconds). */
type TooLate = (latest: number, maxLeaseSeconds: number) => FlashBladeError;

type RenewLeaseOptions = {
  /** Aborts the call to the array. */
  readonly signal?: AbortSignal | undefined;
  /** For callers whose own input is not `expiresAt`, so that the error names what they wrote. */
  readonly tooLate?: TooLate;
};

/**
 * Extends a lease to `expiresAt` (epoch seconds), at most MAX_LEASE_SECONDS after the lease was requested. Never shortens a lease. Safe to
 * repeat. Throws REQUEST_INVALID, LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED, and anything that a call to the array throws. After any of these
 * errors, the lease is unchanged.
 */
export async function renewLease(
  ports: Ports,
  request: RenewRequest,
  deadline: number,
  { signal, tooLate = afterMax }: RenewLeaseOptions = {},
): Promise<Lease> {
  const renewed = (current: LeaseItem | undefined): Open => renewedItem(ports, current, request, tooLate);
  const by = closingDeadlines(deadline, ports.now());
  const { leaseId } = request;
  await keepAlive(ports, renewed(await readLease(ports, leaseId, by.logout)), by.logout, signal);
  return retryChanged(leaseId, async () => {
    const current = await readLease(ports, leaseId, by.record);
    const written = await ports.store.write(renewed(current), current, by.record);
    return written && leaseOf(written);
  });
}

function renewedItem(
  ports: Ports,
  current: LeaseItem | undefined,
  { leaseId, expiresAt }: RenewRequest,
  tooLate: TooLate,
): Open {
  if (!current) throw unknownLease(leaseId);
  const next = renew(current, expiresAt, seconds(ports.now()));
  const { maxLeaseSeconds } = ports.limits;
  const latest = current.createdAt + maxLeaseSeconds;
  if (expiresAt > latest) throw tooLate(latest, maxLeaseSeconds);
  return next;
}

const afterMax: TooLate = (_latest, maxLeaseSeconds) => {
  const rule = `expiresAt must be at most ${maxLeaseSeconds} seconds after the lease was requested (MAX_LEASE_SECONDS)`;
  return new FlashBladeError('REQUEST_INVALID', `renew request: ${rule}`);
};

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
      const response = await request(call);
      if (response.status === 200) return;
      throw unexpectedStatus(
        target.name,
        call,
        response,
        `lease ${leaseId} was not renewed. Try again before the lease ends.`,
      );
    },
    { deadline, signal, facts: { phase: 'renew' } },
  );
}
