/** For tests: the stand-ins, and real SDK clients that find the stand-ins through environment variables, as in production. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { onTestFinished, vi } from 'vitest';
import { startAws } from './index.ts';

/** Everything stops when the test ends. Clients do not retry unless you raise `maxAttempts`. */
export async function awsWithClients({ maxAttempts = 1 } = {}) {
  const aws = await startAws();
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
  const secrets = new SecretsManagerClient({ maxAttempts });
  const kms = new KMSClient({ maxAttempts });
  const dynamodb = new DynamoDBClient({ maxAttempts });
  const eventBridge = new EventBridgeClient({ maxAttempts });
  const sqs = new SQSClient({ maxAttempts });
  onTestFinished(async () => {
    for (const client of [secrets, kms, dynamodb, eventBridge, sqs]) client.destroy();
    vi.unstubAllEnvs();
    await aws.stop();
  });
  return { aws, secrets, kms, dynamodb, eventBridge, sqs };
}
