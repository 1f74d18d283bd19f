import { fork } from 'node:child_process';
import { once } from 'node:events';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { GetSecretValueCommand, ListSecretsCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { callLog } from './calls.ts';
import { awsWithClients } from './clients.ts';
import { type Fault, startAws } from './index.ts';

const read = (SecretId: string) => new GetSecretValueCommand({ SecretId });
const everyService = ['secretsmanager', 'kms', 'dynamodb'] as const;

describe('faults', () => {
  test.each(everyService)('%s throttles, refuses permission and fails by name as the SDK knows it', async (service) => {
    const { aws, secrets, kms, dynamodb } = await awsWithClients();
    const key = aws.kms.createKey();
    const call = () =>
      ({
        secretsmanager: () => secrets.send(new ListSecretsCommand()),
        kms: () => kms.send(new DescribeKeyCommand({ KeyId: key.keyId })),
        dynamodb: () => dynamodb.send(new ListTablesCommand()),
      })[service]();

    aws.faults.add({ service, kind: 'throttle', times: 1 });
    aws.faults.add({ service, kind: 'deny', times: 1 });
    aws.faults.add({ service, kind: 'error', name: 'InternalServerError', status: 500, times: 1 });

    await expect(call()).rejects.toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
    await expect(call()).rejects.toMatchObject({ name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });
    await expect(call()).rejects.toMatchObject({ name: 'InternalServerError', $metadata: { httpStatusCode: 500 } });
    await expect(call()).resolves.toMatchObject({ $metadata: { httpStatusCode: 200 } });
    expect(aws.calls.map(({ status }) => status)).toEqual([400, 400, 500, 200]);
  });

  test('a throttled client that tries again succeeds, and the log shows both attempts', async () => {
    const { aws, secrets } = await awsWithClients({ maxAttempts: 2 });
    aws.secrets.put('flashblade/fb1', 'value');
    aws.faults.add({ service: 'secretsmanager', kind: 'throttle', times: 1 });

    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: 'value' });
    expect(aws.calls.map(({ status }) => status)).toEqual([400, 200]);
  });

  test('a fault hits only its service, its action and its resource, until it is cleared', async () => {
    const { aws, secrets, kms } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'one');
    aws.secrets.put('flashblade/fb2', 'two');
    const { keyId } = aws.kms.createKey();
    const fault = { service: 'secretsmanager', action: 'GetSecretValue', resource: 'flashblade/fb1' } as const;
    aws.faults.add({ ...fault, kind: 'throttle' });

    await expect(secrets.send(read('flashblade/fb1'))).rejects.toThrow('Rate exceeded');
    await expect(secrets.send(read('flashblade/fb1'))).rejects.toThrow('Rate exceeded');
    await expect(secrets.send(read('flashblade/fb2'))).resolves.toMatchObject({ SecretString: 'two' });
    await expect(secrets.send(new ListSecretsCommand())).resolves.toBeDefined();
    await expect(kms.send(new DescribeKeyCommand({ KeyId: keyId }))).resolves.toBeDefined();
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

  test('"garbage" answers 200 with something that the SDK can not read, and stores nothing', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'old');
    aws.faults.add({ service: 'secretsmanager', action: 'PutSecretValue', kind: 'garbage' });

    await expect(secrets.send(put)).rejects.toMatchObject({ name: 'SyntaxError' });
    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: 'old' });
  });

  test('"hang" never acts and never answers, not even when the stand-ins end', async () => {
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

  test('"slow" acts at once and answers after the time given', async () => {
    const slept: [number, number | undefined][] = [];
    const { aws, secrets } = await awsWithClients({
      sleep: async (ms) => {
        slept.push([ms, aws.calls.at(-1)?.status]);
      },
    });
    aws.secrets.put('flashblade/fb1', 'old');
    aws.faults.add({ service: 'secretsmanager', kind: 'slow', ms: 250, times: 1 });

    await secrets.send(put);
    await expect(secrets.send(read('flashblade/fb1'))).resolves.toMatchObject({ SecretString: 'new' });
    expect(slept).toEqual([[250, 0]]);
  });

  test('a slow answer does not keep the stand-ins from ending', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.faults.add({ service: 'secretsmanager', kind: 'slow', ms: 3_600_000 });
    const done = new Promise<void>((resolve) => aws.onCall((phase) => (phase === 'done' ? resolve() : undefined)));

    const sent = secrets.send(new ListSecretsCommand()).catch((error: Error & { code?: string }) => error.code);
    await done;
    await aws.stop();
    expect(await sent).toBe('ECONNRESET');
  });
});

describe('hooks and the log', () => {
  test('a hook runs before anything is done, and again when it is done and not yet answered', async () => {
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

  test('a hook that adds a fault when the call arrives still hits that call', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.onCall((phase, { service }) => {
      if (phase === 'received') aws.faults.add({ service, kind: 'reset', times: 1 } satisfies Fault);
    });
    await expect(secrets.send(new ListSecretsCommand())).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a hook that fails is reported to the client and not taken for a broken connection', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.onCall(() => {
      throw new Error('the hook is wrong');
    });
    await expect(secrets.send(new ListSecretsCommand())).rejects.toMatchObject({
      name: 'StandInFailure',
      message: 'the hook is wrong',
    });
  });

  test('a client that is killed when its write is done leaves the value, and others go on', async () => {
    const { aws, secrets } = await awsWithClients();
    aws.secrets.put('flashblade/fb1', 'old');
    const { PATH } = process.env;
    const child = fork(new URL('put-secret.fixture.ts', import.meta.url), ['flashblade/fb1', 'new'], {
      env: { PATH, ...aws.env },
    });
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

  test('the log tells time, service, action and resource, and no value', async () => {
    const { aws, secrets } = await awsWithClients({ now: () => 1_800_000_000.5 });
    aws.secrets.put('flashblade/fb1', 'old');
    await secrets.send(new PutSecretValueCommand({ SecretId: 'flashblade/fb1', SecretString: 'T-very-secret' }));

    expect(aws.calls).toEqual([
      {
        at: 1_800_000_000.5,
        service: 'secretsmanager',
        action: 'PutSecretValue',
        resource: 'flashblade/fb1',
        status: 200,
      },
    ]);
  });

  test('the log keeps the newest calls only', () => {
    const { calls, received } = callLog(() => 0, 2);
    for (const action of ['first', 'second', 'third']) received({ service: 'kms', action });
    expect(calls.map(({ action }) => action)).toEqual(['second', 'third']);
  });
});

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
    ] as const)
      expect(await post(url, target, { signed: false })).toEqual([400, 'MissingAuthenticationTokenException']);
    expect(aws.calls.map(({ action, status }) => `${action} ${status}`)).toEqual([
      'ListSecrets 400',
      'DescribeKey 400',
      'ListTables 400',
    ]);
  });

  test.each([
    ["another service's action", 'TrentService.DescribeKey', '{}', 'UnknownOperationException'],
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
