/** Stand-ins for the AWS services that the product uses, on loopback, for the unchanged AWS SDK. */
import { setTimeout as sleepFor } from 'node:timers/promises';
import { type CallHook, callLog, hookList, type LoggedCall } from './calls.ts';
import { type DynamoDb, dynamoDbStandIn } from './dynamodb.ts';
import { type FaultList, faultList } from './faults.ts';
import { type Kms, kmsStandIn } from './kms.ts';
import { type SecretsManager, secretsManagerStandIn } from './secrets-manager.ts';
import { serve } from './server.ts';

export type { CallHook, LoggedCall, Service, ServiceCall } from './calls.ts';
export type { Fault } from './faults.ts';

export type AwsOptions = {
  /** Seconds since the epoch; default: the machine's clock. */
  readonly now?: () => number;
  /** Twelve digits; default 123456789012. */
  readonly accountId?: string;
  /** Default eu-central-1. */
  readonly region?: string;
  /** How the fault `slow` waits; default: a timer that the signal ends. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

type Variable =
  | `AWS_ENDPOINT_URL_${'SECRETS_MANAGER' | 'KMS' | 'DYNAMODB'}`
  | 'AWS_REGION'
  | 'AWS_ACCESS_KEY_ID'
  | 'AWS_SECRET_ACCESS_KEY';

export type Aws = {
  /** Environment variables that point an AWS SDK, here or in a child process, at the stand-ins. */
  readonly env: Readonly<Record<Variable, string>>;
  readonly secrets: Omit<SecretsManager, 'definition'>;
  readonly kms: Omit<Kms, 'definition'>;
  readonly dynamodb: Pick<DynamoDb, 'createTable' | 'scan'>;
  /** The newest calls, oldest first, without any value. Calls of the helpers here are not among them. */
  readonly calls: readonly LoggedCall[];
  readonly faults: Pick<FaultList, 'add' | 'clear'>;
  /** Adds a hook; returns how to remove it. */
  readonly onCall: (hook: CallHook) => () => void;
  /** Ends every server and connection; what is under way gets no answer. A second call waits for the first. */
  readonly stop: () => Promise<void>;
};

/** Signatures are not verified, but a request without one is refused. */
export async function startAws({
  now = () => Date.now() / 1000,
  accountId = '123456789012',
  region = 'eu-central-1',
  sleep = (ms, signal) => sleepFor(ms, undefined, { signal }),
}: AwsOptions = {}): Promise<Aws> {
  const kms = kmsStandIn({ region, accountId, now });
  const secrets = secretsManagerStandIn({ region, accountId, now, kms });
  const dynamodb = await dynamoDbStandIn(region);
  const [log, faults, hooks] = [callLog(now), faultList(), hookList()];
  const surroundings = { log, faults, hooks: hooks.run, sleep };
  const [secretsServer, kmsServer, dynamodbServer] = await Promise.all([
    serve(secrets.definition, surroundings),
    serve(kms.definition, surroundings),
    serve(dynamodb.definition, surroundings),
  ]);

  async function stopAll(): Promise<void> {
    await Promise.all([secretsServer.stop(), kmsServer.stop(), dynamodbServer.stop()]);
    await dynamodb.stop();
  }
  let stopped: Promise<void> | undefined;

  return {
    env: {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsServer.url,
      AWS_ENDPOINT_URL_KMS: kmsServer.url,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbServer.url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'stand-in',
      AWS_SECRET_ACCESS_KEY: 'stand-in',
    },
    secrets,
    kms,
    dynamodb,
    calls: log.calls,
    faults,
    onCall: hooks.add,
    stop() {
      stopped ??= stopAll();
      return stopped;
    },
  };
}
