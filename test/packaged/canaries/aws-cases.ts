/** Cases in which an AWS service repeats a token in its response. */
import type { Service } from '../../kit/aws/index.ts';
import { released, requested } from '../../kit/memory/messages.ts';
import type { FunctionName } from '../../kit/packaged.ts';
import { batch, type Case, newest, open, READ } from './asking.ts';
import type { AwsAnswer } from './relay.ts';
import type { World } from './world.ts';

const AWS_JSON = { 'content-type': 'application/x-amz-json-1.1' };
/** AWS responses that contain a token. */
const AWS_ANSWERS: Readonly<Record<string, (token: string) => AwsAnswer>> = {
  'a refusal': (token) => ({
    ...{ status: 400, headers: AWS_JSON },
    body: JSON.stringify({
      __type: 'ValidationException',
      message: `not valid: ${token}`,
      Message: token,
      Item: token,
    }),
  }),
  'a refusal named after it': (token) => ({
    ...{ status: 400, headers: { 'x-amzn-errortype': token } },
    body: JSON.stringify({ __type: token, code: token, message: token }),
  }),
  'a response that is not JSON': (token) => ({
    status: 200,
    headers: AWS_JSON,
    body: `${token} <html>${token}</html>`,
  }),
  'truncated JSON': (token) => ({ status: 200, headers: AWS_JSON, body: `{"SecretString":"${token}` }),
  'JSON of another shape': (token) => ({
    status: 200,
    headers: AWS_JSON,
    body: JSON.stringify([token, { [token]: token }]),
  }),
  'an HTTP error page': (token) => ({ status: 403, reason: token, headers: { server: token }, body: token }),
  'a redirect': (token) => ({ status: 301, headers: { location: `http://127.0.0.1:1/${token}` }, body: token }),
  'extra headers': (token) => ({
    ...{ status: 400, headers: { ...AWS_JSON, 'x-amzn-requestid': token, 'x-amz-id-2': token } },
    body: JSON.stringify({ __type: 'AccessDeniedException', message: token }),
  }),
};

/** Which services a function calls. */
const CALLED: readonly (readonly [FunctionName, Service])[] = [
  ['login', 'secretsmanager'],
  ['login', 'kms'],
  ['login', 'dynamodb'],
  ['logout', 'kms'],
  ['logout', 'dynamodb'],
  ['call-array', 'kms'],
  ['renew', 'dynamodb'],
  ['session-events', 'events'],
  ['session-events', 'sqs'],
  ['sweep-sessions', 'dynamodb'],
  ['check-fleet', 'secretsmanager'],
];

const EVENTS: Readonly<Record<FunctionName, (name: string) => unknown>> = {
  login: (name) => ({ array: name, leaseId: name }),
  logout: (name) => ({ leaseId: name }),
  'call-array': (name) => ({ leaseId: name, ...READ }),
  renew: (name) => ({ leaseId: name, expiresAt: Math.floor(Date.now() / 1000) + 3000 }),
  'session-events': (name) => batch(released({ leaseId: name }, name), requested({ array: 'unknown' }, `${name}-2`)),
  'sweep-sessions': () => ({}),
  'check-fleet': () => ({}),
};

export const awsCases = (): Case[] =>
  CALLED.flatMap(([of, service]) =>
    Object.entries(AWS_ANSWERS).map(([what, answerOf]) => ({
      what: `${of}: ${service} returns ${what} with a token`,
      run: async (w: World, name: string) => {
        const hasLease = of !== 'login' && of !== 'check-fleet';
        if (hasLease) await open(w, name);
        const token = hasLease ? newest(w) : w.apiToken;
        await w.relay.answering(service, answerOf(token), () => w.invoke(of, EVENTS[of](name)));
      },
    })),
  );
