import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { devNull } from 'node:os';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { awsErrorName } from '../../../lib/aws/aws-error.ts';
import { callAws } from '../../../lib/aws/client.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { failureOf } from '../flashblade/failures.ts';

const about = (changes: object = {}) => ({ what: 'read the table', by: Date.now() + 60_000, ...changes });
const awsError = (name: string, httpStatusCode?: number): Error =>
  Object.assign(new Error('T-secret'), { name, ...(httpStatusCode ? { $metadata: { httpStatusCode } } : {}) });
const failing = (error: unknown, changes?: object) => failureOf(callAws(() => Promise.reject(error), about(changes)));

describe('callAws', () => {
  it('returns what AWS returns', async () => {
    expect(await callAws(async () => 42, about())).toBe(42);
  });

  it('names the operation, the AWS error and its status when a call fails, and quotes no AWS message', async () => {
    const error = await failing(awsError('ThrottlingException', 400));
    expect(error).toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message:
        'could not read the table: AWS returned ThrottlingException (400). Try again. If the call keeps failing, check the role and the configuration',
    });
  });

  it.each([
    [awsError('ECONNREFUSED'), 'AWS was unreachable (ECONNREFUSED)'],
    [awsError('name with spaces'), 'AWS was unreachable (Error)'],
    ['T-secret', 'AWS was unreachable (Error)'],
    [awsError('AbortError'), 'no response from AWS within 2000 ms'],
    [awsError('TimeoutError'), 'no response from AWS within 2000 ms'],
  ])('distinguishes an error response from no response (%s)', async (thrown, text) => {
    const { message } = await failing(thrown);
    expect(message).toContain(`could not read the table: ${text}. `);
    expect(message).not.toContain('T-secret');
  });

  it.each([
    ['AccessDeniedException', 400, 'Check that the role has the required permission'],
    ['ExpiredTokenException', 400, 'Check the AWS credentials'],
    ['UnrecognizedClientException', 400, 'Check the AWS credentials'],
    ['MissingAuthenticationTokenException', 400, 'Check the AWS credentials'],
    ['InvalidSignatureException', 400, "this machine's clock"],
    ['CredentialsProviderError', undefined, 'Check the AWS credentials'],
    ['TokenProviderError', undefined, 'Check the AWS credentials'],
    ['ResourceNotFoundException', 400, 'Check that LEASE_TABLE names a resource that exists in this region'],
    ['NotFoundException', 400, 'Check that LEASE_TABLE names a resource'],
    ['QueueDoesNotExist', 400, 'Check that LEASE_TABLE names a resource'],
    ['ValidationException', 400, 'Check the value of LEASE_TABLE'],
    ['DisabledException', 400, 'Check that the KMS key is enabled'],
    ['KMSInvalidStateException', 400, 'Check that the KMS key is enabled'],
    ['DecryptionFailure', 400, 'Check that the KMS key is enabled'],
    ['SyntaxError', 403, 'a response that is not JSON (403). The response was not from AWS'],
    ['SyntaxError', 200, 'a response that is not JSON (200). The response was not from AWS'],
    ['Unknown', 302, 'The response was not from AWS'],
  ])('says what to do about %s (%s), not to try again, and stays retryable', async (name, status, advice) => {
    const error = await failing(awsError(name, status), { setting: 'LEASE_TABLE' });
    // An operator can repair the cause while a queue redelivers the message or the sweeper retries.
    expect(error).toMatchObject({ code: 'AWS_UNAVAILABLE', retryable: true, message: expect.stringContaining(advice) });
    expect(error.message).not.toMatch(/try again|secret/i);
  });

  it.each([
    ['ThrottlingException', 400],
    ['InternalServerError', 500],
    ['SyntaxError', 502],
    ['Unknown', 503],
    ['ECONNREFUSED', undefined],
    ['constructor', 400],
  ])('advises to try again after %s (%s)', async (name, status) => {
    expect((await failing(awsError(name, status))).message).toContain('Try again');
  });

  it.each([
    [
      'ENOTFOUND',
      'dynamodb.eu-central1.amazonaws.com',
      'at dynamodb.eu-central1.amazonaws.com (ENOTFOUND). Check the region',
    ],
    [
      'ENOTFOUND',
      'dynamodb.t-3f2504e0-4f89-11d3-9a0c-0305e82c3301.amazonaws.com',
      'unreachable (ENOTFOUND). Check the region',
    ],
    ['ENOTFOUND', 'proxy.corp', 'unreachable (ENOTFOUND). Check the region'],
    [
      'EAI_AGAIN',
      'dynamodb.eu-central-1.amazonaws.com',
      'at dynamodb.eu-central-1.amazonaws.com (EAI_AGAIN). Try again',
    ],
    ['SELF_SIGNED_CERT_IN_CHAIN', undefined, 'NODE_EXTRA_CA_CERTS'],
  ])('names the code %s and the host %s of a connection that failed', async (code, hostname, text) => {
    const error = Object.assign(awsError('Error'), { code, hostname, $metadata: { attempts: 3 } });
    expect((await failing(error)).message).toContain(text);
  });

  it.each([undefined, null, 5, {}])('explains an error that is %s', async (thrown) => {
    expect((await failing(thrown)).message).toContain('AWS was unreachable (Error)');
  });

  it.each([undefined, 'eu central 1'])('does not ask for another try if the region is %j', async (region) => {
    vi.stubEnv('AWS_REGION', '');
    vi.stubEnv('AWS_CONFIG_FILE', devNull);
    onTestFinished(() => void vi.unstubAllEnvs());
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const client = new DynamoDBClient({ credentials, ...(region && { region }) });
    const command = new GetItemCommand({ TableName: 'leases', Key: { id: { S: 'x' } } });
    const error = await failureOf(callAws((options) => client.send(command, options), about()));
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      retryable: false,
      message: 'could not read the table: no valid AWS region is set. Set AWS_REGION to a region such as eu-central-1',
    });
  });

  it.each([
    [403, 'text/html', '<html>T-secret</html>', 'a response that is not JSON (403). The response was not from AWS'],
    [200, 'text/html', '<html>T-secret</html>', 'a response that is not JSON (200). The response was not from AWS'],
    [407, 'text/plain', 'T-secret', 'a response that is not JSON (407). The response was not from AWS'],
    [302, 'text/html', '', 'The response was not from AWS'],
    [403, 'text/plain', '', 'The response was not from AWS'],
    [502, 'text/html', '<html>T-secret</html>', 'Try again'],
  ])('explains a response of a proxy: %i %s', async (status, type, body, text) => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status, { 'Content-Type': type }).end(body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close().closeAllConnections());
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const client = new DynamoDBClient({ endpoint, credentials, region: 'eu-central-1', maxAttempts: 1 });
    const command = new GetItemCommand({ TableName: 'leases', Key: { id: { S: 'x' } } });
    const { message } = await failureOf(callAws((options) => client.send(command, options), about()));
    expect(message).toContain(text);
    expect(message).not.toContain('secret');
  });

  it('accepts a deadline with a fraction of a millisecond', async () => {
    expect(await callAws(async () => 'output', { what: 'ask', by: Date.now() + 1000.5 })).toBe('output');
  });

  it('fails with the code that its caller chose', async () => {
    expect((await failing(awsError('Whatever'), { code: 'SECRET_UNAVAILABLE' })).code).toBe('SECRET_UNAVAILABLE');
  });

  it('throws the errors that its caller wants to judge unchanged', async () => {
    const error = awsError('ConditionalCheckFailedException', 400);
    const call = callAws(() => Promise.reject(error), about({ passed: ['ConditionalCheckFailedException'] }));
    await expect(call).rejects.toBe(error);
    expect((await failing(error, { passed: ['Other'] })).code).toBe('AWS_UNAVAILABLE');
  });

  it('aborts a call when its time is over, and starts none afterward', async () => {
    const signals: AbortSignal[] = [];
    const until = ({ abortSignal }: { abortSignal: AbortSignal }) => {
      signals.push(abortSignal);
      return new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(abortSignal.reason)));
    };
    const { message } = await failureOf(callAws(until, about({ by: Date.now() + 200 })));
    expect(message).toMatch(/no response from AWS within (1?\d?\d|200) ms/);
    for (const by of [Date.now(), Date.now() - 1]) {
      expect(await failureOf(callAws(until, about({ by })))).toMatchObject({
        code: 'OUT_OF_TIME',
        message: 'no time was left to read the table',
      });
    }
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('sends nothing after its deadline if the process was paused in the meantime', async () => {
    const { aws, secrets } = await awsWithClients({ maxAttempts: 3 });
    aws.secrets.put('flashblade/fb1', 'old');
    const read = (by: number) =>
      callAws(
        (options) => secrets.send(new GetSecretValueCommand({ SecretId: 'flashblade/fb1' }), options),
        about({ by }),
      );
    // The connection is idle, so the next request would be on the wire immediately.
    expect((await read(Date.now() + 60_000)).SecretString).toBe('old');
    const by = Date.now() + 100;
    secrets.middlewareStack.add(
      (next) => (input) => {
        while (Date.now() < by);
        return next(input);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    expect(await failureOf(read(by))).toMatchObject({ code: 'AWS_UNAVAILABLE' });
    // When this call returns, the other one would have arrived.
    await read(Date.now() + 60_000);
    expect(aws.calls).toHaveLength(2);
  });
});

it('awsErrorName returns only short names made of letters', () => {
  const names = ['A', 'z'.repeat(80), 'z'.repeat(81), '', 'with space', 'x1'];
  expect(names.map((name) => awsErrorName(awsError(name)))).toEqual(['A', 'z'.repeat(80), ...Array(4).fill('Error')]);
  expect(awsErrorName({ name: 'Throttling' })).toBe('Error');
});
