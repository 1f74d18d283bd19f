/**
 * Asks Step Functions for the status of an execution. This is the only call to that service, so it is made without the service's SDK
 * client, which would make the sweeper's bundle larger. The call is signed like every AWS call (Signature Version 4). There are no
 * retries, because the sweeper asks again later.
 */
import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { parseJson } from '../core/json.ts';
import { isObject } from '../core/validation.ts';
import type { Executions } from '../leases/ports.ts';
import { awsErrorName } from './aws-error.ts';
import { AWS_CLIENT_OPTIONS, callAws } from './client.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The longest ARN that Step Functions accepts. */
const MAX_ARN = 256;
/** The sweeper learns nothing from these. Other calls in the account may have used up the quota, and an owner can be any text. */
const NO_STATUS = ['ThrottlingException', 'ExecutionDoesNotExist', 'InvalidArn', 'ValidationException'];

/**
 * Creates the port. Only executions of state machines whose ARN begins with `stateMachineArnPrefix` are asked about. The region, the
 * credentials and the endpoint come from the environment, as for the SDK's clients in a Lambda function.
 */
export function createExecutions(stateMachineArnPrefix: string, environment: Environment): Executions {
  const prefix = stateMachineArnPrefix.replace(':stateMachine:', ':execution:');
  return {
    isExecution: (owner) => owner.startsWith(prefix) && owner.length <= MAX_ARN,
    async status(executionArn, by) {
      // Metadata needs no permission to decrypt, and does not contain the execution's input.
      const body = JSON.stringify({ executionArn, includedData: 'METADATA_ONLY' });
      const about = { what: 'ask Step Functions whether an execution has ended', by, passed: NO_STATUS };
      try {
        return await callAws(({ abortSignal }) => describeExecution(body, environment, abortSignal), {
          ...about,
          setting: 'STATE_MACHINE_ARN_PREFIX',
        });
      } catch (error) {
        if (NO_STATUS.includes(awsErrorName(error))) return undefined;
        throw error;
      }
    },
  };
}

async function describeExecution(body: string, environment: Environment, signal: AbortSignal): Promise<string> {
  const { AWS_ENDPOINT_URL_SFN: own, AWS_ENDPOINT_URL: all } = environment;
  const url = new URL(own || all || endpointOf(environment));
  const headers = signed(url.host, body, environment, new Date());
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; answer: string }>();
  const { httpsAgent: agent } = AWS_CLIENT_OPTIONS.requestHandler;
  const request =
    url.protocol === 'http:'
      ? httpRequest(url, { method: 'POST', headers, signal })
      : httpsRequest(url, { method: 'POST', headers, signal, agent });
  request.on('error', reject);
  request.on('response', (response) => {
    const status = response.statusCode ?? 0;
    text(response).then((answer) => resolve({ status, answer }), reject);
  });
  request.end(body);
  const { status, answer } = await promise;
  const parsed = parseJson(answer);
  const fields = isObject(parsed) ? parsed : {};
  if (status === 200 && typeof fields['status'] === 'string') return fields['status'];
  // An error's type may have a namespace: `com.amazonaws.states#ExecutionDoesNotExist`.
  const type = String(fields['__type'] ?? 'Unknown').replace(/^.*#/, '');
  throw Object.assign(new Error(), { name: type, $metadata: { httpStatusCode: status } });
}

function endpointOf({ AWS_REGION: region = '', AWS_USE_FIPS_ENDPOINT: fips }: Environment): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://states${fips === 'true' ? '-fips' : ''}.${region}.${suffix}`;
}

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');
const hmac = (key: string | Buffer, content: string): Buffer => createHmac('sha256', key).update(content).digest();

/** Returns the headers of a signed call. */
export function signed(host: string, body: string, environment: Environment, now: Date): Record<string, string> {
  const { AWS_REGION: region = '', AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '' } = environment;
  const token = environment['AWS_SESSION_TOKEN'];
  const time = now.toISOString().replaceAll(/[:-]|\.\d+/g, '');
  const scope = [time.slice(0, 8), region, 'states', 'aws4_request'];
  // The order of the names is that of the signature.
  const headers: Record<string, string> = {
    'content-type': 'application/x-amz-json-1.0',
    host,
    'x-amz-date': time,
    ...(token ? { 'x-amz-security-token': token } : {}),
    'x-amz-target': 'AWSStepFunctions.DescribeExecution',
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`);
  const canonical = ['POST', '/', '', ...lines, '', names, sha256(body)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secret}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical)].join('\n')).toString(
    'hex',
  );
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}
