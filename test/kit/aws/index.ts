/** Loopback stand-ins for the AWS services that the product uses. They work with the unchanged AWS SDK. */
import { setTimeout as sleepFor } from 'node:timers/promises';
import { callLog, hookList } from './calls.ts';
import { newCredentials } from './credentials.ts';
import { dynamoDbStandIn } from './dynamodb.ts';
import { eventsStandIn } from './events.ts';
import { faultList } from './faults.ts';
import { kmsStandIn } from './kms.ts';
import { secretsManagerStandIn } from './secrets-manager.ts';
import { serve } from './server.ts';
import { sqsStandIn } from './sqs.ts';

export type { CallHook, LoggedCall, Service, ServiceCall } from './calls.ts';
export type { Fault } from './faults.ts';

export type AwsOptions = {
  /** The time in seconds since the epoch. Default: the machine's clock. */
  readonly now?: () => number;
  /** Twelve digits. Default: 123456789012. */
  readonly accountId?: string;
  /** Default: eu-central-1. */
  readonly region?: string;
  /** How the `slow` fault waits. Default: a timer that the signal stops. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

export type Aws = Awaited<ReturnType<typeof startAws>>;

/** Starts the stand-ins. They do not verify signatures, but refuse requests without the new access key id and session token. */
export async function startAws({
  now = () => Date.now() / 1000,
  accountId = '123456789012',
  region = 'eu-central-1',
  sleep = (ms, signal) => sleepFor(ms, undefined, { signal }),
}: AwsOptions = {}) {
  const kms = kmsStandIn({ region, accountId, now });
  const secrets = secretsManagerStandIn({ region, accountId, now, kms });
  const events = eventsStandIn({ region, accountId, now });
  const sqs = sqsStandIn({ accountId, now });
  const credentials = newCredentials();
  const dynamodb = await dynamoDbStandIn(region, credentials);
  const [log, faults, hooks] = [callLog(now), faultList(), hookList()];
  const surroundings = { credentials, log, faults, hooks: hooks.run, sleep };
  const services = [secrets, kms, dynamodb, events, sqs];
  const servers = await Promise.all(services.map(({ definition }) => serve(definition, surroundings)));
  const [secretsUrl = '', kmsUrl = '', dynamodbUrl = '', eventsUrl = '', sqsUrl = ''] = servers.map(({ url }) => url);

  async function stopAll(): Promise<void> {
    await Promise.all(servers.map((server) => server.stop()));
    await dynamodb.stop();
  }
  let stopped: Promise<void> | undefined;

  return {
    /** Environment variables that make the AWS SDK use the stand-ins with `credentials`, here or in a child process. */
    env: {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsUrl,
      AWS_ENDPOINT_URL_KMS: kmsUrl,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbUrl,
      AWS_ENDPOINT_URL_EVENTBRIDGE: eventsUrl,
      AWS_ENDPOINT_URL_SQS: sqsUrl,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
    },
    /** Generated at each start. The stand-ins refuse requests made with any other credentials. */
    credentials,
    ...{ secrets, kms, dynamodb, events },
    /** `createQueue` creates an empty queue and returns its URL. */
    sqs: { ...sqs, createQueue: (name: string): string => sqsUrl + sqs.createQueue(name) },
    /** The most recent calls, oldest first, without values. Calls made by these helpers are not logged. */
    calls: log.calls,
    faults,
    /** Adds a hook. Returns a function that removes the hook. */
    onCall: hooks.add,
    /** How many connections the stand-ins have accepted so far. */
    connections: (): number => servers.reduce((sum, server) => sum + server.connections(), 0),
    /** Stops every server and closes every connection. Requests in progress get no response. Further calls to `stop` wait for the first. */
    stop(): Promise<void> {
      stopped ??= stopAll();
      return stopped;
    },
  };
}
