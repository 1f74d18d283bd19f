/** Closes the sessions of a program that receives SIGINT or SIGTERM. */
import { CLOSING_MS } from '../core/deadlines.ts';
import { closeSession } from './close.ts';
import { bestEffort } from './ledger.ts';
import type { Ports } from './ports.ts';

type Running = { readonly ports: Ports; readonly leaseId: string; readonly opening: Promise<unknown> };

/** The sessions of `withSession` in this process, from before the lease is requested until it is closed. */
const running = new Set<Running>();

/** Registers a session while `work` runs. */
export async function whileRunning<T>(session: Running, work: () => Promise<T>): Promise<T> {
  running.add(session);
  try {
    return await work();
  } finally {
    running.delete(session);
  }
}

/**
 * Makes SIGINT and SIGTERM first close every session that `withSession` has open in this process, then end the process as they would
 * have done. A second signal ends it at once. Call it once, at the start of a program. Lambda functions do not need it: the sweeper closes
 * what they leave open. Returns a function that undoes it.
 *
 * @example
 * closeOnSignals();
 * await withSession('fb1', ({ request }) => request({ method: 'GET', path: '/api/2.15/arrays' }));
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

const end = ({ ports, leaseId, opening }: Running): Promise<void> =>
  bestEffort(ports, 'LogoutFailed', { leaseId }, async () => {
    const { outcome } = await closeSession(ports, leaseId, ports.now() + CLOSING_MS);
    // The call that opens it logs out at once, and that call is ours.
    if (outcome === 'ENDING') await opening.catch(() => {});
  });
