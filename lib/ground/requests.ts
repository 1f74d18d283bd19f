/** What callers may ask for, and how it is checked. */
import * as v from 'valibot';
import { arrayName, callersId, check, jsonObject, listOf, nameText, onlyFields, whole } from './check.ts';

/** Seconds that a lease lasts when the caller names no other number. */
export const DEFAULT_LEASE_SECONDS = 900;

const loginRequest = onlyFields({
  array: arrayName,
  leaseId: v.optional(callersId),
  leaseSeconds: v.optional(whole(60, 86_400)),
  owner: v.optional(callersId),
});

const logoutRequest = onlyFields({ leaseId: callersId });
const renewRequest = onlyFields({ leaseId: callersId, expiresAt: whole(1, 9_999_999_999) });

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
type Query = Readonly<Record<string, string | number | boolean>>;
const query = v.pipe(
  jsonObject('must be a JSON object of names and plain values'),
  // First whether there are too many.
  v.check(
    (value) => Object.keys(value).length <= MAX_QUERY_NAMES,
    `must be a JSON object of at most ${MAX_QUERY_NAMES} names`,
  ),
  v.check((value) => !Object.hasOwn(value, '__proto__'), 'must not have the name __proto__'),
  v.rawCheck(({ dataset, addIssue }) => {
    const input = dataset.typed ? dataset.value : {};
    for (const [key, value] of Object.entries(input)) {
      if (['string', 'number', 'boolean'].includes(typeof value)) continue;
      addIssue({
        message: 'must be text, a number or a boolean',
        path: [{ type: 'object', origin: 'value', input, key, value }],
      });
      return;
    }
  }),
  v.transform((value) => value as Query),
);
const callRequest = onlyFields({
  leaseId: callersId,
  method: v.picklist(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], 'must be GET, POST, PUT, PATCH or DELETE'),
  path: nameText('must be a path below /api/, without query, of at most 1024 characters', /^\/api\/[!-~]{1,1019}$/),
  query: v.optional(query),
  body: v.optional(v.unknown()),
});

/** One REST call under a lease. `body` is any JSON value. */
export type CallRequest = {
  readonly leaseId: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
};

/** Checks a request for a call. Throws REQUEST_INVALID. Whether the call is allowed is another question. */
export function parseCallRequest(input: unknown): CallRequest {
  const { query, body, ...call } = check(callRequest, input, 'REQUEST_INVALID', 'call request');
  return { ...call, ...(query === undefined ? {} : { query }), ...(body === undefined ? {} : { body }) };
}

const fleetRule = 'must be a list of 1 to 10000 names of arrays';
const fleetRequest = onlyFields({
  arrays: v.optional(listOf(arrayName, 10_000, fleetRule)),
});

/** Which arrays to check. Default: all that have a secret under the prefix. */
export type FleetRequest = { readonly arrays?: readonly string[] };

/** Checks a request for a check of the fleet. Throws REQUEST_INVALID. */
export function parseFleetRequest(input: unknown): FleetRequest {
  const { arrays } = check(fleetRequest, input, 'REQUEST_INVALID', 'fleet request');
  return arrays === undefined ? {} : { arrays: [...new Set(arrays)] };
}
