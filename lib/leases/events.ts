/**
 * The events received from the queue and the events published on the event bus. The code, contracts and infrastructure use these names.
 */
import * as v from 'valibot';
import { FlashBladeError } from '../core/errors.ts';
import { parseJson } from '../core/json.ts';
import type { Lease } from '../core/model.ts';
import { callersId, check, fields, isObject, nameText, onlyFields, storedId } from '../core/validation.ts';
import { EXECUTION_ENDS } from './items.ts';
import { type OpenRequest, parseOpenRequest } from './requests.ts';

/** The `source` of the events that this product publishes. */
export const SOURCE = 'flashblade-sessions';

/** The `detail-type` of every event. The first two types are requests. The other types report outcomes. */
export const DETAIL_TYPES = {
  requested: 'Session Requested',
  released: 'Session Released',
  opened: 'Session Opened',
  closed: 'Session Closed',
  failed: 'Session Failed',
} as const;

/** The event that Step Functions publishes on the account's default event bus when an execution ends. */
export const EXECUTION_SOURCE = 'aws.states';
export const EXECUTION_DETAIL_TYPE = 'Step Functions Execution Status Change';
export { EXECUTION_ENDS };

/** Reports that a session is open. */
export type SessionOpened = Lease & { readonly owner?: string | undefined };
/** Reports that a session has ended. This event is published again if the request to end the session arrives again. */
export type SessionClosed = { readonly leaseId: string; readonly array: string; readonly owner?: string | undefined };
/** Reports that a request failed and is not retried. docs/errors.md lists the codes. */
export type SessionFailed = {
  readonly eventId?: string;
  readonly leaseId?: string;
  readonly array?: string;
  readonly owner?: string | undefined;
  readonly code: string;
  readonly reason: string;
};

export type OutgoingEvent =
  | { readonly type: 'opened'; readonly detail: SessionOpened }
  | { readonly type: 'closed'; readonly detail: SessionClosed }
  | { readonly type: 'failed'; readonly detail: SessionFailed };

/**
 * The request in an event from the queue. `eventId` is absent if the event's id is missing or invalid. `requestedAt` is the event's time in
 * epoch milliseconds, and absent if that time is missing or invalid.
 */
export type IncomingEvent = { readonly eventId?: string } & (
  | { readonly kind: 'open'; readonly request: OpenRequest; readonly requestedAt?: number }
  | { readonly kind: 'close'; readonly leaseId: string }
  | { readonly kind: 'end'; readonly owner: string }
  /** `why` explains why the end of an execution requires no action. Absent if the execution has not ended. */
  | { readonly kind: 'nothing'; readonly why?: string }
);

// Senders do not control the envelope, so each field is checked only where it is used, and unknown fields are ignored.
const envelope = fields({
  id: v.unknown(),
  source: v.unknown(),
  time: v.unknown(),
  'detail-type': v.string('must be a string. The message must be an EventBridge event, with the request in "detail"'),
  detail: v.unknown(),
});
// The limit leaves room for the array name in the default lease id.
const eventId = nameText('must be 1 to 128 visible ASCII characters without spaces', /^[!-~]{1,128}$/);
const identified = fields({ id: eventId });
const released = v.pipe(
  onlyFields({ leaseId: v.optional(callersId), owner: v.optional(callersId) }),
  v.check(
    ({ leaseId, owner }) => (leaseId === undefined) !== (owner === undefined),
    'must have either leaseId or owner',
  ),
);

/** Parses the body of a queue message. Throws REQUEST_INVALID with a message that names the field and the rule, but never a value. */
export function parseEvent(body: string): IncomingEvent {
  const json = parseJson(body);
  if (json === undefined) {
    throw new FlashBladeError('REQUEST_INVALID', 'event: the message must be an EventBridge event in JSON');
  }
  const { id, source, time, 'detail-type': type, detail } = check(envelope, json, 'REQUEST_INVALID', 'event');
  const ids = v.is(eventId, id) ? { eventId: id } : {};
  if (type === DETAIL_TYPES.requested) {
    // A redelivery has the same event id, and therefore the same lease id.
    const defaultId = (array: string): string => `${array}:${check(identified, json, 'REQUEST_INVALID', 'event').id}`;
    const request = parseOpenRequest(detail, defaultId, DETAIL_TYPES.requested);
    const requestedAt = parseTime(time);
    return { ...ids, kind: 'open', request, ...(requestedAt === undefined ? {} : { requestedAt }) };
  }
  if (type === DETAIL_TYPES.released) return { ...ids, ...parseReleased(detail) };
  if (type === EXECUTION_DETAIL_TYPE && source === EXECUTION_SOURCE) return { ...ids, ...parseExecution(detail) };
  throw new FlashBladeError(
    'REQUEST_INVALID',
    'event: this detail-type is not supported. Correct the EventBridge rule that sends events to the queue',
  );
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Parses a time as EventBridge writes it (RFC 3339). Returns undefined for anything else, even if `Date.parse` would accept it. */
function parseTime(time: unknown): number | undefined {
  const ms = typeof time === 'string' && TIME.test(time) ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function parseReleased(detail: unknown): { kind: 'close'; leaseId: string } | { kind: 'end'; owner: string } {
  const { leaseId, owner } = check(released, detail, 'REQUEST_INVALID', DETAIL_TYPES.released);
  return leaseId === undefined ? { kind: 'end', owner: owner as string } : { kind: 'close', leaseId };
}

/** Step Functions reports every execution, most of which own no lease. An execution that cannot own a lease is ignored. */
function parseExecution(detail: unknown): { kind: 'end'; owner: string } | { kind: 'nothing'; why?: string } {
  const { executionArn, status } = isObject(detail) ? detail : {};
  if (!EXECUTION_ENDS.some((end) => end === status)) return { kind: 'nothing' };
  if (v.is(storedId, executionArn)) return { kind: 'end', owner: executionArn };
  return {
    kind: 'nothing',
    why: 'an execution ended, but its ARN is not a valid owner, so the execution owns no lease',
  };
}
