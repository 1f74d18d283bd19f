import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { awsErrorName, callAws } from '../../../lib/aws/client.ts';
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
