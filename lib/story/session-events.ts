/** One message of the queue: a session is asked for, released, or its owner has ended; others are told what became of it. */
import type { Outbox } from '../edges/outbox.ts';
import { isFlashBladeError, known } from '../ground/errors.ts';
import { type IncomingEvent, parseEvent } from '../ground/incoming-events.ts';
import { MARGIN_MS } from '../ground/time.ts';
import { type CloseResult, closeSession } from './close-session.ts';
import type { Edges } from './edges.ts';
import { endOwnerOf } from './end-owner.ts';
import { openSession } from './open-session.ts';

/** What telling others takes; everything else ends before it. Both tellings of a fault fit in. */
const TELLING_MS = 4500;

export type Message = { readonly messageId: string; readonly body: string };

/**
 * Does what a message asks for and tells others. A fault that no repetition can mend is told (Session Failed) and laid into the
 * dead-letter queue, and the message counts as done; any other is thrown, and the queue brings the message again. Duplicates and any
 * order are harmless. `deadline` (epoch, ms): ends half a second before it.
 */
export async function handleMessage(edges: Edges, outbox: Outbox, message: Message, deadline: number): Promise<void> {
  let event: IncomingEvent | undefined;
  try {
    event = parseEvent(message.body);
    await handleEvent(edges, outbox, event, deadline);
  } catch (thrown) {
    const error = known(thrown);
    edges.report({ event: 'MessageFailed', code: error.code, ...idsOf(event), message: error.message });
    if (error.retryable) throw error;
    const { code, message: reason } = error;
    const ids = idsOf(event);
    const by = deadline - MARGIN_MS;
    await outbox.emit({ type: 'failed', detail: { ...ids, code, reason } }, by);
    const { eventId, leaseId } = ids;
    const letter = { code, reason, messageId: message.messageId };
    await outbox.deadLetter({ ...letter, ...(eventId ? { eventId } : {}), ...(leaseId ? { leaseId } : {}) }, by);
  }
}

async function handleEvent(edges: Edges, outbox: Outbox, event: IncomingEvent, deadline: number): Promise<void> {
  const workDeadline = deadline - TELLING_MS;
  const by = deadline - MARGIN_MS;
  if (event.kind === 'open') return open(edges, outbox, event, deadline);
  if (event.kind === 'close') return tellClosed(outbox, await closeSession(edges, event.leaseId, workDeadline), {}, by);
  if (event.kind === 'end') {
    const { owner } = event;
    // One by one: if time runs out among many, those that were closed have been told.
    await endOwnerOf(edges, owner, workDeadline, (result) => tellClosed(outbox, result, { owner }, by));
  }
}

async function open(
  edges: Edges,
  outbox: Outbox,
  { request, eventId }: Extract<IncomingEvent, { kind: 'open' }>,
  deadline: number,
): Promise<void> {
  try {
    const lease = await openSession(edges, request, deadline - TELLING_MS);
    const { owner } = request;
    const detail = { ...lease, ...(owner === undefined ? {} : { owner }) };
    await outbox.emit({ type: 'opened', detail }, deadline - MARGIN_MS);
  } catch (error) {
    if (!isFlashBladeError(error, 'LEASE_ENDED')) throw error;
    // Released since, or before it came: a second delivery, or one that came too late. Nobody waits for it.
    const { leaseId, array, owner } = request;
    edges.report({ event: 'RequestOutdated', leaseId, array, message: error.message });
    // An owner that is used again is a mistake of somebody who waits.
    if (!error.facts.ownerEnded) return;
    const { code, message: reason } = error;
    await outbox.emit(
      { type: 'failed', detail: { eventId, leaseId, array, ...(owner === undefined ? {} : { owner }), code, reason } },
      deadline - MARGIN_MS,
    );
  }
}

/** Tells of a session that has ended, also of one that had before: the first telling may have been lost. */
async function tellClosed(
  outbox: Outbox,
  { leaseId, array, outcome }: CloseResult,
  owner: { owner?: string },
  by: number,
): Promise<void> {
  const hasEnded = outcome === 'CLOSED' || outcome === 'ALREADY_CLOSED';
  // Without an array there never was a session: the release came first, and now comes again.
  if (hasEnded && array !== undefined) await outbox.emit({ type: 'closed', detail: { leaseId, array, ...owner } }, by);
}

function idsOf(event: IncomingEvent | undefined): {
  eventId?: string;
  leaseId?: string;
  array?: string;
  owner?: string;
} {
  if (event === undefined) return {};
  const { eventId } = event;
  if (event.kind === 'close') return { eventId, leaseId: event.leaseId };
  if (event.kind === 'end') return { eventId, owner: event.owner };
  if (event.kind === 'nothing') return { eventId };
  const { leaseId, array, owner } = event.request;
  return { eventId, leaseId, array, ...(owner === undefined ? {} : { owner }) };
}
