/** The messages of the contract, by their descriptions: whoever declares, sends or answers one is typed against these. */
import { CONSUMER, nameOf } from '../pact-file.ts';

/** The other end of every message, which this project owns, too: bus, rules and queue, schedules, workflows. */
export const STACK = 'stack';

/** What the stack brings to session-events. */
export const REQUESTS_PACT = nameOf(CONSUMER, STACK);
/** What the stack gets to hear: events that are told, results of the functions that it invokes. */
export const ANSWERS_PACT = nameOf(STACK, CONSUMER);

export type RequestEvent =
  | 'a session is requested, by its array alone'
  | 'a session is requested, for an owner and a time'
  | 'a session is released'
  | 'the sessions of an owner are released';

export type ToldEvent =
  | 'a session was opened'
  | 'a session was closed by its lease'
  | 'a session was closed with its owner'
  | 'a session could not be opened'
  | 'a message could not be understood';

export type InvokedFunction = 'login' | 'logout' | 'renew' | 'call-array' | 'check-fleet' | 'sweep-sessions';
/** The function, and what it is invoked for. */
export type Invocation = `${InvokedFunction}: ${string}`;

/** The function that a description names. */
export const functionOf = (description: string): string => description.slice(0, description.indexOf(':'));
