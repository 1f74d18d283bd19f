/** Ends the sessions of a program that is told to stop. */
import { known } from '../ground/errors.ts';
import { closeSession } from './close-session.ts';
import type { Edges } from './edges.ts';

type Running = { readonly edges: Edges; readonly leaseId: string; readonly opening: Promise<unknown> };

/** What `withSession` has in hand in this process: from before the lease is asked for until it is closed. */
const running = new Set<Running>();

/** What closing one session may take; an opening that is under way ends by its own time. */
const CLOSING_MS = 10_000;

/** Notes a session for the time of `work`, which gets on with the opening that is under way. */
export async function whileRunning<T>(session: Running, work: () => Promise<T>): Promise<T> {
  running.add(session);
  try {
    return await work();
  } finally {
    running.delete(session);
  }
}

/**
 * After this, SIGINT and SIGTERM first close every session that `withSession` has open in this process, then end it as they would
 * have. A second signal ends it at once. Call it once, at the start of a program; Lambda functions do not need it: what they leave
 * open is known to the ledger. Returns how to undo it.
 */
export function closeOnSignals(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): () => void {
  const undo = (): void => {
    for (const signal of signals) process.off(signal, stop);
  };
  const stop = (signal: NodeJS.Signals): void => {
    undo();
    void Promise.all([...running].map(end)).finally(() => process.kill(process.pid, signal));
  };
  for (const signal of signals) process.on(signal, stop);
  return undo;
}

async function end({ edges, leaseId, opening }: Running): Promise<void> {
  try {
    const { outcome } = await closeSession(edges, leaseId, edges.now() + CLOSING_MS);
    // Whoever opens it logs out at once: that is us.
    if (outcome === 'ENDING') await opening.catch(() => {});
  } catch (error) {
    const { code, message } = known(error);
    edges.report({ event: 'LogoutFailed', leaseId, code, message });
  }
}
