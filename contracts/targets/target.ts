/** The target of a verification: an array, and the handlers that bring it into the states of the contract. */
import type { FlashBlade } from '../../lib/core/model.ts';
import type { Handlers, ParametersOf, State } from '../states.ts';
import type { OpenSessions } from './open-sessions.ts';

export type Target = {
  readonly array: FlashBlade;
  /** A handler for every state that this target supports. */
  readonly handlers: Partial<Handlers<State>>;
  /** Parameters that replace the pact's own: on a real array, we cannot choose the user. */
  readonly parameters: { readonly [Name in State]?: ParametersOf<Name> };
  /** Undoes the changes of the last state, except sessions. Runs before each state and after the last one. */
  readonly reset: () => Promise<void>;
  readonly sessions: OpenSessions;
  /** Values that must not be printed, except the auth tokens of sessions. */
  readonly secrets: () => readonly string[];
  /** The maximum number of refused logins. After it, no login is sent. */
  readonly maxRefusedLogins: number;
};
