/** Handles one message from the queue: parse → open a session, close one, or end an owner → publish the outcome. */
import { MARGIN_MS, seconds } from '../core/deadlines.ts';
import { FlashBladeError, isFlashBladeError, known } from '../core/errors.ts';
import type { Lease } from '../core/model.ts';
import { type CloseResult, closeSession } from './close.ts';
import { endOwner } from './end-owner.ts';
import { type IncomingEvent, parseEvent, type SessionFailed } from './events.ts';
import { contended, readLease } from './ledger.ts';
import { leaseOf, openSession } from './open.ts';
import type { Outbox, Ports } from './ports.ts';
import type { OpenRequest } from './requests.ts';

/** Time reserved for publishing the outcome, which is enough to send a failure's event and dead letter. */
const PUBLISH_MS = 4500;

/** A message that still fails after this time raises an alarm. Its last try is half an hour after the first. */
const DELAYED_MS = 900_000;

/** `sentAt`: when the message was put into the queue, in epoch milliseconds, if known. */
export type Message = { readonly messageId: string; readonly body: string; readonly sentAt?: number };

/**
 * Handles the request in a message and publishes the outcome. A permanent failure is published (Session Failed) and recorded as a dead
 * letter, and the message is not redelivered. A retryable failure is thrown, so that the queue redelivers the message. A request for a
 * session that is older than `maxAgeSeconds` opens no session, because its job is unlikely to be waiting. However, if an earlier delivery
 * opened the session, its lease is published again: the job may be using it, or may not know it. Messages may arrive more than once and in
 * any order. Finishes at least half a second before `deadline` (epoch milliseconds).
 */
export async function dispatch(
  ports: Ports,
  outbox: Outbox,
  message: Message,
  maxAgeSeconds: number,
  deadline: number,
): Promise<void> {
  const by: Deadlines = { work: deadline - PUBLISH_MS, publish: deadline - MARGIN_MS };
  let event: IncomingEvent | undefined;
  try {
    event = parseEvent(message.body);
    const tooOld = event.kind === 'open' ? ageFault(event, message, maxAgeSeconds, ports.now()) : undefined;
    await perform(ports, outbox, event, by, tooOld);
  } catch (thrown) {
    const error = known(thrown);
    const { code, message: reason } = error;
    const ids = idsOf(event);
    ports.report({ event: 'MessageFailed', code, ...ids, message: reason });
    if (error.retryable) {
      // Measure the age here, because SQS's own metric leaves out messages that were received three times.
      const isDelayed = ports.now() - (message.sentAt ?? Number.POSITIVE_INFINITY) > DELAYED_MS;
      if (isDelayed) ports.report({ event: 'RequestDelayed', code, ...ids, message: 'still failing after 15 minutes' });
      throw error;
    }
    await outbox.emit({ type: 'failed', detail: { ...ids, code, reason } }, by.publish);
    // No dead letter is needed: there is nothing to correct, and a message that is sent again would be refused again.
    if (error.code === 'REQUEST_EXPIRED') return;
    const { eventId, leaseId } = ids;
    await outbox.deadLetter({ code, reason, messageId: message.messageId, eventId, leaseId }, by.publish);
  }
}

/**
 * Returns REQUEST_EXPIRED if the request is too old. Uses the earlier of the two times, because a sender may set the event's time, and a
 * redrive resets the message's.
 */
function ageFault(
  { requestedAt = Number.POSITIVE_INFINITY }: { readonly requestedAt?: number },
  { sentAt = Number.POSITIVE_INFINITY }: Message,
  maxAgeSeconds: number,
  now: number,
): FlashBladeError | undefined {
  if (now - Math.min(requestedAt, sentAt) <= maxAgeSeconds * 1000) return undefined;
  return new FlashBladeError(
    'REQUEST_EXPIRED',
    `the request is older than ${maxAgeSeconds} seconds (MAX_REQUEST_AGE_SECONDS), so no session was opened. If the session is still needed, send a new event. If the event was new, correct the sender's clock`,
  );
}

type Deadlines = { readonly work: number; readonly publish: number };

async function perform(
  ports: Ports,
  outbox: Outbox,
  event: IncomingEvent,
  by: Deadlines,
  tooOld: FlashBladeError | undefined,
): Promise<void> {
  switch (event.kind) {
    case 'open':
      return open(ports, outbox, event, by, tooOld);
    case 'close':
      return publishClosed(outbox, await closeSession(ports, event.leaseId, by.work), undefined, by);
    case 'end': {
      const { owner } = event;
      // Publish as each lease closes, so that if time runs out, the events for closed leases have already been sent.
      await endOwner(ports, owner, by.work, (result) => publishClosed(outbox, result, owner, by));
      return;
    }
    case 'nothing':
      if (event.why !== undefined) ports.report({ event: 'EventIgnored', eventId: event.eventId, message: event.why });
  }
}

async function open(
  ports: Ports,
  outbox: Outbox,
  { request, ...ids }: { readonly request: OpenRequest; readonly eventId?: string },
  by: Deadlines,
  tooOld: FlashBladeError | undefined,
): Promise<void> {
  const { leaseId, array, owner } = request;
  try {
    const lease = await (tooOld ? openedBefore(ports, request, by.work) : openSession(ports, request, by.work));
    if (lease === undefined) throw tooOld;
    await outbox.emit({ type: 'opened', detail: { ...lease, owner } }, by.publish);
  } catch (error) {
    if (!isFlashBladeError(error, 'LEASE_ENDED')) throw error;
    // Either the lease was released first or the message is a redelivery, so nothing is waiting for the session.
    const { code, message: reason } = error;
    ports.report({ event: 'RequestOutdated', leaseId, array, message: reason });
    // However, if the owner has ended, a requester that reused the owner may be waiting, so publish the failure.
    if (!error.facts.ownerEnded) return;
    await outbox.emit(
      { type: 'failed', detail: { ...eventIdOf(ids), leaseId, array, owner, code, reason } },
      by.publish,
    );
  }
}

/** Returns the request's lease if it is open. Throws LEASE_OPENING if an earlier delivery may still be opening it. */
async function openedBefore(
  ports: Ports,
  { leaseId, array, owner }: OpenRequest,
  by: number,
): Promise<Lease | undefined> {
  const lease = await readLease(ports, leaseId, by);
  if (lease?.state === 'OPENING') throw contended(leaseId);
  if (lease?.state !== 'OPEN' || lease.expiresAt <= seconds(ports.now())) return undefined;
  return lease.target.name === array && lease.owner === owner ? leaseOf(lease) : undefined;
}

/** Publishes Session Closed, even if the session had already ended, because the first event may have been lost. */
async function publishClosed(
  outbox: Outbox,
  { leaseId, array, outcome }: CloseResult,
  owner: string | undefined,
  by: Deadlines,
): Promise<void> {
  const hasEnded = outcome === 'CLOSED' || outcome === 'ALREADY_CLOSED';
  // If there is no array, there was no session, because the lease was released before it was requested.
  if (!hasEnded || array === undefined) return;
  await outbox.emit({ type: 'closed', detail: { leaseId, array, owner } }, by.publish);
}

function idsOf(event: IncomingEvent | undefined): Omit<SessionFailed, 'code' | 'reason'> {
  if (event === undefined) return {};
  const id = eventIdOf(event);
  if (event.kind === 'close') return { ...id, leaseId: event.leaseId };
  if (event.kind === 'end') return { ...id, owner: event.owner };
  if (event.kind === 'nothing') return id;
  const { leaseId, array, owner } = event.request;
  return { ...id, leaseId, array, ...(owner === undefined ? {} : { owner }) };
}

const eventIdOf = ({ eventId }: { readonly eventId?: string }) => (eventId === undefined ? {} : { eventId });
