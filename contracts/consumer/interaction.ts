/** How an interaction is declared: in states of the vocabulary, played by the real client against Pact's mock server. */
import { MatchersV3, PactV4, type V3MockServer } from '@pact-foundation/pact';
import type { FlashBlade } from '../../lib/core/model.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { CONSUMER, keyOf, PROVIDER } from '../pact-file.ts';
import type { ParametersOf, ReturnedBy, State } from '../states.ts';
import { declareOnce } from './declared.ts';
import { outputFolder } from './output.ts';
import { startTlsFront } from './tls-front.ts';

/** 1 to 1024 visible ASCII characters: all that is known of a token's form. */
const TOKEN = '^[!-~]{1,1024}$';

/** An interaction without a state. */
export const interaction = (description: string) => declare(description);

/** An interaction in a state of the vocabulary. */
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

/** A token that the state gives: any well-formed one in the consumer's test, that very one when a provider is verified. */
export const tokenFrom = <Name extends State>(
  _state: Name,
  name: keyof ReturnedBy<Name> & string,
  example: string,
) => ({
  ...MatchersV3.regex(TOKEN, example),
  'pact:generator:type': 'ProviderState',
  expression: `\${${name}}`,
});

/** The path of a call under the newest REST version that the array of the state serves. */
export const versionedPath = (rest: string, example: string) => ({
  ...MatchersV3.regex(`^/api/\\d+(\\.\\d+){1,2}/${rest}$`, `/api/${example}/${rest}`),
  'pact:generator:type': 'ProviderState',
  expression: `/api/\${version}/${rest}`,
});

/** The user whose session the state opened. */
export const sessionUser = (example: string) => ({
  ...MatchersV3.regex('^.+$', example),
  'pact:generator:type': 'ProviderState',
  expression: `\${username}`,
});

/** A text that must equal the one that the state gives. */
export const equalTo = <Name extends State>(_state: Name, name: keyof ReturnedBy<Name> & string, example: string) => ({
  ...MatchersV3.equal(example),
  'pact:generator:type': 'ProviderState',
  expression: `\${${name}}`,
});

/** Any token, and none in particular. */
export const anyToken = (example: string) => MatchersV3.regex(TOKEN, example);

/** JSON, whatever the parameters of its type. */
export const JSON_TYPE = { 'Content-Type': MatchersV3.regex('^application/json( *;.*)?$', 'application/json') };

/** The one form in which Pact checks that there is no body: left out, a body is not looked at. */
export const NO_BODY = '';

/** Lets the real client play against the mock server, over TLS that it verifies, as against any array. */
export const withClient =
  (play: (array: FlashBlade) => Promise<void>) =>
  async ({ port }: V3MockServer): Promise<void> => {
    const front = await startTlsFront(port);
    try {
      await play(front.array);
    } finally {
      closeConnections();
      await front.stop();
    }
  };
