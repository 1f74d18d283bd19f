/** The vocabulary of messages, and their declarations. Pact passes each message to its test and, if the test passes, writes the message to the pact file. */
import { MatchersV3, PactV4 } from '@pact-foundation/pact';
import { SOURCE } from '../../lib/leases/events.ts';

import { declareOnce, outputFolder } from '../consumer/output.ts';
import { CONSUMER, keyOf, STACK } from '../pact-file.ts';

// The descriptions of all messages in the contract. Declarations and providers use these types.

export type RequestEvent =
  | 'a session is requested with only an array'
  | 'a session is requested with an owner and a duration'
  | 'a session is released'
  | 'all sessions for an owner are released';

export type OutcomeEvent =
  | 'a session was opened'
  | 'a session was closed by lease id'
  | 'a session was closed because its owner was released'
  | 'a session could not be opened'
  | 'a message could not be understood';

export type InvokedFunction = 'login' | 'logout' | 'renew' | 'call-array' | 'check-fleet' | 'sweep-sessions';
/** An invocation's description: the function's name and the purpose of the invocation. */
export type Invocation = `${InvokedFunction}: ${string}`;

/** A string that matches `regex`. A regular expression alone would also accept a number. */
const text = (regex: string, example: string) => ({
  'pact:matcher:type': [{ 'pact:matcher:type': 'type' }, { 'pact:matcher:type': 'regex', regex }],
  value: example,
});
export const arrayName = (example = 'fb1') => text('^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', example);
/** A lease id, an owner or an event source. */
export const id = (example: string) => text('^[!-~]{1,512}$', example);
export const eventId = (example: string) => text('^[!-~]{1,128}$', example);
export const someText = (example: string) => text('^.+$', example);
export const code = (example: string) => text('^[A-Z]+(_[A-Z]+)+$', example);
export const { integer, equal } = MatchersV3;

const pactBetween = (consumer: string, provider: string, description: string) => {
  declareOnce(keyOf(`${consumer}, ${provider}: ${description}`, []));
  return new PactV4({ dir: outputFolder(), consumer, provider, logLevel: 'error' });
};

/**
 * An event that session-events handles, as it arrives in the queue. Includes all of `detail`, but only the envelope fields
 * that the function reads.
 */
export const requestEvent = (description: RequestEvent, type: string, detail: object) =>
  pactBetween(CONSUMER, STACK, description)
    .addAsynchronousInteraction()
    .expectsToReceive(description, (message) =>
      message.withJSONContent({
        id: eventId('event-7'),
        source: id('com.example.jobs'),
        'detail-type': equal(type),
        detail,
      }),
    );

/** An event that reports an outcome, as subscribers to the bus receive it. */
export const outcomeEvent = (description: OutcomeEvent, type: string, detail: object) =>
  pactBetween(STACK, CONSUMER, description)
    .addAsynchronousInteraction()
    .expectsToReceive(description, (message) =>
      message.withJSONContent({ source: equal(SOURCE), 'detail-type': equal(type), detail }),
    );

/** An invocation with its input and result. `test` receives the example result. */
export const invocation = (description: Invocation, input: object, result: object, test: (result: object) => void) =>
  pactBetween(STACK, CONSUMER, description)
    .addSynchronousInteraction(description)
    // `withJSONContent` does not accept an empty object.
    .withRequest((request) => request.withContent('application/json', Buffer.from(JSON.stringify(input))))
    .withResponse((response) => response.withJSONContent(result))
    .executeTest(async ({ Response: [first] }) => test(JSON.parse(String(first?.content))));
