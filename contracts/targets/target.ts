/** A verification target: an array, and the handlers that set up the contract's states on the array. */
import type { FlashBlade } from '../../lib/core/model.ts';
import type { Handlers, ParametersOf, State } from '../states.ts';
import type { OpenSessions } from './open-sessions.ts';

export type Target = {
  readonly array: FlashBlade;
  /** A handler for every state that this target supports. */
  readonly handlers: Partial<Handlers<State>>;
  /** Parameters that replace those in the pact, because a verification cannot choose the user on a real array. */
  readonly parameters: { readonly [Name in State]?: ParametersOf<Name> };
  /** Undoes the previous state's changes, but leaves sessions open. Runs before each state and after the last one. */
  readonly reset: () => Promise<void>;
  readonly sessions: OpenSessions;
  /** Values that must not be printed. `sessions` tracks auth tokens separately. */
  readonly secrets: () => readonly string[];
  /** The maximum number of refused logins. After that many, no more logins are sent. */
  readonly maxRefusedLogins: number;
};
