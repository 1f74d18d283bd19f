/** Unseals the auth token for an open lease, and logs in again if the array has dropped the session. */
import { type Deadlines, openingDeadlines, seconds } from '../core/deadlines.ts';
import { FlashBladeError, isFlashBladeError, known } from '../core/errors.ts';
import type { FlashBlade, Session } from '../core/model.ts';
import { trustDigest } from '../flashblade/trust.ts';
import { reportAltered } from './close.ts';
import { type Open, type Opening, type Stored, sealContext } from './items.ts';
import { checkRefusal, leaveNothing, readLease, retryChanged, tooMany } from './ledger.ts';
import { conclude, type Held, logInAndRecord } from './open.ts';
import type { ArraySecret, DataKey, Ports } from './ports.ts';
import { reopen } from './states.ts';

/** The API token is read only for redaction, so a call waits no longer than this for the token. */
const API_TOKEN_MS = 1000;
/** Within this time after a relogin, a refused call means a missing permission, not a lost session. */
const RELOGIN_MS = 60_000;
/** How long a session is considered alive after a successful call. */
const WORKED_MS = 10_000;

/** Reads an open lease and decrypts its auth token. Throws LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED or LEASE_ALTERED. */
export const unsealLease = async (ports: Ports, leaseId: string, by: number): Promise<Held> =>
  unseal(ports, await readOpen(ports, leaseId, by), by);

/** Reads a lease that must be open. Throws LEASE_UNKNOWN, LEASE_OPENING or LEASE_ENDED. */
async function readOpen(ports: Ports, leaseId: string, by: number): Promise<Stored<Open>> {
  const item = await readLease(ports, leaseId, by);
  if (item === undefined) throw unknownLease(leaseId);
  if (item.state === 'OPENING') {
    throw new FlashBladeError('LEASE_OPENING', `lease ${leaseId} is being opened. Try again`);
  }
  if (item.state !== 'OPEN' || item.expiresAt <= seconds(ports.now())) {
    throw new FlashBladeError('LEASE_ENDED', `lease ${leaseId} has ended. Open another session`);
  }
  return item;
}

export const unknownLease = (leaseId: string): FlashBladeError =>
  new FlashBladeError('LEASE_UNKNOWN', `lease ${leaseId} does not exist. Open a session first, or correct the id`);

/** Decrypts the auth token. Also reads the API token, so that it can be redacted from responses. */
async function unseal(ports: Ports, lease: Open, by: number): Promise<Held> {
  const { leaseId, target, username } = lease;
  try {
    const [authToken, secret] = await Promise.all([
      ports.seal.unseal(lease.sealed, sealContext(leaseId, target), by),
      // The secret is usually cached. A session works without the API token.
      ports.secrets.read(target.name, { by: Math.min(by, ports.now() + API_TOKEN_MS) }).catch(() => undefined),
    ]);
    const apiToken = secret && { apiToken: secret.apiToken };
    return { lease, session: { array: target, authToken, ...apiToken, username } };
  } catch (error) {
    if (isFlashBladeError(error, 'LEASE_ALTERED')) reportAltered(ports, lease, error.message);
    throw error;
  }
}

/**
 * Called after the array has refused a call. Returns the session that another call has recorded in the meantime, or logs in again. Returns
 * `held` itself if the session was alive a moment ago, because another login would not help. Throws LEASE_ENDED if the lease is closed,
 * LEASE_OPENING if other calls keep changing the lease, and anything that a login throws.
 */
export async function relogin(ports: Ports, held: Held, deadline: number): Promise<Held> {
  const by = openingDeadlines(deadline, ports.now());
  const { lease, session } = held;
  let ready: { secret: ArraySecret; key: DataKey } | undefined;
  return retryChanged(lease.leaseId, async () => {
    const current = await readOpen(ports, lease.leaseId, by.login);
    if (!isSameTarget(current.target, lease.target)) throw altered(ports, lease);
    // Compare tokens, not attempts, because a failed relogin keeps the previous session's token under a new attempt id.
    if (current.sealed !== lease.sealed) return unseal(ports, current, by.login);
    if (isAlive(held, ports.now())) return held;

    ready ??= await prepare(ports, lease, session, by);
    const opening = await begin(ports, current, by);
    // The lease was renewed or claimed in the meantime, so start over from its current state.
    if (opening === undefined) return undefined;
    const outcome = await logInAndRecord(ports, { opening, key: ready.key }, ready.secret, by);
    return conclude(ports, opening, outcome, by);
  });
}

/** Gets the secret and the key for a login, and ends the previous session, which is still alive if the user merely lacks a permission. */
async function prepare(
  ports: Ports,
  { leaseId, target }: Open,
  session: Session,
  by: Deadlines,
): Promise<{ secret: ArraySecret; key: DataKey }> {
  const secret = await ports.secrets.read(target.name, { by: by.login, fresh: true });
  if (!isSameTarget(secret.array, target)) {
    const message = `lease ${leaseId} lost its session, and the secret now has a different host, port or trust settings. Open another session`;
    throw new FlashBladeError('LEASE_ENDED', message);
  }
  const [key] = await Promise.all([
    ports.seal.dataKey(sealContext(leaseId, target), by.login),
    checkRefusal(ports, secret, by.login),
  ]);
  // Log out last, so that the session ends only if a login may follow.
  await ports.flashblade.logout(session, { deadline: by.login, requestId: ports.newId() });
  return { secret, key };
}

/** Writes the intent and moves the previous session's slot to the new attempt. Returns undefined if the lease has changed. */
async function begin(ports: Ports, current: Stored<Open>, by: Deadlines): Promise<Stored<Opening> | undefined> {
  const { leaseId, target } = current;
  const { openingUntil } = by;
  const attemptId = ports.newId();
  const limit = ports.limits.sessionsPerArray;
  const intent = reopen(current, { attemptId, openingUntil }, seconds(ports.now()));
  try {
    const opening = await ports.store.write(intent, current, by.login);
    if (opening === undefined) return undefined;
    const slot = { attemptId, leaseId, until: openingUntil };
    const hasSlot = await ports.store.moveSlot(target.name, current.attemptId, slot, limit, by.login);
    if (!hasSlot) throw tooMany(target.name, limit);
    return opening;
  } catch (error) {
    await leaveNothing(ports, intent, known(error), by.logout);
    throw error;
  }
}

/** If the session was alive a moment ago, a refusal means that the user is not allowed to make the call. */
function isAlive({ lease: { reloginAt }, workedAt = 0 }: Held, now: number): boolean {
  return reloginAt !== undefined && (now - reloginAt * 1000 < RELOGIN_MS || now - workedAt < WORKED_MS);
}

const isSameTarget = (a: FlashBlade, b: FlashBlade): boolean =>
  a.name === b.name && a.host === b.host && a.port === b.port && trustDigest(a.trust) === trustDigest(b.trust);

function altered(ports: Ports, lease: Open): FlashBladeError {
  const message = `the array, host or trust settings of lease ${lease.leaseId} on array ${lease.target.name} have changed since it was opened. Find out who changed the lease table`;
  reportAltered(ports, lease, message);
  return new FlashBladeError('LEASE_ALTERED', message);
}
