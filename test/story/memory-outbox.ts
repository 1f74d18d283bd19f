/** What others are told, in memory, and made to fail on demand. */
import type { DeadLetter, Outbox } from '../../lib/edges/outbox.ts';
import type { OutgoingEvent } from '../../lib/ground/event-words.ts';
import { handleMessage, type Message } from '../../lib/story/session-events.ts';
import { awsDown, world } from './world.ts';

export type MemoryOutbox = ReturnType<typeof memoryOutbox>;

export function memoryOutbox() {
  const told: OutgoingEvent[] = [];
  const letters: DeadLetter[] = [];
  const failing = { emit: 0, deadLetter: 0 };

  async function through(name: keyof typeof failing, act: () => void): Promise<void> {
    failing[name] -= 1;
    if (failing[name] >= 0) throw awsDown();
    act();
  }
  const outbox: Outbox = {
    emit: (event) => through('emit', () => void told.push(event)),
    deadLetter: (letter) => through('deadLetter', () => void letters.push(letter)),
  };
  return {
    outbox,
    told,
    letters,
    /** `type lease` of every event, in order. */
    toldOf: () => told.map(({ type, detail }) => `${type} ${detail.leaseId}`),
    /** The next call of that name fails. */
    failNext: (name: keyof typeof failing): void => {
      failing[name] = 1;
    },
  };
}

/** A world, an outbox, and the function of the queue between them. */
export function office() {
  const w = world();
  const box = memoryOutbox();
  const deliver = (message: Message) => handleMessage(w.edges, box.outbox, message, w.deadline());
  return { w, ...box, deliver };
}
