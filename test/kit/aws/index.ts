/** Loopback stand-ins for the AWS services that the product uses. They work with the unchanged AWS SDK. */
import { newCredentials } from './credentials.ts';
import { dynamoDbStandIn } from './dynamodb.ts';
import { eventsStandIn } from './events.ts';
import { faultList } from './faults.ts';
import { kmsStandIn } from './kms.ts';
import { secretsManagerStandIn } from './secrets-manager.ts';
import { type CallHook, type LoggedCall, serve } from './server.ts';
import { sqsStandIn } from './sqs.ts';
import { statesStandIn } from './states.ts';

export type { Fault } from './faults.ts';
export type { CallHook, LoggedCall, Service, ServiceCall } from './server.ts';

const REGION = 'eu-central-1';
const ACCOUNT = '123456789012';
const arnPrefix = (service: string, kind: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${kind}`;

export type Aws = Awaited<ReturnType<typeof startAws>>;

/** Starts the stand-ins. They do not verify signatures, but refuse requests without the new access key id and session token. */
export async function startAws() {
  const credentials = newCredentials();
  const kms = kmsStandIn(arnPrefix('kms', 'key/'));
  const secrets = secretsManagerStandIn(arnPrefix('secretsmanager', 'secret:'));
  const dynamodb = await dynamoDbStandIn(REGION, credentials);
  const events = eventsStandIn(arnPrefix('events', 'event-bus/'));
  const sqs = sqsStandIn(ACCOUNT);
  const states = statesStandIn(arnPrefix('states', 'execution:'));
  const calls: LoggedCall[] = [];
  const hooks = new Set<CallHook>();
  const faults = faultList();
  const services = [secrets, kms, dynamodb, events, sqs, states];
  const servers = await Promise.all(
    services.map(({ definition }) => serve(definition, { credentials, calls, faults, hooks })),
  );
  const [secretsUrl = '', kmsUrl = '', dynamodbUrl = '', eventsUrl = '', sqsUrl = '', statesUrl = ''] = servers.map(
    ({ url }) => url,
  );
  const parts = new AsyncDisposableStack();
  for (const { stop } of [dynamodb, ...servers]) parts.defer(stop);

  return {
    /** Environment variables that make the AWS SDK use the stand-ins with `credentials`, here or in a child process. */
    env: {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsUrl,
      AWS_ENDPOINT_URL_KMS: kmsUrl,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbUrl,
      AWS_ENDPOINT_URL_EVENTBRIDGE: eventsUrl,
      AWS_ENDPOINT_URL_SQS: sqsUrl,
      AWS_ENDPOINT_URL_SFN: statesUrl,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
    },
    /** Generated at each start. The stand-ins refuse requests made with any other credentials. */
    credentials,
    ...{ secrets, kms, dynamodb, events, states },
    /** `createQueue` creates an empty queue and returns its URL. */
    sqs: { ...sqs, createQueue: (name: string): string => sqsUrl + sqs.createQueue(name) },
    /** The calls, oldest first, without values. Calls made by these helpers are not logged. */
    calls: calls as readonly LoggedCall[],
    faults,
    /** Adds a hook. Returns a function that removes the hook. */
    onCall: (hook: CallHook) => {
      hooks.add(hook);
      return () => void hooks.delete(hook);
    },
    /** How many connections the stand-ins have accepted so far. */
    connections: (): number => servers.reduce((sum, server) => sum + server.connections(), 0),
    /** Stops every server and closes every connection. Requests in progress get no response. You can call `stop` repeatedly. */
    stop: () => parts.disposeAsync(),
  };
}
