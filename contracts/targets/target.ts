/** What a verification runs against: one array, and the ways to bring it into the states of the contract. */
import type { FlashBlade } from '../../lib/core/model.ts';
import type { Handlers, ParametersOf, State } from '../states.ts';
import type { OpenSessions } from './open-sessions.ts';

export type Target = {
  readonly array: FlashBlade;
  /** Every state that this target can be brought into. */
  readonly handlers: Partial<Handlers<State>>;
  /** Parameters that this target wants in the place of those in the pact: a real array has no user of our choice. */
  readonly parameters: { readonly [Name in State]?: ParametersOf<Name> };
  /** Undoes what the last state changed, sessions aside. Before each state and after the last one. */
  readonly reset: () => Promise<void>;
  readonly sessions: OpenSessions;
  /** Values that must not be printed, those of sessions aside. */
  readonly secrets: () => readonly string[];
  /** So many logins may be refused; after that none is sent any more. */
  readonly maxRefusedLogins: number;
};
