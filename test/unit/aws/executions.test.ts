import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { createExecutions, signed } from '../../../lib/aws/executions.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { noPatience, patience } from './patience.ts';

const soon = (): number => Date.now() + 60_000;
patience();
const PREFIX = 'arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-';
const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:nightly-1:0f3e7a52';

async function withExecutions() {
  const { aws } = await awsWithClients();
  return { aws, executions: createExecutions(PREFIX, aws.env) };
}

describe('an owner', () => {
  const { isExecution } = createExecutions(PREFIX, {});

  it.each([EXECUTION, EXECUTION.replace('nightly-1', 'nightly-')])('%s is an execution', (owner) => {
    expect(isExecution(owner)).toBe(true);
  });

  it.each([
    ...['job-7', '', EXECUTION.replace('nightly-1', 'weekly'), EXECUTION.replace('eu-central-1', 'eu-west-1')],
    ...[EXECUTION.replace(':execution:', ':express:'), PREFIX, ` ${EXECUTION}`, EXECUTION.padEnd(257, 'x')],
  ])('%s is not asked about', (owner) => expect(isExecution(owner)).toBe(false));
});

describe('the status of an execution', () => {
  it.each(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'])('is %s', async (status) => {
    const { aws, executions } = await withExecutions();
    aws.states.setStatus(EXECUTION, status);
    expect(await executions.status(EXECUTION, soon())).toBe(status);
    expect(aws.calls).toMatchObject([{ service: 'states', action: 'DescribeExecution', status: 200 }]);
  });

  it('is asked for at the endpoint for all services, unless Step Functions has its own', async () => {
    const { aws } = await awsWithClients();
    aws.states.setStatus(EXECUTION, 'ABORTED');
    const { AWS_ENDPOINT_URL_SFN: url, ...env } = aws.env;
    const statusWith = (endpoints: object) =>
      createExecutions(PREFIX, { ...env, ...endpoints }).status(EXECUTION, soon());
    expect(await statusWith({ AWS_ENDPOINT_URL: url })).toBe('ABORTED');
    expect(await statusWith({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ENDPOINT_URL_SFN: url })).toBe('ABORTED');
  });

  it('is unknown if there is no such execution, or if the owner is no ARN', async () => {
    const { executions } = await withExecutions();
    expect(await executions.status(EXECUTION, soon())).toBeUndefined();
    expect(await executions.status('x', soon())).toBeUndefined();
    expect(await executions.status('x'.repeat(257), soon())).toBeUndefined();
  });

  it('is unknown if Step Functions is busy, and it is asked only once', async () => {
    const { aws, executions } = await withExecutions();
    aws.faults.add({ kind: 'throttle', service: 'states' });
    expect(await executions.status(EXECUTION, soon())).toBeUndefined();
    expect(aws.calls).toHaveLength(1);
  });

  it.each([
    ['deny', 'AccessDeniedException (400)'],
    ['reset', 'AWS was unreachable (ECONNRESET)'],
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

describe('a signature', () => {
  const NOW = new Date('2026-11-24T05:00:00.250Z');
  const HOST = 'states.eu-central-1.amazonaws.com';
  const ENVIRONMENT = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

  /** What the SDK's own signer returns. It comes with the SDK's clients. */
  async function bySdk(body: string, environment: Readonly<Record<string, string>>): Promise<string> {
    const require = createRequire(import.meta.url);
    const { SignatureV4 } = require('@smithy/signature-v4');
    const { createHash, createHmac } = require('node:crypto');
    class Sha256 {
      readonly hash;
      constructor(secret?: string) {
        this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
      }
      update(data: string): void {
        this.hash.update(data);
      }
      async digest(): Promise<Uint8Array> {
        return this.hash.digest();
      }
    }
    const credentials = {
      accessKeyId: environment['AWS_ACCESS_KEY_ID'],
      secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'],
      sessionToken: environment['AWS_SESSION_TOKEN'],
    };
    const options = { service: 'states', region: 'eu-central-1', credentials, sha256: Sha256, applyChecksum: false };
    const { authorization: _, ...headers } = signed(HOST, body, environment, NOW);
    const request = { method: 'POST', protocol: 'https:', hostname: HOST, path: '/', query: {}, headers, body };
    const { headers: out } = await new SignatureV4(options).sign(request, { signingDate: NOW });
    return out.authorization;
  }

  it.each([
    ['', {}],
    ['{"executionArn":"arn:x"}', {}],
    ['{"executionArn":"Prüfung"}', { AWS_SESSION_TOKEN: 'a/token+with=signs' }],
  ])('of the body %j with %j equals the signature of the SDK', async (body, more) => {
    const environment = { ...ENVIRONMENT, ...more };
    expect(signed(HOST, body, environment, NOW)['authorization']).toBe(await bySdk(body, environment));
  });
});
