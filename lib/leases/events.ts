/**
 * The events received from the queue and the events published on the event bus. The code, contracts and infrastructure use these names.
 */
import * as v from 'valibot';
import { FlashBladeError } from '../core/errors.ts';
import type { Lease } from '../core/model.ts';
import { callersId, check, fields, nameText, onlyFields, parseJson } from '../core/validation.ts';
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
export const EXECUTION_ENDS = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;

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

/** The request in an event from the queue. */
export type IncomingEvent = { readonly eventId: string } & (
  | { readonly kind: 'open'; readonly request: OpenRequest }
  | { readonly kind: 'close'; readonly leaseId: string }
  | { readonly kind: 'end'; readonly owner: string }
  | { readonly kind: 'nothing' }
);

const anyText = v.string('must be a string');
// AWS may add fields to its envelope, so unknown fields are ignored. Our own events must not have unknown fields.
const envelope = fields({
  // Short enough that the array name and the event id together fit in a lease id.
  id: nameText('must be 1 to 128 visible ASCII characters without spaces', /^[!-~]{1,128}$/),
  source: callersId,
  'detail-type': anyText,
  detail: v.optional(v.unknown()),
});
const released = v.pipe(
  onlyFields({ leaseId: v.optional(callersId), owner: v.optional(callersId) }),
  v.check(
    ({ leaseId, owner }) => (leaseId === undefined) !== (owner === undefined),
    'must have either leaseId or owner',
  ),
);
const execution = fields({ executionArn: callersId, status: anyText });

/** Parses the body of a queue message. Throws REQUEST_INVALID with a message that names the field and the rule, but never a value. */
export function parseEvent(body: string): IncomingEvent {
  const json = parseJson(body);
  if (json === undefined) {
    throw new FlashBladeError('REQUEST_INVALID', 'event: the message must be an EventBridge event in JSON');
  }
  const { id, source, 'detail-type': type, detail } = check(envelope, json, 'REQUEST_INVALID', 'event');
  if (type === DETAIL_TYPES.requested) {
    // A redelivery has the same event id, and therefore the same lease id.
    const request = parseOpenRequest(detail, (array) => `${array}:${id}`, DETAIL_TYPES.requested);
    return { eventId: id, kind: 'open', request };
  }
  if (type === DETAIL_TYPES.released) return { eventId: id, ...parseReleased(detail) };
  if (type === EXECUTION_DETAIL_TYPE && source === EXECUTION_SOURCE) return { eventId: id, ...parseExecution(detail) };
  throw new FlashBladeError(
    'REQUEST_INVALID',
    'event: this detail-type is not supported. Correct the EventBridge rule that sends events to the queue',
  );
}

function parseReleased(detail: unknown): { kind: 'close'; leaseId: string } | { kind: 'end'; owner: string } {
  const { leaseId, owner } = check(released, detail, 'REQUEST_INVALID', DETAIL_TYPES.released);
  return leaseId === undefined ? { kind: 'end', owner: owner as string } : { kind: 'close', leaseId };
}

function parseExecution(detail: unknown): { kind: 'end'; owner: string } | { kind: 'nothing' } {
  const { executionArn, status } = check(execution, detail, 'REQUEST_INVALID', EXECUTION_DETAIL_TYPE);
  const hasEnded = EXECUTION_ENDS.some((end) => end === status);
  return hasEnded ? { kind: 'end', owner: executionArn } : { kind: 'nothing' };
}
