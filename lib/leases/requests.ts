/**
 * The requests that callers may send, and their schemas. Each parser throws REQUEST_INVALID with a message that names the field and the
 * rule, but never a value.
 */
import * as v from 'valibot';
import { FlashBladeError } from '../core/errors.ts';
import {
  arrayName,
  callersId,
  check,
  isObject,
  jsonObject,
  listOf,
  nameText,
  onlyFields,
  whole,
} from '../core/validation.ts';
import type { ArrayRequest } from '../flashblade/client.ts';
import { METHODS } from '../flashblade/http/request.ts';
import { METHOD_RULE, valueFault } from '../flashblade/requests.ts';

/** How long a lease lasts if the request does not specify a duration. */
export const DEFAULT_LEASE_SECONDS = 900;

/**
 * The largest result that a function returns. Step Functions limits a state's data to 256 KiB, which callers also need for their own data.
 */
export const MAX_RESULT_BYTES = 240 * 1024;

/** A request for a session. `leaseId` is the idempotency key, so repeating the request returns the same lease. */
export type OpenRequest = {
  readonly array: string;
  readonly leaseId: string;
  readonly leaseSeconds: number;
  readonly owner?: string;
};

/** Describes events that reach a function by mistake. Each key is a field that only that kind of event has. */
const OTHER_EVENTS: Readonly<Record<string, string>> = {
  key1: "the Lambda console's sample event. Replace it with the function's input",
  'detail-type':
    "an EventBridge event. Give the rule or schedule a constant input, or send a request to the stack's bus",
  Records: 'a batch of messages. Only session-events accepts batches, from its queue',
  requestContext: "an HTTP request. Pass only the function's input",
};

/** Checks a request. For another kind of event, the error names that kind instead of an unknown field. */
function checkRequest<Schema extends v.GenericSchema>(schema: Schema, input: unknown, what: string) {
  if (Array.isArray(input))
    throw new FlashBladeError(
      'REQUEST_INVALID',
      `${what}: must be a JSON object, not a list. EventBridge Pipes sends lists`,
    );
  const kind = isObject(input) && Object.keys(OTHER_EVENTS).find((name) => Object.hasOwn(input, name));
  if (kind) throw new FlashBladeError('REQUEST_INVALID', `${what}: must not be ${OTHER_EVENTS[kind]}`);
  return check(schema, input, 'REQUEST_INVALID', what);
}

const openRequest = onlyFields({
  array: arrayName,
  leaseId: v.optional(callersId),
  leaseSeconds: v.optional(whole(60, 86_400, ' (in seconds, not milliseconds)')),
  owner: v.optional(callersId),
});

/**
 * Parses a request for a session. `defaultLeaseId` provides the lease id if the caller does not. `what` is the request's name in errors.
 */
export function parseOpenRequest(input: unknown, defaultLeaseId: (array: string) => string, what: string): OpenRequest {
  const { array, leaseId, leaseSeconds, owner } = checkRequest(openRequest, input, what);
  return {
    array,
    leaseId: leaseId ?? defaultLeaseId(array),
    leaseSeconds: leaseSeconds ?? DEFAULT_LEASE_SECONDS,
    ...(owner === undefined ? {} : { owner }),
  };
}

/** Parses a `login` request. The default lease id is the invocation id, which stays the same when Lambda retries. */
export const parseLoginRequest = (input: unknown, invocationId: string): OpenRequest =>
  parseOpenRequest(input, () => invocationId, 'login request');

const logoutRequest = onlyFields({ leaseId: callersId });

export const parseLogoutRequest = (input: unknown): { readonly leaseId: string } =>
  checkRequest(logoutRequest, input, 'logout request');

/** A request to renew a lease. `expiresAt` is an absolute time in epoch seconds, so a repeated request changes nothing. */
export type RenewRequest = { readonly leaseId: string; readonly expiresAt: number };

const renewRequest = onlyFields({
  leaseId: callersId,
  expiresAt: whole(1, 9_999_999_999, ' (in seconds since the epoch, not milliseconds)'),
});

export const parseRenewRequest = (input: unknown): RenewRequest => checkRequest(renewRequest, input, 'renew request');

/** One REST call under a lease. `body` is any JSON value. */
export type CallRequest = { readonly leaseId: string } & ArrayRequest;

const MAX_QUERY_NAMES = 100;
type Query = NonNullable<ArrayRequest['query']>;

const query = v.pipe(
  jsonObject('must be a JSON object with string, number or boolean values'),
  // Count the names first, so that a huge object is not searched.
  v.check(
    (value) => Object.keys(value).length <= MAX_QUERY_NAMES,
    `must be a JSON object with at most ${MAX_QUERY_NAMES} parameters`,
  ),
  v.check((value) => !Object.hasOwn(value, '__proto__'), 'must not have the name __proto__'),
  v.rawCheck(({ dataset, addIssue }) => {
    const input = dataset.typed ? dataset.value : {};
    for (const [key, value] of Object.entries(input)) {
      const message = valueFault(value);
      if (message === undefined) continue;
      addIssue({
        message,
        path: [{ type: 'object', origin: 'value', input, key, value }],
      });
      return;
    }
  }),
  v.transform((value) => value as Query),
);
const callRequest = onlyFields({
  leaseId: callersId,
  method: v.picklist(METHODS, METHOD_RULE),
  path: nameText(
    'must be a path of at most 1024 characters that begins with /api/ and has no query',
    /^\/api\/[!-~]{1,1019}$/,
  ),
  query: v.optional(query),
  body: v.optional(v.unknown()),
});

/** Parses a request to call an array. Does not check whether the call is allowed. */
export function parseCallRequest(input: unknown): CallRequest {
  const { query, body, ...call } = checkRequest(callRequest, input, 'call request');
  return { ...call, ...(query === undefined ? {} : { query }), ...(body === undefined ? {} : { body }) };
}

/** A request to check arrays in one invocation. Default: all arrays that have a secret under the prefix. */
export type FleetRequest = { readonly arrays?: readonly string[] };

const MAX_ARRAYS = 10_000;
export const arrayNames = listOf(arrayName, MAX_ARRAYS, `must be a list of 1 to ${MAX_ARRAYS} array names`);
const fleetRequest = onlyFields({ arrays: v.optional(arrayNames) });

/** Parses a request to check the fleet. An array that is named twice is checked only once. */
export function parseFleetRequest(input: unknown): FleetRequest {
  const { arrays } = checkRequest(fleetRequest, input, 'fleet request');
  return arrays === undefined ? {} : { arrays: [...new Set(arrays)] };
}
