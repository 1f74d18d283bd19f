/**
 * Provides the functions' messages. Runs the functions' code with in-memory ports and the real outbox, which publishes to an EventBridge
 * stand-in.
 */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createOutbox } from '../../lib/aws/outbox.ts';
import { dispatch, type Message } from '../../lib/leases/dispatch.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { startAws } from '../../test/kit/aws/index.ts';
import { MAX_AGE_SECONDS } from '../../test/kit/memory/memory-outbox.ts';
import { released, requested } from '../../test/kit/memory/messages.ts';
import { API_TOKEN, world } from '../../test/kit/memory/world.ts';
import { invoke } from './invoke.ts';
import type { MessageProvider } from './verify.ts';
import type { OutcomeEvent } from './vocabulary.ts';

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
