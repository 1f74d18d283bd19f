/** What comes out of the queue: EventBridge events, checked. */
import * as v from 'valibot';
import { arrayName, callersId, check, fields, nameText, onlyFields, whole } from './check.ts';
import { FlashBladeError } from './errors.ts';
import { DETAIL_TYPES, EXECUTION_DETAIL_TYPE, EXECUTION_ENDS, EXECUTION_SOURCE } from './event-words.ts';
import { DEFAULT_LEASE_SECONDS, type OpenRequest } from './requests.ts';

// Short enough to be, with an array's name, the id of a lease.
const eventId = nameText('must be 1 to 128 visible ASCII characters without spaces', /^[!-~]{1,128}$/);
const anyText = v.string('must be text');
// AWS adds fields to its envelope as it likes: they are passed over. What is ours is strict.
const envelope = fields({
  id: eventId,
  source: callersId,
  'detail-type': anyText,
  detail: v.optional(v.unknown()),
});
const requested = onlyFields({
  array: arrayName,
  leaseId: v.optional(callersId),
  leaseSeconds: v.optional(whole(60, 86_400)),
  owner: v.optional(callersId),
});
const released = v.pipe(
  onlyFields({ leaseId: v.optional(callersId), owner: v.optional(callersId) }),
  v.check(
    ({ leaseId, owner }) => (leaseId === undefined) !== (owner === undefined),
    'must have either leaseId or owner',
  ),
);
const execution = fields({ executionArn: callersId, status: anyText });

export type IncomingEvent = { readonly eventId: string } & (
  | { readonly kind: 'open'; readonly request: OpenRequest }
  | { readonly kind: 'close'; readonly leaseId: string }
  | { readonly kind: 'end'; readonly owner: string }
  | { readonly kind: 'nothing' }
);

/** Takes a message of the queue apart. Throws REQUEST_INVALID, which names the field and the rule. */
export function parseEvent(body: string): IncomingEvent {
  const { id, source, 'detail-type': type, detail } = check(envelope, parseJson(body), 'REQUEST_INVALID', 'event');
  if (type === DETAIL_TYPES.requested) return { eventId: id, kind: 'open', request: openRequest(detail, id) };
  if (type === DETAIL_TYPES.released) return { eventId: id, ...closeRequest(detail) };
  if (type === EXECUTION_DETAIL_TYPE && source === EXECUTION_SOURCE) return { eventId: id, ...executionEnd(detail) };
  throw new FlashBladeError('REQUEST_INVALID', 'event: detail-type is none that this queue is for: correct the rule');
}

/** Without a lease id, event and array name the lease: a second delivery is the same request. */
function openRequest(detail: unknown, eventId: string): OpenRequest {
  const { array, leaseId, leaseSeconds, owner } = check(requested, detail, 'REQUEST_INVALID', DETAIL_TYPES.requested);
  return {
    array,
    leaseId: leaseId ?? `${array}:${eventId}`,
    leaseSeconds: leaseSeconds ?? DEFAULT_LEASE_SECONDS,
    ...(owner === undefined ? {} : { owner }),
  };
}

function closeRequest(detail: unknown): { kind: 'close'; leaseId: string } | { kind: 'end'; owner: string } {
  const { leaseId, owner } = check(released, detail, 'REQUEST_INVALID', DETAIL_TYPES.released);
  return leaseId === undefined ? { kind: 'end', owner: owner as string } : { kind: 'close', leaseId };
}

function executionEnd(detail: unknown): { kind: 'end'; owner: string } | { kind: 'nothing' } {
  const { executionArn, status } = check(execution, detail, 'REQUEST_INVALID', EXECUTION_DETAIL_TYPE);
  const ended = EXECUTION_ENDS.some((end) => end === status);
  return ended ? { kind: 'end', owner: executionArn } : { kind: 'nothing' };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new FlashBladeError('REQUEST_INVALID', 'event: the message must be a JSON object as EventBridge sends it');
  }
}
