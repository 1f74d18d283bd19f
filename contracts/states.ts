/** The provider states of the contract: what each is given, what it gives back, and whether a real array can be put into it. */

type Definition = {
  /** Names of the parameters that an interaction gives. */
  readonly parameters: readonly string[];
  /** Names of the values that whoever arranges the state must give back; interactions use them as `${name}`. */
  readonly returns: readonly string[];
  /** A real array can be brought into it by nothing but its own login and logout. */
  readonly live: boolean;
};

export const STATES = {
  'an API token is valid': { parameters: ['username'], returns: ['apiToken', 'username'], live: true },
  'the API token is not known': { parameters: [], returns: ['apiToken'], live: true },
  'the array cannot serve requests': { parameters: [], returns: [], live: false },
  // `version`: the newest REST version that the array serves. `username`: whose session it is.
  'a session is open': { parameters: [], returns: ['authToken', 'username', 'version'], live: true },
  'the session has ended': { parameters: [], returns: ['authToken', 'version'], live: true },
} as const satisfies Readonly<Record<string, Definition>>;

type States = typeof STATES;
export type State = keyof States;
export type LiveState = { [Name in State]: States[Name]['live'] extends true ? Name : never }[State];

export type ParametersOf<Name extends State> = Readonly<Record<States[Name]['parameters'][number], string>>;
export type ReturnedBy<Name extends State> = Readonly<Record<States[Name]['returns'][number], string>>;

/** One way to arrange each of these states. The compiler misses every state that has none. */
export type Handlers<Names extends State> = {
  readonly [Name in Names]: (parameters: ParametersOf<Name>) => Promise<ReturnedBy<Name>>;
};

/** What the vocabulary says about a name out of a pact file; undefined if it is not in there. */
export const definitionOf = (name: string): Definition | undefined =>
  Object.hasOwn(STATES, name) ? STATES[name as State] : undefined;
