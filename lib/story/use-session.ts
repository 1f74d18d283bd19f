/** Work under a session: opened and always closed, or of a lease that another function opened. */

import type { Answer, ArrayRequest } from '../edges/flashblade.ts';
import { sealContext } from '../edges/seal.ts';
import { FlashBladeError, known } from '../ground/errors.ts';
import { type Open, reopen } from '../ground/lease-states.ts';
import type { Lease, Session } from '../ground/model.ts';
import { parseLoginRequest } from '../ground/requests.ts';
import { openingDeadlines, seconds } from '../ground/time.ts';
import { trustDigest } from '../ground/trust.ts';
import { closeSession } from './close-session.ts';
import { type Edges, environmentEdges } from './edges.ts';
import { loginUnder, readLease, refuseIfMarked, stamped } from './login-attempt.ts';
import { leaseOf, openSession } from './open-session.ts';

/** What work gets: its lease, and a way to call the array. The auth token stays inside. */
export type Use = {
  readonly lease: Lease;
  /**
   * One REST call under the session. A 401 or 403 logs in again once under the same lease; a second one is thrown as FORBIDDEN.
   * Every other status is answered as it is.
   */
  request(call: ArrayRequest): Promise<Answer>;
};

type Work<T> = (use: Use) => Promise<T> | T;

export type UseOptions = {
  /** Default: built once from the environment variables (`readConfig`). */
  readonly edges?: Edges;
  /** Everything ends before this (epoch, ms). Default: none; each step is bounded by itself. */
  readonly deadline?: number;
};

export type SessionOptions = UseOptions & {
  /** Key of idempotency. Default: a random one. */
  readonly leaseId?: string;
  /** 60 to 86400. Default 900. Work that goes on for longer loses its session. */
  readonly leaseSeconds?: number;
  /** Whose work this is. */
  readonly owner?: string;
};

/** Opening, and logging in again, takes no longer than this; after a crash the intent is dead soon after. */
const OPENING_MS = 30_000;
/** Kept for closing; everything else ends before it. */
const CLOSING_MS = 10_000;

/**
 * Opens a session on an array of the fleet, does the work, and closes the session whatever the work does. A failure to close is
 * reported, never thrown: it must not hide the work's own result or error, and the ledger goes on closing it.
 * Throws what opening throws (FlashBladeError), and what the work throws.
 */
export async function withSession<T>(arrayName: string, work: Work<T>, options: SessionOptions = {}): Promise<T> {
  const { edges = environmentEdges(), deadline, ...fields } = options;
  const request = parseLoginRequest({ array: arrayName, ...fields }, edges.newId());
  const workDeadline = deadline === undefined ? undefined : deadline - CLOSING_MS;
  const lease = await openSession(edges, request, within(OPENING_MS, edges, workDeadline));
  try {
    return await withLease(lease.leaseId, work, {
      edges,
      ...(workDeadline === undefined ? {} : { deadline: workDeadline }),
    });
  } finally {
    await closeSession(edges, lease.leaseId, within(CLOSING_MS, edges, deadline)).catch((error) => {
      const { code, message } = known(error);
      edges.report({ event: 'LogoutFailed', leaseId: lease.leaseId, array: lease.array, code, message });
    });
  }
}

/**
 * Does work under the session of a lease that another call opened, and leaves it open. Throws LEASE_UNKNOWN, LEASE_OPENING,
 * LEASE_ENDED, LEASE_ALTERED, AWS_UNAVAILABLE, and what the work throws.
 */
export async function withLease<T>(leaseId: string, work: Work<T>, options: UseOptions = {}): Promise<T> {
  const { edges = environmentEdges(), deadline } = options;
  const opened = await hold(edges, leaseId, within(OPENING_MS, edges, deadline));
  let again: Promise<Held> | undefined;

  const send = (held: Held, call: ArrayRequest): Promise<Answer> =>
    edges.flashblade.request(held.session, call, {
      requestId: edges.newId(),
      ...(deadline === undefined ? {} : { deadline }),
    });

  async function request(call: ArrayRequest): Promise<Answer> {
    const used = await (again ?? opened);
    const answer = await send(used, call);
    if (!isRefusal(answer)) return answer;
    again ??= holdAgain(edges, opened, within(OPENING_MS, edges, deadline));
    const renewed = await again;
    const second = renewed === used ? answer : await send(renewed, call);
    if (isRefusal(second)) throw forbidden(opened.lease, call);
    return second;
  }

  return work({ lease: leaseOf(opened.lease), request });
}

const within = (ms: number, edges: Edges, deadline = Number.POSITIVE_INFINITY): number =>
  Math.min(edges.now() + ms, deadline);

type Held = { readonly lease: Open; readonly session: Session };

async function hold(edges: Edges, leaseId: string, by: number): Promise<Held> {
  const lease = await readOpen(edges, leaseId, by);
  return { lease, session: await unsealed(edges, lease, by) };
}

async function readOpen(edges: Edges, leaseId: string, by: number): Promise<Open> {
  const item = await readLease(edges, leaseId, by);
  if (item === undefined) {
    throw new FlashBladeError('LEASE_UNKNOWN', `there is no lease ${leaseId}: open a session first, or correct the id`);
  }
  if (item.state === 'OPENING') {
    throw new FlashBladeError('LEASE_OPENING', `lease ${leaseId} is being opened: try again`);
  }
  if (item.state !== 'OPEN' || item.expiresAt <= seconds(edges.now())) throw ended(leaseId, 'has ended');
  return item;
}

async function unsealed(edges: Edges, lease: Open, by: number): Promise<Session> {
  const authToken = await edges.seal.unseal(lease.sealed, sealContext(lease.leaseId, lease.target), by);
  return { array: lease.target, authToken, username: lease.username };
}

/** The array knows the session no more: takes what another call has recorded meanwhile, or logs in again under the lease. */
async function holdAgain(edges: Edges, { lease: used, session }: Held, deadline: number): Promise<Held> {
  const by = openingDeadlines(deadline, edges.now());
  const current = await readOpen(edges, used.leaseId, by.login);
  if (current.attemptId !== used.attemptId)
    return { lease: current, session: await unsealed(edges, current, by.login) };
  const secret = await edges.secrets.read(current.target.name, { by: by.login, fresh: true });
  if (!sameTarget(secret.array, current.target)) {
    throw ended(current.leaseId, 'lost its session, and the secret now names another host, port or trust');
  }
  const [key] = await Promise.all([
    edges.seal.dataKey(sealContext(current.leaseId, current.target), by.login),
    refuseIfMarked(edges, secret, by.login),
    // Logged out first: a 403 may also mean "no permission", and then the session is alive.
    edges.flashblade.logout(session, { deadline: by.login, requestId: edges.newId() }),
  ]);
  const attempt = { attemptId: edges.newId(), openingUntil: by.openingUntil };
  const opening = stamped(edges, reopen(current, attempt));
  if (!(await edges.leases.write(opening, current, by.login)))
    throw ended(current.leaseId, 'was changed by another call');
  const { opened, session: fresh } = await loginUnder(edges, opening, key, secret, by);
  return { lease: opened, session: fresh };
}

const sameTarget = (a: Session['array'], b: Session['array']): boolean =>
  a.host === b.host && a.port === b.port && trustDigest(a.trust) === trustDigest(b.trust);

const isRefusal = ({ status }: Answer): boolean => status === 401 || status === 403;

const ended = (leaseId: string, why: string): FlashBladeError =>
  new FlashBladeError('LEASE_ENDED', `lease ${leaseId} ${why}: open another session`);

const forbidden = ({ target, username }: Open, { method, path }: ArrayRequest): FlashBladeError =>
  new FlashBladeError(
    'FORBIDDEN',
    `array ${target.name} refused ${method} ${path} also after a new login: give that user, ${username}, the right to do it, or use another`,
  );
