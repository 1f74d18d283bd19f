/** The descriptions of all messages in the contract. Declarations and providers use these types. */
import { CONSUMER, nameOf } from '../pact-file.ts';

/** The other participant, which this project also owns: the bus, rules, queue, schedules and workflows. */
export const STACK = 'stack';

/** The pact for events that the stack delivers to session-events. */
export const REQUESTS_PACT = nameOf(CONSUMER, STACK);
/** The pact for events and results that the functions produce. */
export const OUTCOMES_PACT = nameOf(STACK, CONSUMER);

export type RequestEvent =
  | 'a session is requested with only an array'
  | 'a session is requested with an owner and a duration'
  | 'a session is released'
  | 'all sessions for an owner are released';

export type OutcomeEvent =
  | 'a session was opened'
  | 'a session was closed by lease id'
  | 'a session was closed because its owner was released'
  | 'a session could not be opened'
  | 'a message could not be understood';

export type InvokedFunction = 'login' | 'logout' | 'renew' | 'call-array' | 'check-fleet' | 'sweep-sessions';
/** An invocation's description: the function's name and the purpose of the invocation. */
export type Invocation = `${InvokedFunction}: ${string}`;

/** Returns the function named in a description. */
export const functionOf = (description: string): string => description.slice(0, description.indexOf(':'));
