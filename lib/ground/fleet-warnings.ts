/** What will go wrong with an array if nobody does anything. Pure; each answers the warnings, none if all is well. */
import { DEFAULT_LEASE_SECONDS } from './requests.ts';

const CERTIFICATE_WARNING_DAYS = 30;
const API_TOKEN_WARNING_DAYS = 14;

export const certificateWarnings = (days: number): string[] =>
  days < CERTIFICATE_WARNING_DAYS
    ? [
        `its certificate, or that of an authority behind it, ends in ${days} days: renew it; if the secret trusts fingerprints or a private authority, put the next one beside it first`,
      ]
    : [];

export const apiTokenWarnings = (days: number, username: string): string[] =>
  days < API_TOKEN_WARNING_DAYS
    ? [`the API token of user ${username} ends in ${days} days: make a new one and put it into the secret`]
    : [];

/** `idleSeconds`: the array's own time-out, 0 = never; `configured`: what we believe of all arrays (ARRAY_IDLE_SECONDS). */
export function idleWarnings(idleSeconds: number, configured: number): string[] {
  if (idleSeconds === 0) return ['its idle time-out is 0, never: a session that nobody can close would stay; set one'];
  const told = `its idle time-out is ${idleSeconds} s`;
  if (idleSeconds < DEFAULT_LEASE_SECONDS) {
    return [`${told}, shorter than a lease: a session may end before its lease does; set a longer one`];
  }
  if (idleSeconds <= configured) return [];
  return [`${told}, and ARRAY_IDLE_SECONDS is ${configured}: set that to the longest of the fleet`];
}

export const unknownWarnings = (count: number, username: string): string[] =>
  count > 0
    ? [
        `${count} active REST session${count === 1 ? '' : 's'} of user ${username} that the ledger does not know: find out who else uses its API token`,
      ]
    : [];
