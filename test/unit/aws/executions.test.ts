import { SFNClient } from '@aws-sdk/client-sfn';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AWS_CLIENT_OPTIONS } from '../../../lib/aws/client.ts';
import { createExecutions } from '../../../lib/aws/executions.ts';
import { BUSY } from '../../../lib/leases/items.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { noPatience, patience } from './patience.ts';

const soon = (): number => Date.now() + 60_000;
patience();
const PREFIX = 'arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-';
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly-1:0f3e7a52';

/** The client finds the stand-in through environment variables, as in production. */
async function withExecutions() {
  const { aws } = await awsWithClients();
  return { aws, executions: createExecutions(new SFNClient(AWS_CLIENT_OPTIONS), PREFIX) };
}

describe('an owner', () => {
  const { isExecution } = createExecutions(new SFNClient({}), PREFIX);

  it.each([EXECUTION, EXECUTION.replace('nightly-1', 'nightly-')])('%s is an execution', (owner) => {
    expect(isExecution(owner)).toBe(true);
  });

  it.each([
    ...['job-7', '', EXECUTION.replace('nightly-1', 'weekly'), EXECUTION.replace('eu-central-1', 'eu-west-1')],
    ...[EXECUTION.replace(':execution:', ':express:'), PREFIX, ` ${EXECUTION}`, EXECUTION.padEnd(257, 'x')],
  ])('%s is not asked about', (owner) => expect(isExecution(owner)).toBe(false));
});

it.each([
  ['eu-central-1', '', 'states.eu-central-1.amazonaws.com'],
  ['us-east-1', 'true', 'states-fips.us-east-1.amazonaws.com'],
  ['cn-north-1', '', 'states.cn-north-1.amazonaws.com.cn'],
  ['us-gov-west-1', '', 'states.us-gov-west-1.amazonaws.com'],
  // This region has no endpoint with `-fips`, because its only endpoint is validated.
  ['us-gov-west-1', 'true', 'states.us-gov-west-1.amazonaws.com'],
  ['us-gov-east-1', 'true', 'states-fips.us-gov-east-1.amazonaws.com'],
  ['eusc-de-east-1', '', 'states.eusc-de-east-1.amazonaws.eu'],
])('in the region %s with AWS_USE_FIPS_ENDPOINT=%j, the host %s is asked', async (region, fips, host) => {
  vi.stubEnv('AWS_REGION', region);
  vi.stubEnv('AWS_USE_FIPS_ENDPOINT', fips);
  onTestFinished(() => void vi.unstubAllEnvs());
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' };
  const hosts: string[] = [];
  const requestHandler = {
    handle: async ({ hostname }: { hostname: string }) => {
      hosts.push(hostname);
      throw new Error('planned by the test');
    },
  };
  const client = new SFNClient({ credentials, requestHandler, maxAttempts: 1 } as never);
  await expect(createExecutions(client, PREFIX).status(EXECUTION, soon())).rejects.toMatchObject({
    code: 'AWS_UNAVAILABLE',
  });
  expect(hosts).toEqual([host]);
});

describe('the status of an execution', () => {
  it.each(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'])('is %s', async (status) => {
    const { aws, executions } = await withExecutions();
    aws.states.setStatus(EXECUTION, status);
    expect(await executions.status(EXECUTION, soon())).toBe(status);
    expect(aws.calls).toMatchObject([{ service: 'states', action: 'DescribeExecution', status: 200 }]);
  });

  it('is unknown if there is no such execution, or if the owner is no ARN', async () => {
    const { executions } = await withExecutions();
    expect(await executions.status(EXECUTION, soon())).toBeUndefined();
    expect(await executions.status('x', soon())).toBeUndefined();
    expect(await executions.status('x'.repeat(257), soon())).toBeUndefined();
  });

  it('is BUSY if Step Functions throttles the question', async () => {
    const { aws, executions } = await withExecutions();
    aws.faults.add({ kind: 'throttle', service: 'states' });
    expect(await executions.status(EXECUTION, soon())).toBe(BUSY);
  });

  it('is asked for again after a lost connection or an error of Step Functions', async () => {
    const { aws, executions } = await withExecutions();
    aws.states.setStatus(EXECUTION, 'SUCCEEDED');
    aws.faults.add({ kind: 'reset', service: 'states', times: 1 });
    expect(await executions.status(EXECUTION, soon())).toBe('SUCCEEDED');
    aws.faults.add({ kind: 'error', service: 'states', name: 'InternalFailure', status: 500, times: 1 });
    expect(await executions.status(EXECUTION, soon())).toBe('SUCCEEDED');
  });

  it.each([
    ['deny', 'AccessDeniedException (400)'],
    ['reset', 'no response from AWS'],
    ['garbage', 'Check that no proxy'],
    ['error', 'InternalFailure (500)'],
  ] as const)('is AWS_UNAVAILABLE after the fault %s, and the message says why', async (kind, why) => {
    const { aws, executions } = await withExecutions();
    aws.states.setStatus(EXECUTION, 'SUCCEEDED');
    aws.faults.add({
      kind,
      service: 'states',
      ...(kind === 'error' ? { name: 'InternalFailure', status: 500 } : {}),
    } as never);
    await expect(executions.status(EXECUTION, soon())).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: expect.stringContaining(why),
    });
  });

  it('is AWS_UNAVAILABLE if there is no response in time', async () => {
    const { aws, executions } = await withExecutions();
    aws.faults.add({ kind: 'hang', service: 'states' });
    noPatience();
    await expect(executions.status(EXECUTION, Date.now() + 300)).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  });

  it('is OUT_OF_TIME without time, and nothing is sent', async () => {
    const { aws, executions } = await withExecutions();
    await expect(executions.status(EXECUTION, Date.now())).rejects.toMatchObject({ code: 'OUT_OF_TIME' });
    expect(aws.calls).toEqual([]);
  });
});
