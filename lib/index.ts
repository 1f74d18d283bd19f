/**
 * flashblade-sessions: opens and closes REST sessions on Pure Storage (Everpure) FlashBlade arrays.
 *
 * - One array, no ledger: `login`, `logout`, `apiVersions`, `request`.
 * - A fleet, under leases: `withSession`, `withLease`, `openSession`, `closeSession`.
 *
 * Every error is a `FlashBladeError`; branch on its `code`.
 */
export { type CloseOutcome, type CloseResult, closeSession } from './close-session.ts';
export { type Config, readConfig } from './config.ts';
export { type Edges, edgesOf, environmentEdges } from './edges.ts';
export { ERROR_CODES, type ErrorCode, type ErrorFacts, FlashBladeError, isFlashBladeError } from './errors.ts';
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
} from './flashblade.ts';
export {
  type ApiToken,
  type AuthToken,
  apiToken,
  type FlashBlade,
  type Lease,
  type Session,
  type Trust,
} from './model.ts';
export { openSession } from './open-session.ts';
export type { EventName, Report, Reporter } from './reports.ts';
export type { OpenRequest } from './requests.ts';
export { closeConnections } from './transport.ts';
export { type SessionOptions, type Use, type UseOptions, withLease, withSession } from './use-session.ts';
export { VERSION } from './version.ts';
