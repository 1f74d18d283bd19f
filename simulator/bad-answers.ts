/** Bad responses that arrays and proxies send in practice. Pass one to `faults.add`. */
import type { AnswerFault, RequestFault } from './faults.ts';
import { htmlPage, json } from './reply.ts';

type BadAnswer = AnswerFault & Pick<RequestFault, 'act'>;

const LOGIN_BODIES = {
  'username missing': '{}',
  'username of the wrong type': '{"username":42}',
  'username empty': '{"username":""}',
  'not JSON': '{"username":"pureu',
  'not an object': '"pureuser"',
  'of a FlashArray': '{"items":[{"username":"pureuser"}]}',
} as const;

/** An HTML page from a proxy. The request does not reach the array. */
export const htmlAnswer = (status: number): BadAnswer => {
  const { headers, body } = htmlPage(status, 'Proxy Error');
  return { kind: 'answer', act: false, status, headers, body };
};

/** A 429 response with this kind of retry hint. The array does not act on the request. */
export function tooManyRequests(hint: 'retry-after' | 'x-ratelimit' | 'none', seconds = 1): BadAnswer {
  const headers = {
    'retry-after': { 'retry-after': `${seconds}` },
    'x-ratelimit': {
      'x-ratelimit-limit-second': '10',
      'x-ratelimit-remaining-second': '0',
      'x-ratelimit-limit-minute': '60',
      'x-ratelimit-remaining-minute': '0',
    },
    none: {},
  };
  return { kind: 'answer', act: false, ...json(429, { message: 'API rate limit exceeded' }, headers[hint]) };
}

export const serverIsBusy = (path: string): BadAnswer => ({
  kind: 'answer',
  act: false,
  ...json(500, { error: [{ code: 500, context: path, message: 'Server is busy' }] }),
});

export const redirect = (status: 301 | 302 | 303 | 307 | 308, location: string): BadAnswer => ({
  kind: 'answer',
  act: false,
  status,
  headers: { location },
  body: '',
});

/** The array opens the session, but the response has no auth token. */
export const withoutAuthToken: BadAnswer = { kind: 'answer', withoutHeaders: ['x-auth-token'] };

/** The array opens the session, but the auth token in the response is malformed. */
export const malformedAuthToken = (value = 'two words'): BadAnswer => ({
  kind: 'answer',
  headers: { 'x-auth-token': value },
});

/** The array opens the session and returns its auth token, but the body is not a valid login response. */
export const loginBody = (wrong: keyof typeof LOGIN_BODIES): BadAnswer => ({
  kind: 'answer',
  body: LOGIN_BODIES[wrong],
});

/** The session ends, but the response has a body. */
export const logoutWithBody: BadAnswer = {
  kind: 'answer',
  headers: { 'content-type': 'application/json' },
  body: '{"items":[]}',
};

/** The session ends, but the status is 204. */
export const logoutNoContent: BadAnswer = { kind: 'answer', status: 204 };

/** A response body with this many bytes. Default: 1 MiB plus one byte. */
export const oversized = (bytes = 2 ** 20 + 1): BadAnswer => ({ kind: 'answer', body: ' '.repeat(bytes) });
