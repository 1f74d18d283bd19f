/** Signals that ask us to end: noted, never obeyed in the middle of a step, so that no session is left. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * For NODE_OPTIONS of the functions' processes. A terminal sends Ctrl-C to all processes at once, and a function that dies
 * while it logs in leaves a session whose auth token is lost. One that is only starting still dies: it has begun nothing.
 */
export const DEAF_TO_TERMINAL = `--import=data:text/javascript,${encodeURIComponent(
  "for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {});",
)}`;

export type Interruption = {
  /** Throws once a signal has come. Between two steps. */
  readonly throwIfInterrupted: () => void;
  /** 130 after SIGINT, 143 after SIGTERM; undefined without a signal. */
  readonly exitCode: () => number | undefined;
};

/** Listens from now on. Calls `onSignal` once for each kind of signal: a terminal, npm and our launcher may all send the same one. */
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
