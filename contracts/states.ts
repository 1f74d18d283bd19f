/** The contract's provider states, with their parameters, their return values, and whether a real array supports them. */

type Definition = {
  /** The names of the parameters that an interaction passes. */
  readonly parameters: readonly string[];
  /** The names of the values that the state's handler must return. Interactions refer to each value as `${name}`. */
  readonly returns: readonly string[];
  /** True if logins and logouts alone can set up this state on a real array. */
  readonly live: boolean;
};

export const STATES = {
  'an API token is valid': { parameters: ['username'], returns: ['apiToken', 'username'], live: true },
  'the API token is not known': { parameters: [], returns: ['apiToken'], live: true },
  'the array cannot serve requests': { parameters: [], returns: [], live: false },
  // `version` is the newest REST version that the array supports. `username` is the session's user.
  'a session is open': { parameters: [], returns: ['authToken', 'username', 'version'], live: true },
  'the session has ended': { parameters: [], returns: ['authToken', 'version'], live: true },
} as const satisfies Readonly<Record<string, Definition>>;

type States = typeof STATES;
export type State = keyof States;
export type LiveState = { [Name in State]: States[Name]['live'] extends true ? Name : never }[State];

export type ParametersOf<Name extends State> = Readonly<Record<States[Name]['parameters'][number], string>>;
export type ReturnedBy<Name extends State> = Readonly<Record<States[Name]['returns'][number], string>>;

/** One handler for each of these states. The compiler reports missing handlers. */
export type Handlers<Names extends State> = {
  readonly [Name in Names]: (parameters: ParametersOf<Name>) => Promise<ReturnedBy<Name>>;
};

/** Returns the definition of a state named in a pact file, or undefined if the state is unknown. */
export const definitionOf = (name: string): Definition | undefined =>
  Object.hasOwn(STATES, name) ? STATES[name as State] : undefined;
