import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';
import { type Credentials, newCredentials } from '../../../kit/aws/credentials.ts';
import { dynamoDbStandIn } from '../../../kit/aws/dynamodb.ts';
import { type Aws, startAws } from '../../../kit/aws/index.ts';

describe('requests', () => {
  const signed = ({ accessKeyId, sessionToken }: Credentials) => ({
    Authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/eu-central-1/kms/aws4_request`,
    'X-Amz-Security-Token': sessionToken,
  });
  const post = (url: string, target: string, { body = '{}', headers = {} } = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { 'X-Amz-Target': target, 'Content-Type': 'application/x-amz-json-1.1', ...headers },
      body,
    }).then(async (answer) => [answer.status, ((await answer.json()) as { __type: string }).__type]);

  test('every service refuses a request without a signature', async () => {
    const { aws } = await awsWithClients();
    for (const [url, target] of [
      [aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER, 'secretsmanager.ListSecrets'],
      [aws.env.AWS_ENDPOINT_URL_KMS, 'TrentService.DescribeKey'],
      [aws.env.AWS_ENDPOINT_URL_DYNAMODB, 'DynamoDB_20120810.ListTables'],
      [aws.env.AWS_ENDPOINT_URL_EVENTBRIDGE, 'AWSEvents.PutEvents'],
      [aws.env.AWS_ENDPOINT_URL_SQS, 'AmazonSQS.SendMessage'],
    ] as const)
      expect(await post(url, target)).toEqual([400, 'MissingAuthenticationTokenException']);
    expect(aws.calls.map(({ action, status }) => `${action} ${status}`)).toEqual([
      'ListSecrets 400',
      'DescribeKey 400',
      'ListTables 400',
      'PutEvents 400',
      'SendMessage 400',
    ]);
  });

  test.each([
    ["another service's action", 'TrentService.DescribeKey', '{}', 'UnknownOperationException'],
    ['an action without its service', 'ListSecrets', '{}', 'UnknownOperationException'],
    ['an action that the stand-in does not know', 'secretsmanager.RotateSecret', '{}', 'UnknownOperationException'],
    ['an action named like a method of objects', 'secretsmanager.toString', '{}', 'UnknownOperationException'],
    ['a body that is not JSON', 'secretsmanager.ListSecrets', 'nonsense', 'SerializationException'],
    [
      'a parameter that the stand-in does not know',
      'secretsmanager.ListSecrets',
      '{"X":1}',
      'InvalidParameterException',
    ],
  ])('%s is refused', async (_case, target, body, name) => {
    const { aws } = await awsWithClients();
    const headers = signed(aws.credentials);
    expect(await post(aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER, target, { body, headers })).toEqual([400, name]);
  });

  /** The response of each service to another local process with these credentials: the error's name and the status. */
  async function answersTo({ env, kms, sqs }: Aws, credentials: Partial<Credentials>): Promise<string[]> {
    const { accessKeyId = '', secretAccessKey = 'x', sessionToken = '' } = credentials;
    const own = { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) };
    const common = { region: env.AWS_REGION, maxAttempts: 1, credentials: own };
    const secrets = new SecretsManagerClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SECRETS_MANAGER });
    const keys = new KMSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_KMS });
    const tables = new DynamoDBClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_DYNAMODB });
    const events = new EventBridgeClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE });
    const queues = new SQSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SQS });
    const Entries = [{ Source: 'a', DetailType: 'b', Detail: '{}' }];
    const calls = await Promise.allSettled([
      secrets.send(new GetSecretValueCommand({ SecretId: 'flashblade/fb1' })),
      secrets.send(new ListSecretsCommand({})),
      keys.send(new GenerateDataKeyCommand({ KeyId: kms.createKey().arn, KeySpec: 'AES_256' })),
      tables.send(new ListTablesCommand({})),
      events.send(new PutEventsCommand({ Entries })),
      queues.send(new SendMessageCommand({ QueueUrl: sqs.createQueue('letters'), MessageBody: 'x' })),
    ]);
    for (const client of [secrets, keys, tables, events, queues]) client.destroy();
    return calls.map((call) =>
      call.status === 'rejected' ? `${call.reason.name} ${call.reason.$metadata?.httpStatusCode}` : 'answered',
    );
  }

  test('no service serves another local process, regardless of its credentials', async () => {
    const aws = await startAws();
    onTestFinished(aws.stop);
    aws.secrets.put('flashblade/fb1', { host: 'fb1.example.com', apiToken: 'T-very-secret' });
    const other = newCredentials();
    const strangers: Partial<Credentials>[] = [
      { accessKeyId: 'stand-in', secretAccessKey: 'stand-in' },
      { accessKeyId: 'stand-in', secretAccessKey: 'stand-in', sessionToken: 'stand-in' },
      other,
      { ...aws.credentials, sessionToken: other.sessionToken },
      { ...aws.credentials, sessionToken: '' },
      { ...aws.credentials, accessKeyId: other.accessKeyId },
    ];
    const unrecognized = 'UnrecognizedClientException 403';
    for (const stranger of strangers) {
      expect(await answersTo(aws, stranger)).toEqual([...Array(5).fill(unrecognized), 'InvalidClientTokenId 403']);
    }
    expect(aws.events.sent).toEqual([]);
    // Negative control: the run itself is served.
    expect(await answersTo(aws, aws.credentials)).toEqual(Array(6).fill('answered'));
  });

  test('every start creates new credentials', async () => {
    const [one, other] = [await startAws(), await startAws()];
    onTestFinished(async () => void (await Promise.all([one.stop(), other.stop()])));
    for (const name of ['accessKeyId', 'secretAccessKey', 'sessionToken'] as const) {
      expect(one.credentials[name]).not.toBe(other.credentials[name]);
    }
    expect(await answersTo(one, other.credentials)).not.toContain('answered');
  });

  test('the database behind the DynamoDB stand-in serves only requests of the same run', async () => {
    const credentials = newCredentials();
    const { endpoint, stop } = await dynamoDbStandIn('eu-central-1', credentials);
    onTestFinished(stop);
    const list = async (own: Omit<Credentials, 'sessionToken'>) => {
      const client = new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials: own, maxAttempts: 1 });
      const answer = client.send(new ListTablesCommand({}));
      return answer
        .then(
          ({ TableNames }) => TableNames,
          (error) => error.$metadata.httpStatusCode,
        )
        .finally(() => client.destroy());
    };
    expect(await list({ accessKeyId: 'stand-in', secretAccessKey: 'stand-in' })).toBe(403);
    expect(await list(newCredentials())).toBe(403);
    expect(await list(credentials)).toEqual([]);
  });

  test('an error names the invalid field of an input and never quotes it', async () => {
    const { secrets } = await awsWithClients();
    const faulty = new PutSecretValueCommand({
      SecretId: 'flashblade/fb1',
      SecretString: 'T-very-secret'.repeat(10_000),
      ClientRequestToken: 'short',
    });
    await expect(secrets.send(faulty)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'SecretString: too_big; ClientRequestToken: too_small',
    });
  });

  test('nothing listens after the stand-ins have stopped', async () => {
    const aws = await startAws();
    await aws.stop();
    await expect(post(aws.env.AWS_ENDPOINT_URL_KMS, 'TrentService.DescribeKey')).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    });
  });
});
