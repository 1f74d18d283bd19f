import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { GetSecretValueCommand, ListSecretsCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';

const read = (SecretId: string) => new GetSecretValueCommand({ SecretId });
const everyService = ['secretsmanager', 'kms', 'dynamodb', 'events', 'sqs'] as const;

describe('faults', () => {
  test.each(everyService)(
    '%s throttles, denies permission and fails by name, each as an error that the SDK recognizes',
    async (service) => {
      const { aws, secrets, kms, dynamodb, eventBridge, sqs } = await awsWithClients();
      const key = aws.kms.createKey();
      const queue = { QueueUrl: aws.sqs.createQueue('queue'), MessageBody: 'text' };
      const event = { Source: 'test', DetailType: 'Tested', Detail: '{}' };
      const call = () =>
        ({
          secretsmanager: () => secrets.send(new ListSecretsCommand()),
          kms: () => kms.send(new GenerateDataKeyCommand({ KeyId: key.arn, KeySpec: 'AES_256' })),
          dynamodb: () => dynamodb.send(new ListTablesCommand()),
          events: () => eventBridge.send(new PutEventsCommand({ Entries: [event] })),
          sqs: () => sqs.send(new SendMessageCommand(queue)),
        })[service]();

      aws.faults.add({ service, kind: 'throttle', times: 1 });
      aws.faults.add({ service, kind: 'deny', times: 1 });
      aws.faults.add({ service, kind: 'error', name: 'InternalServerError', status: 500, times: 1 });

      await expect(call()).rejects.toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
      await expect(call()).rejects.toMatchObject({ name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });
      await expect(call()).rejects.toMatchObject({ name: 'InternalServerError', $metadata: { httpStatusCode: 500 } });
      await expect(call()).resolves.toMatchObject({ $metadata: { httpStatusCode: 200 } });
      expect(aws.calls.map(({ status }) => status)).toEqual([400, 400, 500, 200]);
    },
  );

  test('a throttled client succeeds when it tries again, and the log shows both tries', async () => {
    const { aws, secrets } = await awsWithClients({ maxAttempts: 2 });
    aws.secrets.put('flashblade/fb1', 'value');
    aws.faults.add({ service: 'secretsmanager', kind: 'throttle', times: 1 });

    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: 'value' });
    expect(aws.calls.map(({ status }) => status)).toEqual([400, 200]);
  });

  test('a fault affects only its service, its action and its resource, until it is cleared', async () => {
    const { aws, secrets, kms } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'one');
    aws.secrets.put('flashblade/fb2', 'two');
    const { arn } = aws.kms.createKey();
    const fault = { service: 'secretsmanager', action: 'GetSecretValue', resource: 'flashblade/fb1' } as const;
    aws.faults.add({ ...fault, kind: 'throttle' });

    await expect(secrets.send(read('flashblade/fb1'))).rejects.toThrow('Rate exceeded');
    await expect(secrets.send(read('flashblade/fb1'))).rejects.toThrow('Rate exceeded');
    await expect(secrets.send(read('flashblade/fb2'))).resolves.toMatchObject({ SecretString: 'two' });
    await expect(secrets.send(new ListSecretsCommand())).resolves.toBeDefined();
    aws.faults.clear();
    aws.faults.add({ service: 'secretsmanager', kind: 'deny' });
    await expect(secrets.send(new ListSecretsCommand())).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(kms.send(new GenerateDataKeyCommand({ KeyId: arn, KeySpec: 'AES_256' }))).resolves.toBeDefined();
    aws.faults.clear();
    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: 'one' });
  });

  const put = new PutSecretValueCommand({ SecretId: 'flashblade/fb1', SecretString: 'new' });
  test.each([
    { kind: 'reset', stored: 'old' },
    { kind: 'lost answer', stored: 'new' },
  ] as const)('"$kind" breaks the connection and leaves the $stored value', async ({ kind, stored }) => {
    const { aws, secrets } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'old');
    aws.faults.add({ service: 'secretsmanager', action: 'PutSecretValue', kind });

    await expect(secrets.send(put)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: stored });
    expect(aws.calls.map(({ action, status }) => [action, status])).toEqual([
      ['PutSecretValue', 0],
      ['GetSecretValue', 200],
    ]);
  });

  test('"garbage" responds with 200 and text that the SDK cannot parse, and stores nothing', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'old');
    aws.faults.add({ service: 'secretsmanager', action: 'PutSecretValue', kind: 'garbage' });

    await expect(secrets.send(put)).rejects.toMatchObject({ name: 'SyntaxError' });
    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: 'old' });
  });

  test('"hang" never acts and never responds, even when the stand-ins stop', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'old');
    aws.faults.add({ service: 'secretsmanager', kind: 'hang' });
    const phases: string[] = [];
    const arrived = new Promise<void>((resolve) => {
      aws.onCall((phase) => {
        phases.push(phase);
        resolve();
      });
    });

    const sent = secrets.send(put).catch((error: Error & { code?: string }) => error.code);
    await arrived;
    expect(aws.calls).toMatchObject([{ action: 'PutSecretValue', status: 0 }]);
    await aws.stop();
    expect(await sent).toBe('ECONNRESET');
    expect(phases).toEqual(['received']);
  });

  test('"slow" acts at once and responds after the given time', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'old');
    aws.faults.add({ service: 'secretsmanager', kind: 'slow', ms: 250, times: 1 });
    let actedAt = Number.NaN;
    aws.onCall((phase) => {
      if (phase === 'done') actedAt = performance.now();
    });

    await secrets.send(put);
    expect(performance.now() - actedAt).toBeGreaterThan(245);
    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: 'new' });
  });

  test('a slow response does not keep the stand-ins from stopping', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.faults.add({ service: 'secretsmanager', kind: 'slow', ms: 3_600_000 });
    const done = new Promise<void>((resolve) => aws.onCall((phase) => (phase === 'done' ? resolve() : undefined)));

    const sent = secrets.send(new ListSecretsCommand()).catch((error: Error & { code?: string }) => error.code);
    await done;
    await aws.stop();
    expect(await sent).toBe('ECONNRESET');
  });
});
