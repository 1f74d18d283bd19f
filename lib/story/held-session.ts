/** The session of an open lease, unsealed; and the one that takes its place when the array has dropped it. */
import { type DataKey, sealContext } from '../edges/seal.ts';
import type { ArraySecret } from '../edges/secrets.ts';
import { FlashBladeError, isFlashBladeError, known } from '../ground/errors.ts';
import type { Open, Opening } from '../ground/lease-items.ts';
import { reopen } from '../ground/lease-states.ts';
import type { FlashBlade, Session } from '../ground/model.ts';
import { type Deadlines, openingDeadlines, seconds } from '../ground/time.ts';
import { trustDigest } from '../ground/trust.ts';
import type { Edges } from './edges.ts';
import { contended, ROUNDS, readLease, refuseIfMarked, settleNothing, stamped, tooMany } from './ledger.ts';
import { loginUnder } from './login-attempt.ts';

/** The API token is only needed for redaction: a call waits no longer for it. */
const TOKEN_MS = 1000;

export type Held = {
  readonly lease: Open;
  readonly session: Session;
  /** When the array last served a call under it, in this process (epoch, ms). */
  workedAt?: number;
};

/** After a relogin, a refusal within this time is a missing permission, not a lost session. */
const RELOGIN_MS = 60_000;
/** A session that served a call this recently is alive. */
const WORKED_MS = 10_000;

/**
 * Reads an open lease and unseals its session; beside it, the API token, so that it can be redacted. Throws LEASE_UNKNOWN,
 * LEASE_OPENING, LEASE_ENDED, LEASE_ALTERED.
 */
export const hold = async (edges: Edges, leaseId: string, by: number): Promise<Held> =>
  unsealed(edges, await readOpen(edges, leaseId, by), by);

/**
 * The array refused a call. Returns the session that another call has recorded meanwhile, or logs in again under the lease. Returns
 * `held` itself if another login cannot help, since the session was alive a moment ago. Throws LEASE_ENDED if the lease is closed,
 * LEASE_OPENING if other calls keep changing it, and whatever a login throws.
 */
export async function holdAgain(edges: Edges, held: Held, deadline: number): Promise<Held> {
  const by = openingDeadlines(deadline, edges.now());
  const { lease, session } = held;
  let ready: { secret: ArraySecret; key: DataKey } | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const current = await readOpen(edges, lease.leaseId, by.login);
    if (!sameTarget(current.target, lease.target)) throw altered(edges, lease);
    // Not by the attempt: a failed relogin leaves the token of the former session under its own attempt.
    if (current.sealed !== lease.sealed) return unsealed(edges, current, by.login);
    if (isProven(held, edges.now())) return held;

    ready ??= await makeReady(edges, lease, session, by);
    const attempt = { attemptId: edges.newId(), openingUntil: by.openingUntil };
    const opening = stamped(edges, reopen(current, attempt, seconds(edges.now())));
    // Renewed meanwhile, or claimed: what it is now decides.
    if (!(await begin(edges, opening, current, by))) continue;
    const { opened, session: fresh } = await loginUnder(edges, opening, ready.key, ready.secret, by);
    return { lease: opened, session: fresh };
  }
  throw contended(lease.leaseId);
}

/** What a login needs beforehand. The old session ends: a refusal may also mean "no permission", and then it is alive. */
async function makeReady(
  edges: Edges,
  { leaseId, target }: Open,
  session: Session,
  by: Deadlines,
): Promise<{ secret: ArraySecret; key: DataKey }> {
  const secret = await edges.secrets.read(target.name, { by: by.login, fresh: true });
  if (!sameTarget(secret.array, target)) {
    throw ended(leaseId, 'lost its session, and the secret now names another host, port or trust');
  }
  const [key] = await Promise.all([
    edges.seal.dataKey(sealContext(leaseId, target), by.login),
    refuseIfMarked(edges, secret, by.login),
  ]);
  // Last: only if a login may follow.
  await edges.flashblade.logout(session, { deadline: by.login, requestId: edges.newId() });
  return { secret, key };
}

/** Writes the intent, and gives it the slot of the session that has ended. False: the lease has changed. */
async function begin(edges: Edges, opening: Opening, current: Open, by: Deadlines): Promise<boolean> {
  const { attemptId, leaseId, target, openingUntil } = opening;
  const limit = edges.limits.sessionsPerArray;
  try {
    if (!(await edges.leases.write(opening, current, by.login))) return false;
    const slot = { attemptId, leaseId, until: openingUntil };
    const moved = await edges.leases.moveSlot(target.name, current.attemptId, slot, limit, by.login);
    if (!moved) throw tooMany(target.name, limit);
    return true;
  } catch (error) {
    await settleNothing(edges, opening, known(error), by.logout);
    throw error;
  }
}

/** After a relogin, a refusal of a session that was alive a moment ago means that the user may not make the call. */
function isProven({ lease: { reloginAt }, workedAt = 0 }: Held, now: number): boolean {
  return reloginAt !== undefined && (now - reloginAt * 1000 < RELOGIN_MS || now - workedAt < WORKED_MS);
}

async function readOpen(edges: Edges, leaseId: string, by: number): Promise<Open> {
  const item = await readLease(edges, leaseId, by);
  if (item === undefined) {
    throw new FlashBladeError('LEASE_UNKNOWN', `there is no lease ${leaseId}: open a session first, or correct the id`);
  }
  const now = seconds(edges.now());
  if (item.state === 'OPENING') {
    throw new FlashBladeError('LEASE_OPENING', `lease ${leaseId} is being opened: try again`);
  }
  if (item.state !== 'OPEN' || item.expiresAt <= now) throw ended(leaseId, 'has ended');
  return item;
}

async function unsealed(edges: Edges, lease: Open, by: number): Promise<Held> {
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
