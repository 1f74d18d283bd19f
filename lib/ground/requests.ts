/** What callers may ask for, and how it is checked. */
import * as z from 'zod/mini';
import { arrayName, callersId, check, whole } from './check.ts';

/** Seconds that a lease lasts when the caller names no other number. */
export const DEFAULT_LEASE_SECONDS = 900;

const loginRequest = z.strictObject({
  array: arrayName,
  leaseId: z.optional(callersId),
  leaseSeconds: z.optional(whole(60, 86_400)),
  owner: z.optional(callersId),
});

const logoutRequest = z.strictObject({ leaseId: callersId });
const renewRequest = z.strictObject({ leaseId: callersId, expiresAt: whole(1, 9_999_999_999) });

/** `leaseId` is the key of idempotency: the same request again answers the same lease. */
export type OpenRequest = {
  readonly array: string;
  readonly leaseId: string;
  readonly leaseSeconds: number;
  readonly owner?: string;
};

/** Checks a request for a session. `invocationId` serves as lease id where the caller gives none. Throws REQUEST_INVALID. */
export function parseLoginRequest(input: unknown, invocationId: string): OpenRequest {
  const { array, leaseId, leaseSeconds, owner } = check(loginRequest, input, 'REQUEST_INVALID', 'login request');
  return {
    array,
    leaseId: leaseId ?? invocationId,
    leaseSeconds: leaseSeconds ?? DEFAULT_LEASE_SECONDS,
    ...(owner === undefined ? {} : { owner }),
  };
}

/** Checks a request to close a lease. Throws REQUEST_INVALID. */
export const parseLogoutRequest = (input: unknown): { readonly leaseId: string } =>
  check(logoutRequest, input, 'REQUEST_INVALID', 'logout request');

/** `expiresAt` in seconds since the epoch: absolute, so that a repetition changes nothing. */
export type RenewRequest = { readonly leaseId: string; readonly expiresAt: number };

/** Checks a request to renew a lease. Throws REQUEST_INVALID. */
export const parseRenewRequest = (input: unknown): RenewRequest =>
  check(renewRequest, input, 'REQUEST_INVALID', 'renew request');
