import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, ListSecretsCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';
import type { Fault } from '../../../kit/aws/index.ts';

const read = (SecretId: string) => new GetSecretValueCommand({ SecretId });

describe('hooks and the log', () => {
  test('a hook runs before the service acts, and again after it acted and before it responds', async () => {
    const { aws, dynamodb } = await awsWithClients();
    const seen: string[] = [];
    const remove = aws.onCall(async (phase, { service, action, resource, body }) => {
      seen.push(`${phase} ${service} ${action} ${resource} ${JSON.stringify(body)} ${aws.calls.at(-1)?.status}`);
    });

    await dynamodb.send(new ListTablesCommand({ Limit: 1 }));
    remove();
    await dynamodb.send(new ListTablesCommand({ Limit: 1 }));
    expect(seen).toEqual([
      'received dynamodb ListTables undefined {"Limit":1} 0',
      'done dynamodb ListTables undefined {"Limit":1} 0',
    ]);
    expect(aws.calls.map(({ status }) => status)).toEqual([200, 200]);
  });

  test('a fault that a hook adds on arrival affects the same call', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.onCall((phase, { service }) => {
      if (phase === 'received') aws.faults.add({ service, kind: 'reset', times: 1 } satisfies Fault);
    });
    await expect(secrets.send(new ListSecretsCommand())).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('the error of a hook is reported to the client and does not look like a broken connection', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.onCall(() => {
      throw new Error('the hook is wrong');
    });
    await expect(secrets.send(new ListSecretsCommand())).rejects.toMatchObject({
      name: 'StandInFailure',
      message: 'the hook is wrong',
    });
  });

  test('a client that is killed after its write leaves the value, and other clients continue', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'old');
    const { PATH } = process.env;
    const script = `
      import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
      const input = { SecretId: 'flashblade/fb1', SecretString: 'new' };
      await new SecretsManagerClient({}).send(new PutSecretValueCommand(input));`;
    const options = { cwd: import.meta.dirname, env: { PATH, ...aws.env } };
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], options);
    const exited = once(child, 'exit');
    const remove = aws.onCall(async (phase) => {
      if (phase === 'received') return;
      child.kill('SIGKILL');
      await exited;
    });

    expect(await exited).toEqual([null, 'SIGKILL']);
    remove();
    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: 'new' });
  });

  test('the log records service, action, resource and status, but no value', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'old');
    await secrets.send(new PutSecretValueCommand({ SecretId: 'flashblade/fb1', SecretString: 'T-very-secret' }));

    expect(aws.calls).toEqual([
      { service: 'secretsmanager', action: 'PutSecretValue', resource: 'flashblade/fb1', status: 200 },
    ]);
  });
});
