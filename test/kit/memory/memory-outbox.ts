/** An outbox in memory that can be made to fail. */
import { dispatch, type Message } from '../../../lib/leases/dispatch.ts';
import type { OutgoingEvent } from '../../../lib/leases/events.ts';
import type { DeadLetter, Outbox } from '../../../lib/leases/ports.ts';
import { awsDown, world } from './world.ts';

export type MemoryOutbox = ReturnType<typeof memoryOutbox>;

export function memoryOutbox() {
  const published: OutgoingEvent[] = [];
  const letters: DeadLetter[] = [];
  const failing = { emit: 0, deadLetter: 0 };

  async function through(name: keyof typeof failing, act: () => void): Promise<void> {
    failing[name] -= 1;
    if (failing[name] >= 0) throw awsDown();
    act();
  }
  const outbox: Outbox = {
    emit: (event) => through('emit', () => void published.push(event)),
    deadLetter: (letter) => through('deadLetter', () => void letters.push(letter)),
  };
  return {
    outbox,
    /** Every event, in order. */
    published,
    letters,
    /** `type lease` of every event, in order. */
    outcomes: () => published.map(({ type, detail }) => `${type} ${detail.leaseId}`),
    /** Makes the next call of that name fail. */
    failNext: (name: keyof typeof failing): void => {
      failing[name] = 1;
    },
  };
}

/** A world and an outbox, with the function of the queue between them. */
export function queueWorld() {
  const w = world();
  const box = memoryOutbox();
  const deliver = (message: Message) => dispatch(w.ports, box.outbox, message, w.deadline());
  return { w, ...box, deliver };
}
