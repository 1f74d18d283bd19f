/** Declares interactions. The real client runs each one against Pact's mock server. */
import { MatchersV3, PactV4, type V3MockServer } from '@pact-foundation/pact';
import type { FlashBlade } from '../../lib/core/model.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { CONSUMER, keyOf, PROVIDER } from '../pact-file.ts';
import type { ParametersOf, ReturnedBy, State } from '../states.ts';
import { declareOnce } from './declared.ts';
import { outputFolder } from './output.ts';
import { startTlsFront } from './tls-front.ts';

/** 1 to 1024 visible ASCII characters. Nothing else is known about the token format. */
const TOKEN = '^[!-~]{1,1024}$';

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

/** A token that the state returns. The consumer test accepts any well-formed token, but the provider receives this exact token. */
export const tokenFrom = <Name extends State>(
  _state: Name,
  name: keyof ReturnedBy<Name> & string,
  example: string,
) => ({
  ...MatchersV3.regex(TOKEN, example),
  'pact:generator:type': 'ProviderState',
  expression: `\${${name}}`,
});

/** A request path with the newest REST version that the array supports in this state. */
export const versionedPath = (rest: string, example: string) => ({
  ...MatchersV3.regex(`^/api/\\d+(\\.\\d+){1,2}/${rest}$`, `/api/${example}/${rest}`),
  'pact:generator:type': 'ProviderState',
  expression: `/api/\${version}/${rest}`,
});

/** The username of the session that is open in this state. */
export const sessionUser = (example: string) => ({
  ...MatchersV3.regex('^.+$', example),
  'pact:generator:type': 'ProviderState',
  expression: `\${username}`,
});

/**
 * The name of a user. Verifiers compare a response with the example, not with a state's value, so a name would bind every provider to it.
 * This project's own verification checks that the name is that of the API token's owner.
 */
export const someName = (example: string) => ({
  'pact:matcher:type': [{ 'pact:matcher:type': 'type' }, { 'pact:matcher:type': 'regex', regex: '^.+$' }],
  value: example,
});

/** Any well-formed token. */
export const anyToken = (example: string) => MatchersV3.regex(TOKEN, example);

/** The JSON media type, with or without parameters. */
export const JSON_TYPE = { 'Content-Type': MatchersV3.regex('^application/json( *;.*)?$', 'application/json') };

/** Makes Pact check that the body is empty. If you omit the body instead, Pact accepts any body. */
export const NO_BODY = '';

/** Runs the real client against the mock server over TLS. The client verifies the certificate, as with any array. */
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
