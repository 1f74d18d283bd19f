/** What others are told, in memory, and made to fail on demand. */
import type { DeadLetter, Outbox } from '../../lib/edges/outbox.ts';
import {
  DETAIL_TYPES,
  EXECUTION_DETAIL_TYPE,
  EXECUTION_SOURCE,
  type OutgoingEvent,
} from '../../lib/ground/event-words.ts';
import { awsDown } from './world.ts';

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

/** A message as it is in the queue. Equal arguments are a second delivery of the same event. */
export const messageOf = (type: string, detail: unknown, eventId = 'event-1', source = 'com.example.jobs') => ({
  messageId: `message-of-${eventId}`,
  body: JSON.stringify({ version: '0', id: eventId, source, 'detail-type': type, detail }),
});
export const requested = (detail: unknown, eventId?: string) => messageOf(DETAIL_TYPES.requested, detail, eventId);
export const released = (detail: unknown, eventId?: string) => messageOf(DETAIL_TYPES.released, detail, eventId);
export const executionEnded = (executionArn: string, status = 'SUCCEEDED', eventId?: string) =>
  messageOf(EXECUTION_DETAIL_TYPE, { executionArn, status }, eventId, EXECUTION_SOURCE);
