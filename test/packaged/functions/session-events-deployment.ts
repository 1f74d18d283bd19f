/** The deployed session-events function with login, logout, its event bus and its dead-letter queue. */
import type { SQSBatchResponse } from 'aws-lambda';
import type { Message } from '../../../lib/leases/dispatch.ts';
import type { SentEvent } from '../../kit/aws/events.ts';
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import { type InvokeOptions, type Outcome, startLambda } from '../../kit/lambda/lambda.ts';
import { zipOf } from '../../kit/packaged.ts';
import { configurationOf } from './configuration.ts';
import { deploy } from './deployment.ts';

const NAME = 'session-events';
const BUS = 'sessions';
const DEAD_LETTERS = 'dead-letters';

export type EventsDeployment = Awaited<ReturnType<typeof deployEvents>>;

/** `env`: variables that add to or replace those of the template. An empty variable counts as absent. */
export async function deployEvents({ env = {} }: { env?: Readonly<Record<string, string>> } = {}) {
  const d = await deploy();
  d.aws.events.createBus(BUS);
  const { LEASE_TABLE: LeaseTable, LEASE_KEY: LeaseKey } = d.env;
  const DeadLetterQueue = d.aws.sqs.createQueue(DEAD_LETTERS);
  const configuration = configurationOf(NAME, { LeaseTable, LeaseKey, EventBus: BUS, DeadLetterQueue });
  const lambda = await startLambda({
    zip: zipOf(NAME),
    handler: configuration.handler,
    functionName: NAME,
    timeoutMs: configuration.timeoutMs,
    env: { ...configuration.variables, ...d.env, ...env },
  });
  const outcomes: Outcome[] = [];

  async function deliver(messages: readonly Message[], options?: InvokeOptions): Promise<Outcome> {
    const outcome = await lambda.invoke(sqsEventOf(messages), options);
    outcomes.push(outcome);
    return outcome;
  }
  const letters = () =>
    d.aws.sqs.queue(DEAD_LETTERS).messages.map(({ body }) => JSON.parse(body) as Record<string, string>);
  const published = (): readonly SentEvent[] => d.aws.events.sent.filter(({ bus }) => bus === BUS);

  /** Where a current or former token appears. Empty if nowhere. */
  const leaks = (more: Readonly<Record<string, string>> = {}): Promise<string[]> =>
    d.leaks({
      'what the function wrote': lambda.output,
      answers: JSON.stringify(outcomes),
      events: JSON.stringify(d.aws.events.sent),
      'dead letters': JSON.stringify(letters()),
      ...more,
    });

  return {
    ...d,
    /** Invokes the function with a batch. */
    deliver,
    /** Ids of the messages that SQS must deliver again, sorted. Throws if the invocation failed. */
    failuresOf: async (messages: readonly Message[], options?: InvokeOptions): Promise<string[]> =>
      failuresIn(await deliver(messages, options)),
    /** Events that the function published, oldest first. */
    published,
    letters,
    /** URL of the dead-letter queue. */
    deadLetterQueue: DeadLetterQueue,
    leaks,
    output: () => lambda.output,
    stop: async (): Promise<void> => {
      await lambda.stop();
      await d.stop();
    },
  };
}

function failuresIn(outcome: Outcome): string[] {
  if (!('result' in outcome)) throw new Error(`No result, but ${JSON.stringify(outcome)}`);
  return (outcome.result as SQSBatchResponse).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort();
}
