/**
 * Provides the functions' messages. Runs the functions' code with in-memory ports and the real outbox, which publishes to an EventBridge
 * stand-in.
 */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createOutbox } from '../../lib/aws/outbox.ts';
import { VARIABLES } from '../../lib/core/config.ts';
import { checkFleet } from '../../lib/fleet/check.ts';
import { allowedCalls, callArray } from '../../lib/leases/call-array.ts';
import { closeSession } from '../../lib/leases/close.ts';
import { dispatch, type Message } from '../../lib/leases/dispatch.ts';
import { openSession } from '../../lib/leases/open.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { renewLease } from '../../lib/leases/renew.ts';
import {
  parseCallRequest,
  parseFleetRequest,
  parseLoginRequest,
  parseLogoutRequest,
  parseRenewRequest,
} from '../../lib/leases/requests.ts';
import { sweep } from '../../lib/leases/sweep.ts';
import { startAws } from '../../test/kit/aws/index.ts';
import { MAX_AGE_SECONDS } from '../../test/kit/memory/memory-outbox.ts';
import { released, requested } from '../../test/kit/memory/messages.ts';
import { API_TOKEN, world } from '../../test/kit/memory/world.ts';
import { functionOf } from '../pact-file.ts';
import type { InvokedFunction, OutcomeEvent } from './declare.ts';
import type { MessageProvider } from './verify.ts';

const REQUEST = { array: 'fb1', leaseId: 'nightly-7', owner: 'run-7' };

/** The messages that cause each event. The last message triggers the event. */
const LEADING_TO: Readonly<Record<OutcomeEvent, readonly Message[]>> = {
  'a session was opened': [requested(REQUEST)],
  'a session was closed by lease id': [requested(REQUEST), released({ leaseId: REQUEST.leaseId })],
  'a session was closed because its owner was released': [requested(REQUEST), released({ owner: REQUEST.owner })],
  'a session could not be opened': [requested({ ...REQUEST, array: 'fb9' })],
  'a message could not be understood': [requested({})],
};

const isOutcome = (description: string): description is OutcomeEvent => Object.hasOwn(LEADING_TO, description);

/** Produces each message with new ports. Runs until you call `stop`. */
export async function startFunctions(): Promise<MessageProvider & { readonly stop: () => Promise<void> }> {
  const aws = await startAws();
  const { clients, outbox } = outboxTo(aws);
  const tokens: string[] = [API_TOKEN];

  async function publish(ports: Ports, messages: readonly Message[], deadline: number): Promise<unknown> {
    const before = aws.events.sent.length;
    for (const message of messages) await dispatch(ports, outbox, message, MAX_AGE_SECONDS, deadline);
    const published = aws.events.sent.slice(before);
    if (published.length !== messages.length)
      throw new Error(`${published.length} events were published instead of ${messages.length}`);
    const { source, detailType, detail } = published.at(-1) ?? {};
    return { source, 'detail-type': detailType, detail };
  }

  return {
    produce: (description, input) => {
      const { ports, deadline } = world();
      const watched = watching(ports, tokens);
      if (isOutcome(description)) return publish(watched, LEADING_TO[description], deadline());
      return invoke(watched, description, input, deadline());
    },
    tokens: () => tokens,
    stop: async () => {
      for (const client of clients) client.destroy();
      await aws.stop();
    },
  };
}

function outboxTo({ env, credentials, events, sqs }: Awaited<ReturnType<typeof startAws>>) {
  const common = { region: env.AWS_REGION, credentials };
  const eventBridge = new EventBridgeClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE });
  const queues = new SQSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SQS });
  const names = { bus: events.createBus('sessions'), deadLetterQueue: sqs.createQueue('dead-letters') };
  return { clients: [eventBridge, queues], outbox: createOutbox({ eventBridge, sqs: queues }, names) };
}

/** Wraps the ports to record the auth token from every login. */
const watching = (ports: Ports, tokens: string[]): Ports => ({
  ...ports,
  flashblade: {
    ...ports.flashblade,
    login: async (...args) => {
      const response = await ports.flashblade.login(...args);
      tokens.push(response.data.authToken.reveal());
      return response;
    },
  },
});

// The invocable functions, as in functions/ but without the Lambda handlers.

type Work = (ports: Ports, input: unknown, deadline: number) => Promise<unknown>;

const FUNCTIONS: Readonly<Record<InvokedFunction, Work>> = {
  login: (ports, input, deadline) => openSession(ports, parseLoginRequest(input, 'invocation-7'), deadline),
  logout: (ports, input, deadline) => closeSession(ports, parseLogoutRequest(input).leaseId, deadline),
  renew: (ports, input, deadline) => renewLease(ports, parseRenewRequest(input), deadline),
  'call-array': (ports, input, deadline) =>
    callArray(ports, allowedCalls(VARIABLES.ALLOWED_CALLS.default), parseCallRequest(input), deadline),
  'check-fleet': (ports, input, deadline) => checkFleet(ports, parseFleetRequest(input), deadline),
  'sweep-sessions': (ports, _input, deadline) => sweep(ports, deadline),
};

const isInvoked = (name: string): name is InvokedFunction => Object.hasOwn(FUNCTIONS, name);

/**
 * Runs the function named in `description` and returns its result. For functions other than login, first opens the lease named in the
 * input.
 */
async function invoke(ports: Ports, description: string, input: unknown, deadline: number): Promise<unknown> {
  const name = functionOf(description);
  if (!isInvoked(name))
    throw new Error(`no function handles "${description}". Add the function to contracts/messages/declare.ts.`);
  const { leaseId }: { leaseId?: unknown } = Object(input);
  if (name !== 'login' && typeof leaseId === 'string')
    await openSession(ports, { array: 'fb1', leaseId, leaseSeconds: 900 }, deadline);
  return FUNCTIONS[name](ports, input, deadline);
}
