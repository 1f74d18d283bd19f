/** The descriptions of all messages in the contract. Declarations and providers use these types. */
import { CONSUMER, nameOf } from '../pact-file.ts';

/** The other participant, which this project also owns: the bus, rules, queue, schedules and workflows. */
export const STACK = 'stack';

/** The pact for events that the stack delivers to session-events. */
export const REQUESTS_PACT = nameOf(CONSUMER, STACK);
/** The pact for events and results that the functions produce. */
export const OUTCOMES_PACT = nameOf(STACK, CONSUMER);

export type RequestEvent =
  | 'a session is requested, by its array alone'
  | 'a session is requested, for an owner and a time'
  | 'a session is released'
  | 'the sessions of an owner are released';

export type OutcomeEvent =
  | 'a session was opened'
  | 'a session was closed by its lease'
  | 'a session was closed with its owner'
  | 'a session could not be opened'
  | 'a message could not be understood';

export type InvokedFunction = 'login' | 'logout' | 'renew' | 'call-array' | 'check-fleet' | 'sweep-sessions';
/** A function and the purpose of the invocation. */
export type Invocation = `${InvokedFunction}: ${string}`;

/** Returns the function named in a description. */
export const functionOf = (description: string): string => description.slice(0, description.indexOf(':'));
