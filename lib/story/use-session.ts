/** Work under a session: opened and always closed, or of a lease that another function opened. */
import { type Answer, type ArrayRequest, tokensOf } from '../edges/flashblade.ts';
import { FlashBladeError, known } from '../ground/errors.ts';
import type { Open } from '../ground/lease-items.ts';
import type { Lease } from '../ground/model.ts';
import { parseLoginRequest } from '../ground/requests.ts';
import { closeSession } from './close-session.ts';
import { type Edges, environmentEdges } from './edges.ts';
import { type Held, hold, holdAgain } from './held-session.ts';
import { leaseOf, openSession } from './open-session.ts';
import { whileRunning } from './signals.ts';

/** What work gets: its lease, and a way to call the array. The auth token stays inside. */
export type Use = {
  readonly lease: Lease;
  /**
   * One REST call under the session. After a 401 or 403 it is sent once more, under a new session of the same lease; a second one is
   * thrown as FORBIDDEN. Every other status is answered as it is.
   */
  request(call: ArrayRequest): Promise<Answer>;
  /** The REST versions that the array serves, as it lists them. Needs no session, and keeps none alive. */
  apiVersions(): Promise<readonly string[]>;
};

type Work<T> = (use: Use) => Promise<T> | T;

export type UseOptions = {
  /** Default: built once from the environment variables (`readConfig`). */
  readonly edges?: Edges;
  /** Every call of the array or of AWS ends before this (epoch, ms). Default: none; each is bounded by itself. */
  readonly deadline?: number;
};

export type SessionOptions = UseOptions & {
  /** Key of idempotency: a lease of this id that is open is used, and closed. Default: a random one. */
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
  const opening = openSession(edges, request, within(OPENING_MS, edges, workDeadline));
  return whileRunning({ edges, leaseId: request.leaseId, opening }, async () => {
    const lease = await opening;
    try {
      const limits = workDeadline === undefined ? {} : { deadline: workDeadline };
      return await withLease(lease.leaseId, work, { edges, ...limits });
    } finally {
      await closeSession(edges, lease.leaseId, within(CLOSING_MS, edges, deadline)).catch((error) => {
        const { code, message } = known(error);
        edges.report({ event: 'LogoutFailed', leaseId: lease.leaseId, array: lease.array, code, message });
      });
    }
  });
}

/**
 * Does work under the session of a lease that another call opened, and leaves it open. Throws LEASE_UNKNOWN, LEASE_OPENING,
 * LEASE_ENDED, LEASE_ALTERED, AWS_UNAVAILABLE, and what the work throws.
 */
export async function withLease<T>(leaseId: string, work: Work<T>, options: UseOptions = {}): Promise<T> {
  const { edges = environmentEdges(), deadline } = options;
  let held = await hold(edges, leaseId, within(OPENING_MS, edges, deadline));
  let renewal: Promise<Held> | undefined;

  async function request(call: ArrayRequest): Promise<Answer> {
    const used = held;
    const answer = await send(used, call);
    if (!isRefusal(answer)) return answer;
    // Calls that were refused at the same time share one login.
    if (held === used) held = await renewed(used, call);
    const second = await send(held, call);
    if (isRefusal(second)) throw forbidden(used.lease, call);
    return second;
  }

  async function renewed(used: Held, call: ArrayRequest): Promise<Held> {
    renewal ??= holdAgain(edges, used, within(OPENING_MS, edges, deadline)).finally(() => {
      renewal = undefined;
    });
    const other = await renewal;
    if (other === used) throw forbidden(used.lease, call);
    return other;
  }

  async function send(by: Held, call: ArrayRequest): Promise<Answer> {
    const limits = deadline === undefined ? {} : { deadline };
    const answer = await edges.flashblade.request(by.session, call, { requestId: edges.newId(), ...limits });
    // What stands before an array answers errors in its name.
    if (answer.status < 300) by.workedAt = edges.now();
    return answer;
  }

  async function apiVersions(): Promise<readonly string[]> {
    const { session } = held;
    const options = {
      requestId: edges.newId(),
      tokens: tokensOf(session),
      ...(deadline === undefined ? {} : { deadline }),
    };
    return (await edges.flashblade.apiVersions(session.array, options)).data;
  }

  return work({ lease: leaseOf(held.lease), request, apiVersions });
}

const within = (ms: number, edges: Edges, deadline = Number.POSITIVE_INFINITY): number =>
  Math.min(edges.now() + ms, deadline);

const isRefusal = ({ status }: Answer): boolean => status === 401 || status === 403;

const forbidden = ({ target, username }: Open, { method, path }: ArrayRequest): FlashBladeError =>
  new FlashBladeError(
    'FORBIDDEN',
    `array ${target.name} refused ${method} ${path} also after a new login: give that user, ${username}, the right to do it, or use another`,
  );
