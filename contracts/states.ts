/** The contract's provider states, with their parameters, their return values, and whether a real array supports them. */

type Definition = {
  /** The names of the parameters that an interaction passes. */
  readonly parameters: readonly string[];
  /** The names of the parameters that an interaction may pass. */
  readonly optional?: readonly string[];
  /** The names of the values that the state's handler must return. Interactions refer to each value as `${name}`. */
  readonly returns: readonly string[];
  /** True if logins and logouts alone can set up this state on a real array, or at least if it may already be in this state. */
  readonly live: boolean;
};

/** `version` is the newest REST version that the array supports. `username` is the session's user. */
const SESSION = ['authToken', 'username', 'version'] as const;
/**
 * `list` is the path of a list after the REST version. `since` is the first REST version that has this list. With only older versions, the
 * client never asks for the list, so interactions in this state are skipped.
 */
const LIST = ['list', 'since'] as const;

export const STATES = {
  'an API token is valid': { parameters: [], optional: ['username'], returns: ['apiToken', 'username'], live: true },
  'the API token is not known': { parameters: [], returns: ['apiToken'], live: true },
  'the array cannot serve requests': { parameters: [], returns: [], live: false },
  'a session is open': { parameters: [], returns: SESSION, live: true },
  'the session has ended': { parameters: [], returns: ['authToken', 'version'], live: true },
  'a session is open, and another session of its user has ended': { parameters: [], returns: SESSION, live: true },
  'a session of a user who may list is open': { parameters: LIST, returns: SESSION, live: true },
  'a session of a user who may not list is open': { parameters: LIST, returns: SESSION, live: true },
  'a session of a user whose API token expires is open': { parameters: LIST, returns: SESSION, live: false },
} as const satisfies Readonly<Record<string, Definition>>;

type States = typeof STATES;
export type State = keyof States;
export type LiveState = { [Name in State]: States[Name]['live'] extends true ? Name : never }[State];
/** The states that concern a list. */
export type ListState = { [Name in State]: States[Name]['parameters'] extends typeof LIST ? Name : never }[State];
export type ListParameters = Readonly<Record<(typeof LIST)[number], string>>;

type Optional<Name extends State> = States[Name] extends {
  readonly optional: readonly (infer Parameter extends string)[];
}
  ? Parameter
  : never;
export type ParametersOf<Name extends State> = Readonly<Record<States[Name]['parameters'][number], string>> &
  Readonly<Partial<Record<Optional<Name>, string>>>;
export type ReturnedBy<Name extends State> = Readonly<Record<States[Name]['returns'][number], string>>;

/** One handler for each of these states. The compiler reports missing handlers. */
export type Handlers<Names extends State> = {
  readonly [Name in Names]: (parameters: ParametersOf<Name>) => Promise<ReturnedBy<Name>>;
};

/** Returns the definition of a state named in a pact file, or undefined if the state is unknown. */
export const definitionOf = (name: string): Definition | undefined =>
  Object.hasOwn(STATES, name) ? STATES[name as State] : undefined;
