/** Handles signals only between steps, so that no session stays open. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * NODE_OPTIONS for the function processes. A terminal sends Ctrl-C to all processes at once, and a function that is killed during a
 * login leaves a session whose auth token is lost. A process that is still starting may be killed, because it has no session yet.
 */
export const IGNORE_TERMINAL_SIGNALS = `--import=data:text/javascript,${encodeURIComponent(
  "for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {});",
)}`;

export type Interruption = {
  /** Throws if a signal has arrived. Call this function between steps. */
  readonly throwIfInterrupted: () => void;
  /** Returns 130 after SIGINT, 143 after SIGTERM, and undefined if no signal has arrived. */
  readonly exitCode: () => number | undefined;
};

/** Starts listening. Calls `onSignal` once per signal name, because the terminal, npm and the launcher may all send the same signal. */
export function listenForSignals(onSignal: (signal: NodeJS.Signals) => void): Interruption {
  let first: NodeJS.Signals | undefined;
  const seen = new Set<NodeJS.Signals>();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      first ??= signal;
      if (!seen.has(signal)) onSignal(signal);
      seen.add(signal);
    });
  }
  return {
    throwIfInterrupted: () => {
      if (first !== undefined) throw new Error(`interrupted by ${first}`);
    },
    exitCode: () => (first === undefined ? undefined : 128 + constants.signals[first]),
  };
}
