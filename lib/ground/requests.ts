/** What callers may ask for, and how it is checked. */
import * as z from 'zod/mini';
import { arrayName, callersId, check, text, whole } from './check.ts';

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

const MAX_QUERY_NAMES = 100;
const scalar = z.union([z.string(), z.number(), z.boolean()], { error: 'must be text, a number or a boolean' });
// Not those of an array: a long one has so many that they do not fit into memory.
const namesOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
// First whether there are too many: a fault is kept for each that is wrong.
const query = z.pipe(
  z.unknown().check(
    z.refine((value) => namesOf(value).length <= MAX_QUERY_NAMES, {
      error: `must be a JSON object of at most ${MAX_QUERY_NAMES} names`,
    }),
    // A record would pass over it in silence.
    z.refine((value) => !namesOf(value).includes('__proto__'), { error: 'must not have the name __proto__' }),
  ),
  z.record(z.string(), scalar, { error: 'must be a JSON object of names and plain values' }),
);
const callRequest = z.strictObject({
  leaseId: callersId,
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], { error: 'must be GET, POST, PUT, PATCH or DELETE' }),
  path: text('must be a path below /api/, without query, of at most 1024 characters', /^\/api\/[!-~]{1,1019}$/),
  query: z.optional(query),
  body: z.optional(z.unknown()),
});

/** One REST call under a lease. `body` is any JSON value. */
export type CallRequest = {
  readonly leaseId: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
};

/** Checks a request for a call. Throws REQUEST_INVALID. Whether the call is allowed is another question. */
export function parseCallRequest(input: unknown): CallRequest {
  const { query, body, ...call } = check(callRequest, input, 'REQUEST_INVALID', 'call request');
  return { ...call, ...(query === undefined ? {} : { query }), ...(body === undefined ? {} : { body }) };
}

const fleetRule = 'must be a list of 1 to 10000 names of arrays';
const fleetRequest = z.strictObject({
  arrays: z.optional(
    z.pipe(z.array(z.unknown(), { error: fleetRule }).check(z.minLength(1), z.maxLength(10_000)), z.array(arrayName)),
  ),
});

/** Which arrays to check. Default: all that have a secret under the prefix. */
export type FleetRequest = { readonly arrays?: readonly string[] };

/** Checks a request for a check of the fleet. Throws REQUEST_INVALID. */
export function parseFleetRequest(input: unknown): FleetRequest {
  const { arrays } = check(fleetRequest, input, 'REQUEST_INVALID', 'fleet request');
  return arrays === undefined ? {} : { arrays: [...new Set(arrays)] };
}
