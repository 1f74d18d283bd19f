/** Opens a session for some work, renews its lease if asked to, and always closes the session. */
import { CLOSING_MS, seconds } from '../core/deadlines.ts';
import { about, known } from '../core/errors.ts';
import type { Lease } from '../core/model.ts';
import { closeSession } from './close.ts';
import type { Open } from './items.ts';
import { leaseOf, openOrFind } from './open.ts';
import type { Ports } from './ports.ts';
import { renewLease } from './renew.ts';
import type { OpenRequest } from './requests.ts';
import { OPENING_MS, type UseOptions, unlessAborted, type Work, within, withLease } from './use.ts';

export type SessionOptions = UseOptions & {
  /** Renews the lease before it ends, for as long as the work runs. Default: the lease is not renewed. */
  readonly renew?: 'auto' | undefined;
  /** How long `renew` may keep the session, in seconds since it was requested. Default: `maxLeaseSeconds`. */
  readonly maxSeconds?: number | undefined;
};

/** The shortest time between two attempts to renew a lease. */
const RENEW_AGAIN_MS = 5000;

/** Opens a session, runs the work, and closes the session even if the work fails. lib/index.ts documents this function for callers. */
export async function withSession<T>(
  ports: Ports,
  request: OpenRequest,
  work: Work<T>,
  options: SessionOptions = {},
): Promise<T> {
  const { deadline, signal, exactNumbers, renew, maxSeconds } = options;
  const { array, leaseId, leaseSeconds } = request;
  const workDeadline = deadline === undefined ? undefined : deadline - CLOSING_MS;
  const { opened, close } = open(ports, request, within(OPENING_MS, ports, workDeadline), signal);
  const closeNow = (): Promise<void> => close(ports.now() + CLOSING_MS);
  running.add(closeNow);
  try {
    const lease = await opened;
    const renewing =
      renew === 'auto' && renewUntilStopped(ports, lease, { leaseSeconds, maxSeconds, by: workDeadline });
    try {
      return await withLease(ports, leaseId, work, { deadline: workDeadline, signal, exactNumbers, facts: { array } });
    } finally {
      if (renewing) await renewing.stop();
      // Work that has overrun its deadline does not take the time for closing away.
      await close(ports.now() + CLOSING_MS);
    }
  } finally {
    running.delete(closeNow);
  }
}

/**
 * Opens a session. If the signal is aborted meanwhile, closes the session again and then throws the signal's reason. A lease that was already
 * open stays open, because other calls may be using it.
 */
export const openUnlessAborted = async (
  ports: Ports,
  request: OpenRequest,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Lease> => leaseOf(await open(ports, request, deadline, signal).opened);

type Opening = {
  readonly opened: Promise<Open>;
  /** Closes the session by this time, even while it is being opened. Never throws. */
  readonly close: (by: number) => Promise<void>;
};

function open(ports: Ports, request: OpenRequest, deadline: number, signal: AbortSignal | undefined): Opening {
  const { leaseId, array } = request;
  signal?.throwIfAborted();
  const opening = openOrFind(ports, request, deadline);
  const close = async (by: number): Promise<void> => {
    await closeAndReport(ports, request, by);
    // If the session is being opened, our own call logs out as soon as it has logged in, and frees its slot, so wait for it.
    await opening.catch(() => {});
  };
  const opened = unlessAborted(opening, signal).catch(async (error) => {
    if (signal?.aborted) {
      // Another call's lease, or another owner's, is not closed.
      const isOpen = await opening.then(
        ({ isNew }) => isNew,
        () => false,
      );
      if (isOpen) await close(ports.now() + CLOSING_MS);
    }
    throw about(error, { phase: 'open', array, leaseId }, signal);
  });
  return { opened: opened.then(({ lease }) => lease), close };
}

/** Closes the session. Never throws. Each failure is reported as LogoutFailed once: by the logout itself, or here if there was none. */
async function closeAndReport(ports: Ports, { leaseId, array }: OpenRequest, by: number): Promise<void> {
  let isReported = false;
  const report: Ports['report'] = (one) => {
    isReported ||= one.event === 'LogoutFailed';
    ports.report(one);
  };
  const failure = await closeSession({ ...ports, report }, leaseId, by).then(() => undefined, known);
  if (failure === undefined || isReported) return;
  const { code, message } = failure;
  ports.report({ event: 'LogoutFailed', leaseId, array, code, message });
}

/** Renews the lease each time half of its remaining time has passed. `stop` resolves once no renewal is in progress. */
function renewUntilStopped(
  ports: Ports,
  lease: Open,
  options: { leaseSeconds: number; maxSeconds: number | undefined; by: number | undefined },
) {
  const { leaseId, array } = leaseOf(lease);
  const { leaseSeconds, maxSeconds, by } = options;
  const { maxLeaseSeconds } = ports.limits;
  // Counted from the request for the lease, which may be an earlier call's.
  const latest = lease.createdAt + Math.min(maxSeconds ?? maxLeaseSeconds, maxLeaseSeconds);
  const stopped = new AbortController();
  const { signal } = stopped;
  const renewing = (async () => {
    let { expiresAt } = lease;
    while (expiresAt < latest) {
      await ports.wait(Math.max((expiresAt * 1000 - ports.now()) / 2, RENEW_AGAIN_MS), signal);
      const now = seconds(ports.now());
      if (signal.aborted || now >= expiresAt) return;
      const next = Math.min(now + leaseSeconds, latest);
      try {
        await renewLease(ports, { leaseId, expiresAt: next }, within(OPENING_MS, ports, by), { signal });
        expiresAt = next;
      } catch (error) {
        if (signal.aborted) return;
        const { code, message } = known(error);
        ports.report({ event: 'RenewalFailed', leaseId, array, code, message });
      }
    }
  })();
  const stop = (): Promise<void> => {
    stopped.abort();
    return renewing;
  };
  return { stop };
}

/** Functions that close this process's open sessions. Each one is added before its lease is requested, and removed once the lease is closed. */
const running = new Set<() => Promise<void>>();

/** Makes signals close every session that `withSession` has open in this process. lib/index.ts documents this function for callers. */
export function closeOnSignals(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): () => void {
  const undo = (): void => {
    for (const signal of signals) process.off(signal, stop);
  };
  const stop = (signal: NodeJS.Signals): void => {
    undo();
    void Promise.all([...running].map((end) => end())).finally(() => process.kill(process.pid, signal));
  };
  for (const signal of signals) process.on(signal, stop);
  return undo;
}
