/** An in-memory outbox, and a world in which the queue's function uses it. */
import { dispatch, type Message } from '../../../lib/leases/dispatch.ts';
import type { OutgoingEvent } from '../../../lib/leases/events.ts';
import type { DeadLetter, Outbox } from '../../../lib/leases/ports.ts';
import { hookedOutbox } from './hook.ts';
import { world } from './world.ts';

/** The greatest age of a request, as in a default deployment. */
export const MAX_AGE_SECONDS = 3600;

export function memoryOutbox() {
  const published: OutgoingEvent[] = [];
  const letters: DeadLetter[] = [];
  const outbox: Outbox = {
    emit: async (event) => void published.push(event),
    deadLetter: async (letter) => void letters.push(letter),
  };
  return {
    outbox,
    /** Every event, in order. */
    published,
    letters,
    /** Every event as `type lease`, in order. */
    outcomes: () => published.map(({ type, detail }) => `${type} ${detail.leaseId}`),
  };
}

/** Each `deliver` handles one message. Outbox calls pass through the world's hook, as in `w.once('emit', fail(awsDown))`. */
export function queueWorld() {
  const w = world();
  const box = memoryOutbox();
  const outbox = hookedOutbox(box.outbox, w.hook);
  const deliver = (message: Message) => dispatch(w.ports, outbox, message, MAX_AGE_SECONDS, w.deadline());
  return { w, ...box, deliver };
}
