/** The session of an open lease, unsealed; and the one that takes its place when the array has dropped it. */
import { sealContext } from '../edges/seal.ts';
import { FlashBladeError, isFlashBladeError } from '../ground/errors.ts';
import type { Open } from '../ground/lease-items.ts';
import { isDead, reopen } from '../ground/lease-states.ts';
import type { FlashBlade, Session } from '../ground/model.ts';
import { openingDeadlines, seconds } from '../ground/time.ts';
import { trustDigest } from '../ground/trust.ts';
import type { Edges } from './edges.ts';
import { readLease, refuseIfMarked, stamped } from './ledger.ts';
import { loginUnder } from './login-attempt.ts';

/** An API token that is only there to be redacted is not waited for longer. */
const TOKEN_MS = 1000;

export type Held = {
  readonly lease: Open;
  readonly session: Session;
  /** The array has served a call under it. If it has not, a refusal tells nothing that another login could mend. */
  works: boolean;
};

/** Reads an open lease and unseals its session; beside it, the API token, so that it can be redacted. Throws LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED, LEASE_ALTERED. */
export async function hold(edges: Edges, leaseId: string, by: number): Promise<Held> {
  return { ...(await unsealed(edges, await readOpen(edges, leaseId, by), by)), works: true };
}

/**
 * The array refused a call. Takes the session that another call has recorded meanwhile, or logs in again under the lease; answers
 * `held` itself if neither can help. Throws LEASE_ENDED if the lease is closed, and what a login throws.
 */
export async function holdAgain(edges: Edges, held: Held, deadline: number): Promise<Held> {
  const by = openingDeadlines(deadline, edges.now());
  const { lease, session } = held;
  const current = await readOpen(edges, lease.leaseId, by.login);
  if (!sameTarget(current.target, lease.target)) throw altered(edges, lease);
  if (current.attemptId !== lease.attemptId) return { ...(await unsealed(edges, current, by.login)), works: false };
  if (!held.works) return held;

  const secret = await edges.secrets.read(lease.target.name, { by: by.login, fresh: true });
  if (!sameTarget(secret.array, lease.target)) {
    throw ended(lease.leaseId, 'lost its session, and the secret now names another host, port or trust');
  }
  const [key] = await Promise.all([
    edges.seal.dataKey(sealContext(lease.leaseId, lease.target), by.login),
    refuseIfMarked(edges, secret, by.login),
  ]);
  // Only now, when a login may follow; and before it: a 403 may also mean "no permission", and then the session is alive.
  await edges.flashblade.logout(session, { deadline: by.login, requestId: edges.newId() });
  const attempt = { attemptId: edges.newId(), openingUntil: by.openingUntil };
  const opening = stamped(edges, reopen(current, attempt, seconds(edges.now())));
  if (!(await edges.leases.write(opening, current, by.login)))
    throw ended(lease.leaseId, 'was changed by another call');
  const { opened, session: fresh } = await loginUnder(edges, opening, key, secret, by);
  return { lease: opened, session: fresh, works: false };
}

async function readOpen(edges: Edges, leaseId: string, by: number): Promise<Open> {
  const item = await readLease(edges, leaseId, by);
  if (item === undefined) {
    throw new FlashBladeError('LEASE_UNKNOWN', `there is no lease ${leaseId}: open a session first, or correct the id`);
  }
  const now = seconds(edges.now());
  if (item.state === 'OPENING' && isDead(item, now)) throw ended(leaseId, 'died while it was being opened');
  if (item.state === 'OPENING') {
    throw new FlashBladeError('LEASE_OPENING', `lease ${leaseId} is being opened: try again`);
  }
  if (item.state !== 'OPEN' || item.expiresAt <= now) throw ended(leaseId, 'has ended');
  return item;
}

async function unsealed(edges: Edges, lease: Open, by: number): Promise<Pick<Held, 'lease' | 'session'>> {
  const { leaseId, target, username } = lease;
  try {
    const [authToken, known] = await Promise.all([
      edges.seal.unseal(lease.sealed, sealContext(leaseId, target), by),
      apiTokenOf(edges, target.name, Math.min(by, edges.now() + TOKEN_MS)),
    ]);
    return { lease, session: { array: target, authToken, ...known, username } };
  } catch (error) {
    if (isFlashBladeError(error, 'LEASE_ALTERED')) tellAltered(edges, lease, error.message);
    throw error;
  }
}

/** The array may repeat its API token; mostly that is in the cache, and a session works without it. Never throws. */
async function apiTokenOf(edges: Edges, array: string, by: number): Promise<Pick<Session, 'apiToken'>> {
  try {
    const { apiToken } = await edges.secrets.read(array, { by });
    return { apiToken };
  } catch {
    return {};
  }
}

const sameTarget = (a: FlashBlade, b: FlashBlade): boolean =>
  a.name === b.name && a.host === b.host && a.port === b.port && trustDigest(a.trust) === trustDigest(b.trust);

const ended = (leaseId: string, why: string): FlashBladeError =>
  new FlashBladeError('LEASE_ENDED', `lease ${leaseId} ${why}: open another session`);

function altered(edges: Edges, lease: Open): FlashBladeError {
  const { leaseId, target } = lease;
  const message = `lease ${leaseId} of array ${target.name} names another array, host or trust than when it was opened: see who writes to the lease table`;
  tellAltered(edges, lease, message);
  return new FlashBladeError('LEASE_ALTERED', message);
}

const tellAltered = (edges: Edges, { leaseId, target }: Open, message: string): void =>
  edges.report({ event: 'LeaseAltered', leaseId, array: target.name, code: 'LEASE_ALTERED', message });
