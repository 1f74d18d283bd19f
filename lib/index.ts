/**
 * flashblade-sessions: opens and closes REST sessions on Pure Storage (Everpure) FlashBlade arrays.
 *
 * - A fleet, with the lease ledger of a deployed stack: `createFleet`.
 * - One array, without AWS: `connect`, `login` and `logout`, which `flashblade-sessions/array` also exports.
 *
 * Every error is a `FlashBladeError`. Branch on its `code`.
 */
import './core/node-version.ts';
import { canBeHandled, invalid } from './flashblade/arguments.ts';
import * as sessions from './leases/with-session.ts';

export * from './array.ts';
export type { AwsClients, AwsOptions } from './compose.ts';
export type { EventName, GaugeName, Report } from './core/reports.ts';
export { createFleet, type FleetOptions } from './create-fleet.ts';
export type {
  CloseOptions,
  Fleet,
  FleetLimits,
  FleetSession,
  Lease,
  LeaseOptions,
  MapOptions,
  MapResult,
  OpenLease,
  OpenOptions,
  RenewOptions,
  SessionOptions,
  SessionWork,
} from './fleet-of.ts';
export type { CloseOutcome, CloseResult } from './leases/close.ts';

/**
 * Installs handlers for SIGINT and SIGTERM that close every session that `withSession` and `map` have open in this process, and then end the process as usual. A
 * second signal ends the process at once. Call this once, at the start of a program. Lambda functions do not need it, because the sweeper
 * closes any sessions that they leave open. Returns a function that removes the signal handlers. Throws REQUEST_INVALID.
 *
 * @example
 * closeOnSignals();
 * await createFleet().withSession('fb1', (fb) => fb.get('/arrays'));
 */
export function closeOnSignals(signals?: readonly NodeJS.Signals[]): () => void {
  const isList = Array.isArray(signals) && signals.length > 0 && signals.every(canBeHandled);
  if (signals === undefined || isList) return sessions.closeOnSignals(signals);
  throw invalid('signals', "must be a list of signal names that a program can handle, such as ['SIGINT']");
}
