/** The functions' side of the messages: their code over a world in memory, telling EventBridge's stand-in by the real outbox. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createOutbox } from '../../lib/aws/outbox.ts';
import { dispatch, type Message } from '../../lib/leases/dispatch.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { startAws } from '../../test/kit/aws/index.ts';
import { released, requested } from '../../test/kit/memory/messages.ts';
import { API_TOKEN, world } from '../../test/kit/memory/world.ts';
import { invoke } from './invoke.ts';
import type { MessageProvider } from './verify.ts';
import type { ToldEvent } from './vocabulary.ts';

const REQUEST = { array: 'fb1', leaseId: 'nightly-7', owner: 'run-7' };

/** The messages after the last of which an event is told. */
const LEADING_TO: Readonly<Record<ToldEvent, readonly Message[]>> = {
  'a session was opened': [requested(REQUEST)],
  'a session was closed by its lease': [requested(REQUEST), released({ leaseId: REQUEST.leaseId })],
  'a session was closed with its owner': [requested(REQUEST), released({ owner: REQUEST.owner })],
  'a session could not be opened': [requested({ ...REQUEST, array: 'fb9' })],
  'a message could not be understood': [requested({})],
};

const isTold = (description: string): description is ToldEvent => Object.hasOwn(LEADING_TO, description);

/** Every message comes out of a new world. Ends by `stop`. */
export async function startFunctions(): Promise<MessageProvider & { readonly stop: () => Promise<void> }> {
  const aws = await startAws();
  const { clients, outbox } = outboxTo(aws);
  const tokens: string[] = [API_TOKEN];

  async function tell(ports: Ports, messages: readonly Message[], deadline: number): Promise<unknown> {
    const before = aws.events.sent.length;
    for (const message of messages) await dispatch(ports, outbox, message, deadline);
    const told = aws.events.sent.slice(before);
    if (told.length !== messages.length) throw new Error(`${told.length} events were told, not ${messages.length}`);
    const { source, detailType, detail } = told.at(-1) ?? {};
    return { source, 'detail-type': detailType, detail };
  }

  return {
    produce: (description, input) => {
      const { ports, deadline } = world();
      const watched = watching(ports, tokens);
      if (isTold(description)) return tell(watched, LEADING_TO[description], deadline());
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

/** The same ports; the auth token of every login is noted. */
const watching = (ports: Ports, tokens: string[]): Ports => ({
  ...ports,
  flashblade: {
    ...ports.flashblade,
    login: async (...args) => {
      const answer = await ports.flashblade.login(...args);
      tokens.push(answer.data.authToken.reveal());
      return answer;
    },
  },
});
