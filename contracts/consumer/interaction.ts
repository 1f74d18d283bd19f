/** Declares interactions. The real client runs each one against Pact's mock server. */
import { MatchersV3, PactV4, type V3MockServer } from '@pact-foundation/pact';
import type { FlashBlade } from '../../lib/core/model.ts';
import { CONSUMER, keyOf, PROVIDER } from '../pact-file.ts';
import type { ParametersOf, ReturnedBy, State } from '../states.ts';
import { declareOnce, outputFolder } from './output.ts';
import { type Step, withArray } from './tls-front.ts';

/** 1 to 1024 visible ASCII characters. Nothing else is known about the token format. */
const TOKEN = '^[!-~]{1,1024}$';

/** The statuses that mean the same to the client. Each interaction accepts all of its statuses, and each is replayed against the client. */
export const REFUSED_LOGIN = [400, 401, 403];
export const BUSY_LOGIN = [429, 503];
export const REFUSED_CALL = [401, 403];

/** Declares an interaction without a state. */
export const interaction = (description: string) => declare(description);

/** Declares an interaction in a state from the vocabulary. */
export const interactionIn = <Name extends State>(state: Name, parameters: ParametersOf<Name>, description: string) =>
  declare(description, state, parameters);

function declare(description: string, state?: State, parameters?: Readonly<Record<string, string>>) {
  declareOnce(keyOf(description, state === undefined ? [] : [state]));
  const pact = new PactV4({
    dir: outputFolder(),
    consumer: CONSUMER,
    provider: PROVIDER,
    logLevel: 'error',
    cors: false,
  });
  const added = pact.addInteraction();
  return (state === undefined ? added : added.given(state, { ...parameters })).uponReceiving(description);
}

/** Text with a value that the state returns. The mock server accepts only the example. An array receives the state's value. */
const filledIn = (name: string, example: string, [before, after] = ['', '']) => ({
  ...MatchersV3.equal(`${before}${example}${after}`),
  'pact:generator:type': 'ProviderState',
  expression: `${before}\${${name}}${after}`,
});

/** A token that the state returns. */
export const tokenFrom = <Name extends State>(_state: Name, name: keyof ReturnedBy<Name> & string, example: string) =>
  filledIn(name, example);

/** A request path with the newest REST version that the array supports. */
export const versionedPath = (rest: string, example: string) => filledIn('version', example, ['/api/', `/${rest}`]);

/** The name of the user whose session is open. */
export const sessionUser = (example: string) => filledIn('username', example);

/** Any well-formed token. */
export const anyToken = (example: string) => MatchersV3.regex(TOKEN, example);

/** A value of the example's type that matches `regex`. A regular expression alone would also accept a value of another type. */
export const typed = <Value>(regex: string, example: Value) => ({
  'pact:matcher:type': [
    { 'pact:matcher:type': typeof example === 'number' ? 'integer' : 'type' },
    { 'pact:matcher:type': 'regex', regex },
  ],
  value: example,
});
/** A time in milliseconds since the epoch, from 2001 to 2286. In seconds, it would have fewer digits. */
export const milliseconds = (example: number) => typed('^[1-9]\\d{12}$', example);

/** The JSON media type, with or without parameters. */
export const JSON_TYPE = { 'Content-Type': MatchersV3.regex('^application/json( *;.*)?$', 'application/json') };

/** Makes Pact check that the body is empty. If you omit the body instead, Pact accepts any body. */
export const NO_BODY = '';

/** Runs `play` against an array that follows the script. Where the script says MOCK, the mock server responds. */
export const withClient =
  (script: readonly Step[], play: (array: FlashBlade) => Promise<void>) =>
  ({ port }: V3MockServer): Promise<void> =>
    withArray(script, play, port);
