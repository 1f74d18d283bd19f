/** Cases in which an array, AWS, a secret or a caller repeats a token. */
import type { Message } from '../../../lib/leases/dispatch.ts';
import type { Service } from '../../kit/aws/index.ts';
import type { Answer } from '../../kit/aws/server.ts';
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import { released, requested } from '../../kit/memory/messages.ts';
import { OPERATIONS } from '../../kit/operations.ts';
import type { FunctionName } from '../../kit/packaged.ts';
import { ECHOES } from './array.ts';
import { SPELLINGS } from './spellings.ts';
import type { World } from './world.ts';

/** `name` is an array of the fleet with a valid secret, and also a lease id. Only this case uses it. */
export type Case = { readonly what: string; readonly run: (w: World, name: string) => Promise<unknown> };

const READ = { method: 'GET', path: '/api/2.15/arrays' } as const;
const batch = (...messages: readonly Message[]) => sqsEventOf(messages);

export const open = (w: World, name: string) => w.invoke('login', OPERATIONS.login.event(name));

/** The auth token of the newest session. */
const newest = ({ array }: World): string => array.opened.at(-1) ?? '';

/** The requests that functions send to the array. */
const PATHS = {
  ...{ login: '/api/login', logout: '/api/logout', 'call-array': READ.path },
  ...{ 'session-events': '/api/login', 'check-fleet': '/api/api_version' },
} as const;
export type Asking = keyof typeof PATHS;

/** `repeats`: the token that the array repeats. Default: the token that it received. */
export function arrayCase(asking: Asking, echo: string, spelling: string, repeats?: 'API token'): Case {
  return {
    what: `${asking}: the array repeats ${repeats === undefined ? 'a token' : `its ${repeats}`} ${spelling} in ${echo}`,
    run: async (w, name) => {
      const needsLease = asking === 'logout' || asking === 'call-array';
      if (needsLease) await open(w, name);
      const said = SPELLINGS[spelling]?.(needsLease && repeats === undefined ? newest(w) : w.apiToken) ?? '';
      await w.array.answering(
        PATHS[asking],
        (opened) => ECHOES[echo]?.(said, opened) ?? '',
        () => w.invoke(asking, OPERATIONS[asking].event(name)),
      );
    },
  };
}

/** Invalid secrets that contain the API token. */
const SECRETS: Readonly<Record<string, (token: string, good: object) => string>> = {
  'the token and nothing else': (token) => token,
  'the token as JSON': (token) => JSON.stringify(token),
  'truncated JSON': (token, good) => JSON.stringify({ ...good, apiToken: token }).slice(0, -3),
  'JSON without quotation marks': (token) => `{"apiToken": ${token}}`,
  'JSON truncated inside the token': (token) => `{"apiToken":"${token}`,
  'JSON after the token': (token, good) => `${token} ${JSON.stringify(good)}`,
  'JSON before the token': (token, good) => `${JSON.stringify(good)} ${token}`,
  'a line of YAML': (token) => `apiToken: ${token}\nhost: fb1\n`,
  'a field named like the token': (token, good) => JSON.stringify({ ...good, [token]: 1 }),
  'the token in a list': (token, good) => JSON.stringify({ ...good, apiToken: [token] }),
  'the token in an object': (token, good) => JSON.stringify({ ...good, apiToken: { [token]: token } }),
  'the token as the host': (token, good) => JSON.stringify({ ...good, host: token }),
  'the token in the host': (token, good) => JSON.stringify({ ...good, host: `https://${token}@fb1` }),
  'the token as the CA': (token, good) => JSON.stringify({ ...good, trust: { ca: token } }),
  'the token as a fingerprint': (token, good) => JSON.stringify({ ...good, trust: { fingerprints: [token] } }),
  'the token as the trust': (token, good) => JSON.stringify({ ...good, trust: token }),
  'a line break after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}\n` }),
  'a header after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}\r\nx-echo: ${token}` }),
  'a Latin-1 letter after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}é` }),
  'a letter outside Latin-1 after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}Ā` }),
  'a NUL after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}\0` }),
  'the token repeated many times': (token, good) => JSON.stringify({ ...good, apiToken: token.repeat(40) }),
};

export const secretCases = (asking: 'login' | 'session-events' | 'check-fleet'): Case[] =>
  Object.entries(SECRETS).map(([what, textOf]) => ({
    what: `${asking}: the secret is ${what}`,
    run: async (w, name) => {
      const { host, certificate: ca } = w.array;
      w.putSecret(name, textOf(w.apiToken, { host, apiToken: w.apiToken, trust: { ca } }));
      await w.invoke(asking, OPERATIONS[asking].event(name));
    },
  }));

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
/** AWS responses that contain a token. */
const AWS_ANSWERS: Readonly<Record<string, (token: string) => Answer>> = {
  'a refusal': (token) =>
    json(400, { __type: 'ValidationException', message: `not valid: ${token}`, Message: token, Item: token }),
  'a refusal named after it': (token) =>
    json(400, { __type: token, code: token, message: token }, { 'x-amzn-errortype': token }),
  'a response that is not JSON': (token) => json(200, `${token} <html>${token}</html>`),
  'truncated JSON': (token) => json(200, `{"SecretString":"${token}`),
  'JSON of another shape': (token) => json(200, [token, { [token]: token }]),
  'an HTTP error page': (token) => ({ status: 403, reason: token, headers: { server: token }, body: token }),
  'a redirect': (token) => ({ status: 301, headers: { location: `http://127.0.0.1:1/${token}` }, body: token }),
  'extra headers': (token) =>
    json(400, { __type: 'AccessDeniedException', message: token }, { 'x-amzn-requestid': token, 'x-amz-id-2': token }),
};
/** Which services a function calls. */
const CALLED: readonly (readonly [FunctionName, ...Service[]])[] = [
  ['login', 'secretsmanager', 'kms', 'dynamodb'],
  ['logout', 'kms', 'dynamodb'],
  ['call-array', 'kms'],
  ['renew', 'dynamodb'],
  ['session-events', 'events', 'sqs'],
  ['sweep-sessions', 'dynamodb'],
  ['check-fleet', 'secretsmanager'],
];
/** Events that make a function call more services than its usual event does. */
const MORE: Readonly<Partial<Record<FunctionName, (name: string) => unknown>>> = {
  'session-events': (name) => batch(released({ leaseId: name }, name), requested({ array: 'unknown' }, `${name}-2`)),
  'check-fleet': () => ({}),
};

export const awsCases = (): Case[] =>
  CALLED.flatMap(([of, ...services]) =>
    services.flatMap((service) =>
      Object.entries(AWS_ANSWERS).map(([what, answerOf]) => ({
        what: `${of}: ${service} returns ${what} with a token`,
        run: async (w: World, name: string) => {
          const hasLease = of !== 'login' && of !== 'check-fleet';
          if (hasLease) await open(w, name);
          const answer = answerOf(hasLease ? newest(w) : w.apiToken);
          await w.awsAnswering(service, answer, () => w.invoke(of, (MORE[of] ?? OPERATIONS[of].event)(name)));
        },
      })),
    ),
  );

/** Invalid events, each with a token in the invalid part. */
const EVENTS_WITH_TOKEN: readonly (readonly [FunctionName, (token: string, name: string) => unknown])[] = [
  ['login', (token) => token],
  ['login', (token) => [token]],
  ['login', (token) => ({ array: token })],
  ['login', (token, array) => ({ array, leaseId: `${token} x` })],
  ['login', (token, array) => ({ array, leaseSeconds: token })],
  ['login', (token, array) => ({ array, owner: { [token]: token } })],
  ['login', (token, array) => ({ array, apiToken: token })],
  ['login', (token, array) => ({ array, [token]: token })],
  ['logout', (token) => ({ leaseId: [token] })],
  ['logout', (authToken) => ({ authToken })],
  ['renew', (token, leaseId) => ({ leaseId, expiresAt: token })],
  ['call-array', (token, leaseId) => ({ leaseId, method: token, path: READ.path })],
  ['call-array', (token, leaseId) => ({ leaseId, method: 'GET', path: `/api/2.15/arrays/../${token}` })],
  ['call-array', (token, leaseId) => ({ leaseId, ...READ, query: { [token]: [token] } })],
  ['call-array', (token, leaseId) => ({ leaseId, method: 'POST', path: READ.path, body: { token } })],
  ['check-fleet', (token) => ({ arrays: [token] })],
  ['check-fleet', (token) => ({ arrays: token, [token]: 1 })],
  ['session-events', (token) => batch({ messageId: 'not-json', body: token })],
  ['session-events', (token) => batch({ messageId: 'cut-off', body: `{"detail":{"array":"${token}` })],
  ['session-events', (token) => batch(requested({ array: 'fb1', apiToken: token }, 'with-token'))],
  ['session-events', (token) => batch(requested({ array: token }, 'for-name'))],
  ['session-events', (token) => batch(released({ leaseId: { token } }, 'released'))],
];

export const eventCases = (): Case[] =>
  EVENTS_WITH_TOKEN.map(([of, eventOf], index) => ({
    what: `${of}: an invalid event contains a token (${index})`,
    run: (w, name) => w.invoke(of, eventOf(w.apiToken, name)),
  }));
