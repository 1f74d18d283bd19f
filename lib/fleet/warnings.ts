/** What goes wrong with an array unless an operator acts. Each function is pure and returns the warnings, an empty list if all is well. */
import { DEFAULT_LEASE_SECONDS } from '../leases/requests.ts';

const CERTIFICATE_WARNING_DAYS = 30;
const API_TOKEN_WARNING_DAYS = 14;

/** As in `expires in 1 day`. */
const expires = (days: number): string => (days < 0 ? 'has expired' : `expires in ${days} day${days === 1 ? '' : 's'}`);

export const certificateWarnings = (days: number): string[] =>
  days < CERTIFICATE_WARNING_DAYS
    ? [
        `its certificate, or a CA certificate behind it, ${expires(days)}: renew it; if the secret trusts fingerprints or a private CA, add the new one to the secret first`,
      ]
    : [];

export const apiTokenWarnings = (days: number, username: string): string[] =>
  days < API_TOKEN_WARNING_DAYS
    ? [`the API token of user ${username} ${expires(days)}: create a new one and put it into the secret`]
    : [];

/** `idleSeconds`: the array's own idle time-out, 0 = never. `configured`: what we assume of every array (ARRAY_IDLE_SECONDS). */
export function idleWarnings(idleSeconds: number, configured: number): string[] {
  if (idleSeconds === 0) {
    return ['its idle time-out is 0 (never): a session that cannot be closed stays open; set an idle time-out'];
  }
  const fact = `its idle time-out is ${idleSeconds} s`;
  if (idleSeconds < DEFAULT_LEASE_SECONDS) {
    return [`${fact}, shorter than a lease: a session may end before its lease does; set a longer one`];
  }
  if (idleSeconds <= configured) return [];
  return [`${fact}, but ARRAY_IDLE_SECONDS is ${configured}: set ARRAY_IDLE_SECONDS to the longest in the fleet`];
}

export const unknownWarnings = (count: number, username: string): string[] =>
  count > 0
    ? [
        `${count} active REST session${count === 1 ? '' : 's'} of user ${username} ${count === 1 ? 'is' : 'are'} not in the ledger: find out who else uses its API token`,
      ]
    : [];
