import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from './clients.ts';
import { startAws } from './index.ts';

describe('requests', () => {
  const post = (url: string, target: string, { body = '{}', signed = true } = {}) =>
    fetch(url, {
      method: 'POST',
      headers: {
        'X-Amz-Target': target,
        'Content-Type': 'application/x-amz-json-1.1',
        ...(signed ? { Authorization: 'AWS4-HMAC-SHA256' } : {}),
      },
      body,
    }).then(async (answer) => [answer.status, ((await answer.json()) as { __type: string }).__type]);

  test('one without a signature is refused by every service', async () => {
    const { aws } = await awsWithClients();
    for (const [url, target] of [
      [aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER, 'secretsmanager.ListSecrets'],
      [aws.env.AWS_ENDPOINT_URL_KMS, 'TrentService.DescribeKey'],
      [aws.env.AWS_ENDPOINT_URL_DYNAMODB, 'DynamoDB_20120810.ListTables'],
      [aws.env.AWS_ENDPOINT_URL_EVENTBRIDGE, 'AWSEvents.PutEvents'],
      [aws.env.AWS_ENDPOINT_URL_SQS, 'AmazonSQS.SendMessage'],
    ] as const)
      expect(await post(url, target, { signed: false })).toEqual([400, 'MissingAuthenticationTokenException']);
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
    expect(await post(aws.env.AWS_ENDPOINT_URL_SECRETS_MANAGER, target, { body })).toEqual([400, name]);
  });

  test('a refused input is named by its place, never quoted', async () => {
    const { secrets } = await awsWithClients();
    const faulty = new PutSecretValueCommand({
      SecretId: 'flashblade/fb1',
      SecretString: 'T-very-secret'.repeat(10_000),
      VersionStages: [],
    });
    await expect(secrets.send(faulty)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'VersionStages: too_small; SecretString: too_big',
    });
  });

  test('nothing listens any more once the stand-ins have ended', async () => {
    const aws = await startAws();
    await aws.stop();
    await expect(post(aws.env.AWS_ENDPOINT_URL_KMS, 'TrentService.DescribeKey')).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    });
  });
});
