/** Prepares pacts of programs that listen to this project's events, so that the events are verified as the functions send them. */
import { DETAIL_TYPES } from '../../lib/leases/events.ts';
import {
  type AnyInteraction,
  type AnyPact,
  type MessageInteraction,
  type MessagePact,
  statesOf,
} from '../pact-file.ts';
import type { OutcomeEvent } from './declare.ts';
import type { MessageProvider } from './verify.ts';

/** The occasions on which an event of each type is sent. */
const OCCASIONS: Readonly<Record<string, readonly OutcomeEvent[]>> = {
  [DETAIL_TYPES.opened]: ['a session was opened'],
  [DETAIL_TYPES.closed]: ['a session was closed by lease id', 'a session was closed because its owner was released'],
  [DETAIL_TYPES.failed]: ['a session could not be opened', 'a message could not be understood'],
};
const ALL = Object.values(OCCASIONS).flat();
const TYPES = Object.keys(OCCASIONS);

export type Listener = {
  /** The pact, with one message for each occasion. */
  readonly pact: MessagePact;
  readonly findings: readonly string[];
  /** Wraps the functions, so that they send a message for each of the pact's descriptions. */
  readonly served: (functions: MessageProvider) => MessageProvider;
};

/**
 * A listener cannot choose when an event is sent. Therefore, each message of the pact is verified on every occasion on which the functions
 * send an event of its detail type, unless its description or its state names one occasion.
 */
export function listenerOf(pact: AnyPact): Listener {
  const occasions = new Map<string, OutcomeEvent>();
  const findings: string[] = [];
  const interactions: MessageInteraction[] = [];
  for (const message of pact.interactions as readonly MessageInteraction[]) {
    const { providerStates: _, providerState: __, ...rest } = message;
    // An invocation names its function, and has one result.
    if (message.type === 'Synchronous/Messages') {
      interactions.push(rest);
      continue;
    }
    const found = occasionsOf(message);
    if (found.length === 0)
      findings.push(
        `"${message.description}" is not an event that the functions send. Set its "detail-type" to one of: ${TYPES.join(' · ')}.`,
      );
    for (const occasion of found) {
      const description = message.description === occasion ? occasion : `${message.description}, when ${occasion}`;
      occasions.set(description, occasion);
      interactions.push({ ...rest, description });
    }
  }
  return {
    pact: { ...pact, interactions },
    findings,
    served: ({ produce, tokens }) => ({
      produce: (description, input) => produce(occasions.get(description) ?? description, input),
      tokens,
    }),
  };
}

function occasionsOf(message: MessageInteraction): readonly OutcomeEvent[] {
  const named = ALL.filter((occasion) => [message.description, ...statesOf(message)].includes(occasion));
  if (named.length > 0) return named;
  const { 'detail-type': type } = Object(message.contents?.content) as { 'detail-type'?: unknown };
  return OCCASIONS[String(type)] ?? [];
}

/** Returns true for an event or an invocation. */
export const isMessage = ({ type, ...rest }: AnyInteraction): boolean =>
  type?.endsWith('/Messages') === true || ('contents' in rest && !('request' in rest));
