import { SFNClient } from '@aws-sdk/client-sfn';
import { expect, test, vi } from 'vitest';
import { createExecutions } from '../../../../lib/aws/executions.ts';
import { awsWithClients } from '../../../kit/aws/clients.ts';

const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly:0f3e7a52';

test('Step Functions knows the executions that a test has started, with their latest status, and no others', async () => {
  const { aws } = await awsWithClients();
  const { status } = createExecutions(new SFNClient({ maxAttempts: 1 }), 'arn:');
  const by = Date.now() + 60_000;
  expect(await status(EXECUTION, by)).toBeUndefined();
  aws.states.setStatus(EXECUTION, 'RUNNING');
  expect(await status(EXECUTION, by)).toBe('RUNNING');
  aws.states.setStatus(EXECUTION, 'ABORTED');
  expect(await status(EXECUTION, by)).toBe('ABORTED');
  expect(await status(`${EXECUTION}-2`, by)).toBeUndefined();
  expect(await status('arn:aws:states:eu-west-1:123456789012:execution:nightly:0f3e7a52', by)).toBeUndefined();
  expect(aws.calls.map((call) => call.status)).toEqual([400, 200, 200, 400, 400]);
});

test('a call without the credentials is refused', async () => {
  await awsWithClients();
  vi.stubEnv('AWS_SESSION_TOKEN', 'another');
  const { status } = createExecutions(new SFNClient({ maxAttempts: 1 }), 'arn:');
  await expect(status(EXECUTION, Date.now() + 60_000)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
});
