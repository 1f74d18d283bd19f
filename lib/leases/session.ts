/** A lease's session on its array: logged in, unsealed, logged out. Every login and logout is reported once. */
import { outOfTime, seconds } from '../core/deadlines.ts';
import { FlashBladeError, isFlashBladeError, known } from '../core/errors.ts';
import type { Session } from '../core/model.ts';
import { type Open, type Opening, type Stored, sealContext } from './items.ts';
import { readLease } from './ledger.ts';
import type { ArraySecret, ClosingPorts, Ports } from './ports.ts';

/** The API token is read for redaction only, so a call does not wait longer for it. */
const API_TOKEN_MS = 1000;

/** An open lease, with its session. */
export type Held = {
  readonly lease: Open;
  readonly session: Session;
  /** When the array last served a call of this process under the session (epoch, ms). */
  workedAt?: number;
};

/** Logs in once, as the attempt of `opening`. Throws what a login throws; nothing is sent after `by`. */
export async function logIn(ports: ClosingPorts, opening: Opening, secret: ArraySecret, by: number): Promise<Session> {
  const { array, apiToken, versionId } = secret;
  const { leaseId, attemptId: requestId } = opening;
  const about = { leaseId, array: array.name, secretVersionId: versionId, requestId };
  const startedAt = ports.now();
  try {
    if (startedAt >= by) throw outOfTime('log in');
    const { data, status } = await ports.flashblade.login(array, apiToken, { deadline: by, requestId });
    const durationMs = ports.now() - startedAt;
    ports.report({ event: 'LoginSucceeded', ...about, status, durationMs, message: 'logged in' });
    return data;
  } catch (error) {
    const { code, message, facts } = known(error);
    const durationMs = ports.now() - startedAt;
    ports.report({ event: 'LoginFailed', ...about, code, status: facts.status, durationMs, message });
    throw known(error);
  }
}

/** Logs out. `session` may throw: that counts as a failed logout. Throws what it or a logout throws. */
export async function logOut(
  ports: ClosingPorts,
  { leaseId, target }: Pick<Open, 'leaseId' | 'target'>,
  session: () => Session,
  by: number,
  why = 'logged out',
): Promise<void> {
  const requestId = ports.newId();
  const about = { leaseId, array: target.name, requestId };
  const startedAt = ports.now();
  try {
    const { status } = await ports.flashblade.logout(session(), { deadline: by, requestId });
    ports.report({ event: 'LogoutSucceeded', ...about, status, durationMs: ports.now() - startedAt, message: why });
  } catch (error) {
    const { code, message, facts } = known(error);
    const durationMs = ports.now() - startedAt;
    ports.report({ event: 'LogoutFailed', ...about, code, status: facts.status, durationMs, message });
    throw known(error);
  }
}

/** Reads an open lease and decrypts its auth token. Throws LEASE_UNKNOWN, LEASE_OPENING, LEASE_ENDED or LEASE_ALTERED. */
export const unsealLease = async (ports: Ports, leaseId: string, by: number): Promise<Held> =>
  unseal(ports, await readOpen(ports, leaseId, by), by);

/** Throws LEASE_UNKNOWN, LEASE_OPENING or LEASE_ENDED. */
export async function readOpen(ports: ClosingPorts, leaseId: string, by: number): Promise<Stored<Open>> {
  const item = await readLease(ports, leaseId, by);
  if (item === undefined) throw unknownLease(leaseId);
  if (item.state === 'OPENING') {
    throw new FlashBladeError('LEASE_OPENING', `lease ${leaseId} is being opened: try again`);
  }
  if (item.state !== 'OPEN' || item.expiresAt <= seconds(ports.now())) {
    throw new FlashBladeError('LEASE_ENDED', `lease ${leaseId} has ended: open another session`);
  }
  return item;
}

export const unknownLease = (leaseId: string): FlashBladeError =>
  new FlashBladeError('LEASE_UNKNOWN', `there is no lease ${leaseId}: open a session first, or correct the id`);

/** Decrypts the auth token. The API token is read beside it, so that responses that repeat it can be redacted. */
export async function unseal(ports: Ports, lease: Open, by: number): Promise<Held> {
  const { leaseId, target, username } = lease;
  try {
    const [authToken, apiToken] = await Promise.all([
      ports.seal.unseal(lease.sealed, sealContext(leaseId, target), by),
      apiTokenOf(ports, target.name, Math.min(by, ports.now() + API_TOKEN_MS)),
    ]);
    return { lease, session: { array: target, authToken, ...apiToken, username } };
  } catch (error) {
    if (isFlashBladeError(error, 'LEASE_ALTERED')) reportAltered(ports, lease, error.message);
    throw error;
  }
}

/** Mostly from the cache. A session works without it, so this never throws. */
async function apiTokenOf(ports: Ports, array: string, by: number): Promise<Pick<Session, 'apiToken'>> {
  try {
    const { apiToken } = await ports.secrets.read(array, { by });
    return { apiToken };
  } catch {
    return {};
  }
}

/** Raises the alarm: the lease table was written by something other than this product. */
export const reportAltered = (
  ports: ClosingPorts,
  { leaseId, target }: Pick<Open, 'leaseId' | 'target'>,
  message: string,
): void => ports.report({ event: 'LeaseAltered', leaseId, array: target.name, code: 'LEASE_ALTERED', message });
