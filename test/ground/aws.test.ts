import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { awsErrorName, callAws } from '../../lib/ground/aws.ts';
import { awsWithClients } from '../aws/clients.ts';
import { failureOf } from '../client/failures.ts';

const about = (changes: object = {}) => ({ what: 'read the table', by: Date.now() + 60_000, ...changes });
const awsError = (name: string, httpStatusCode?: number): Error =>
  Object.assign(new Error('T-secret'), { name, ...(httpStatusCode ? { $metadata: { httpStatusCode } } : {}) });
const failing = (error: unknown, changes?: object) => failureOf(callAws(() => Promise.reject(error), about(changes)));

describe('a call of AWS', () => {
  it('answers what AWS answers', async () => {
    expect(await callAws(async () => 42, about())).toBe(42);
  });

  it('that fails names what was to be done, the AWS error and its status, and nothing of its message', async () => {
    const error = await failing(awsError('ThrottlingException', 400));
    expect(error).toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message:
        'could not read the table: AWS answered ThrottlingException (400); try again, and if it stays so, check role and configuration',
    });
  });

  it.each([
    [awsError('ECONNREFUSED'), 'AWS was not reached (ECONNREFUSED)'],
    [awsError('name with spaces'), 'AWS was not reached (Error)'],
    ['T-secret', 'AWS was not reached (Error)'],
    [awsError('AbortError'), 'no answer from AWS within 2000 ms'],
    [awsError('TimeoutError'), 'no answer from AWS within 2000 ms'],
  ])('tells an answer from a silence (%s)', async (thrown, text) => {
    const { message } = await failing(thrown);
    expect(message).toContain(`could not read the table: ${text};`);
    expect(message).not.toContain('T-secret');
  });

  it('bears a time with a fraction of a millisecond', async () => {
    expect(await callAws(async () => 'answer', { what: 'ask', by: Date.now() + 1000.5 })).toBe('answer');
  });

  it('fails by the code that it was given', async () => {
    expect((await failing(awsError('Whatever'), { code: 'SECRET_UNAVAILABLE' })).code).toBe('SECRET_UNAVAILABLE');
  });

  it('passes on the errors that its caller wants to judge', async () => {
    const error = awsError('ConditionalCheckFailedException', 400);
    const call = callAws(() => Promise.reject(error), about({ passed: ['ConditionalCheckFailedException'] }));
    await expect(call).rejects.toBe(error);
    expect((await failing(error, { passed: ['Other'] })).code).toBe('AWS_UNAVAILABLE');
  });

  it('is told when its time is over, and is not begun after it', async () => {
    const signals: AbortSignal[] = [];
    const until = ({ abortSignal }: { abortSignal: AbortSignal }) => {
      signals.push(abortSignal);
      return new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(abortSignal.reason)));
    };
    const { message } = await failureOf(callAws(until, about({ by: Date.now() + 200 })));
    expect(message).toMatch(/no answer from AWS within (1?\d?\d|200) ms/);
    for (const by of [Date.now(), Date.now() - 1]) {
      expect(await failureOf(callAws(until, about({ by })))).toMatchObject({
        code: 'OUT_OF_TIME',
        message: 'no time was left to read the table',
      });
    }
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('sends nothing after its time if the process stood still meanwhile', async () => {
    const { aws, secrets } = await awsWithClients({ maxAttempts: 3 });
    aws.secrets.put('flashblade/fb1', 'old');
    const read = (by: number) =>
      callAws(
        (options) => secrets.send(new GetSecretValueCommand({ SecretId: 'flashblade/fb1' }), options),
        about({ by }),
      );
    // Its connection is kept: the next request would be on the wire at once.
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
    // By the time that this one is answered, the other would have arrived.
    await read(Date.now() + 60_000);
    expect(aws.calls).toHaveLength(2);
  });
});

it('the name of an AWS error is letters only, and not too many', () => {
  const names = ['A', 'z'.repeat(80), 'z'.repeat(81), '', 'with space', 'x1'];
  expect(names.map((name) => awsErrorName(awsError(name)))).toEqual(['A', 'z'.repeat(80), ...Array(4).fill('Error')]);
  expect(awsErrorName({ name: 'Throttling' })).toBe('Error');
});
