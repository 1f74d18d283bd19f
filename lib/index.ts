/**
 * flashblade-sessions: opens and closes REST sessions on Pure Storage (Everpure) FlashBlade arrays.
 *
 * - One array, no ledger: `login`, `logout`, `apiVersions`, `request`.
 * - A fleet, under leases: `withSession`, `withLease`, `openSession`, `closeSession`.
 *
 * Every error is a `FlashBladeError`; branch on its `code`.
 */

export { closeConnections } from './edges/flashblade/transport.ts';
export {
  type Answer,
  type ArrayRequest,
  apiVersions,
  apiVersionsWithHttpInfo,
  type CallOptions,
  compareVersions,
  login,
  loginWithHttpInfo,
  logout,
  logoutWithHttpInfo,
  request,
  type WithHttpInfo,
} from './edges/flashblade.ts';
export { type Config, readConfig } from './ground/config.ts';
export { ERROR_CODES, type ErrorCode, type ErrorFacts, FlashBladeError, isFlashBladeError } from './ground/errors.ts';
export {
  type ApiToken,
  type AuthToken,
  apiToken,
  type FlashBlade,
  type Lease,
  type Session,
  type Trust,
} from './ground/model.ts';
export type { EventName, Report, Reporter } from './ground/reports.ts';
export type { OpenRequest } from './ground/requests.ts';
export { VERSION } from './ground/version.ts';
export { type CloseOutcome, type CloseResult, closeSession } from './story/close-session.ts';
export { type Edges, edgesOf, environmentEdges } from './story/edges.ts';
export { openSession } from './story/open-session.ts';
export { closeOnSignals } from './story/signals.ts';
export { type SessionOptions, type Use, type UseOptions, withLease, withSession } from './story/use-session.ts';
