/** An array that repeats a token in its responses: in the head, in the body and in malformed HTTP. It records every byte that it receives. */
import { createAuthority } from '../../../simulator/certificates.ts';
import { startListener } from '../../proofs/hostile/listeners.ts';

/** `said`: the text that is repeated. `opened`: a valid auth token, for responses that open a session. */
type Echo = (said: string, opened: string) => string;

/** A response as text. Adds Content-Length unless the headers already frame the body. */
function answer(status: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
  const isFramed = /^1|Content-Length|Transfer-Encoding/.test([status.slice(0, 1), ...Object.keys(headers)].join());
  const all = { ...headers, ...(isFramed ? {} : { 'Content-Length': `${Buffer.byteLength(body)}` }) };
  return [`HTTP/1.1 ${status}`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`), '', body].join(
    '\r\n',
  );
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const USER = JSON.stringify({ username: 'pureuser' });

const goodLogin = (opened: string): string => answer('200 OK', { ...JSON_TYPE, 'x-auth-token': opened }, USER);
const goodLogout: string = answer('200 OK');
const goodRead: string = answer('200 OK', JSON_TYPE, '{"items":[]}');

/** A valid response to a login, a logout and a read, with extra headers. */
const beside =
  (headers: (said: string) => Readonly<Record<string, string>>, status = (_: string) => '200 OK'): Echo =>
  (said, opened) =>
    answer(status(said), { ...JSON_TYPE, 'x-auth-token': opened, ...headers(said) }, USER);
const failing =
  (
    status: string,
    body: (said: string) => string,
    headers: (said: string) => Record<string, string> = () => ({}),
  ): Echo =>
  (said) =>
    answer(status, { ...JSON_TYPE, ...headers(said) }, body(said));
const none = (): string => '';

/** The responses by name. The product must not repeat their text anywhere. */
export const ECHOES: Readonly<Record<string, Echo>> = {
  'the username': (said, opened) =>
    answer('200 OK', { ...JSON_TYPE, 'x-auth-token': opened }, JSON.stringify({ username: said })),
  'the status line of a refusal': (said) => answer(`401 ${said}`),
  'the status line of a success': beside(
    () => ({}),
    (said) => `200 ${said}`,
  ),
  'the status': (said) => answer(`${said} OK`),
  'the HTTP version': (said) => `HTTP/${said} 200 OK\r\n\r\n`,
  'a header': beside((said) => ({ 'x-echo': said, Server: said, Date: said, Connection: said })),
  "a header's name": beside((said) => ({ [said]: 'x' })),
  'a cookie': beside((said) => ({ 'Set-Cookie': `session=${said}; Path=/` })),
  'the content type': beside((said) => ({ 'Content-Type': said })),
  'the content encoding': beside((said) => ({ 'Content-Encoding': said })),
  'a redirect': failing('302 Found', none, (said) => ({ Location: `https://127.0.0.1:1/?token=${said}` })),
  'a redirect that repeats the request': failing('307 Temporary Redirect', none, (said) => ({ Location: said })),
  'the WWW-Authenticate header': failing('401 Unauthorized', none, (said) => ({ 'WWW-Authenticate': said })),
  'the Retry-After header': failing('503 Service Unavailable', none, (said) => ({ 'Retry-After': said })),
  'a warning': failing('429 Too Many Requests', none, (said) => ({ Warning: said, 'X-RateLimit-Reset': said })),
  'errors of shape a': failing(
    '403 Forbidden',
    (said) => `{"error":[{"code":403,"context":"${said}","message":"${said}"}]}`,
  ),
  'errors of shape b': failing('400 Bad Request', (said) => `{"errors":[{"context":"${said}","message":"${said}"}]}`),
  'errors of shape c': failing('400 Bad Request', (said) => `{"message":"invalid body parameter: ${said}"}`),
  'errors of shape d': failing('401 Unauthorized', (said) => `{"error":"${said}","error_description":"${said}"}`),
  'an HTML page': failing('404 Not Found', (said) => `<html>${said}</html>`),
  'a server error': failing('500 Internal Server Error', (said) => `at login(${said})`),
  'another status': failing('201 Created', (said) => `{"${said}":"${said}"}`),
  'truncated JSON': failing('200 OK', (said) => `{"username":"${said}`),
  'invalid JSON': failing('200 OK', (said) => said),
  'an auth token of two words': beside((said) => ({ 'x-auth-token': `${said} ${said}` })),
  'a second auth token': (said, opened) =>
    answer('200 OK', JSON_TYPE, USER).replace('\r\n', `\r\nx-auth-token: ${opened}\r\nx-auth-token: ${said} x\r\n`),
  'a line that is not HTTP': (said) => `${said}\r\n`,
  'a broken header': (said) => `HTTP/1.1 200 OK\r\n${said} ${said}\r\n\r\n`,
  'an endless header': (said) => `HTTP/1.1 200 OK\r\nx-echo: ${said.repeat(500)}`,
  'the Content-Length header': beside((said) => ({ 'Content-Length': said })),
  'the chunk size': (said) => answer('200 OK', { 'Transfer-Encoding': 'chunked' }, `${said}\r\n${said}\r\n`),
  'a trailer': (said) => answer('200 OK', { 'Transfer-Encoding': 'chunked', Trailer: 'x' }, `0\r\nx: ${said}\r\n\r\n`),
  'bytes after the response': (said, opened) =>
    answer('200 OK', { 'x-auth-token': opened, 'Content-Length': String(USER.length) }, `${USER}${said}\r\n\r\n`),
  'an early hint': (said, opened) => `HTTP/1.1 103 ${said}\r\nLink: ${said}\r\n\r\n${goodLogin(opened)}`,
  'a protocol upgrade': (said) => answer('101 Switching', { Connection: 'Upgrade', Upgrade: said }, said),
};

/** The two headers in which tokens belong, as a whole. */
const TOKEN_HEADERS = /^(api-token|x-auth-token): [!-~]+\r\n/gim;

/** `newToken` makes the auth tokens of its sessions. Lives until `stop`. */
export async function startEchoArray(newToken: () => string) {
  const authority = await createAuthority();
  const opened: string[] = [];
  let heard = '';
  let planned: { readonly path: string; readonly text: (opened: string) => string } | undefined;

  function open(): string {
    opened.push(newToken());
    return opened.at(-1) ?? '';
  }
  function answerTo(request: string): string {
    const [, path = ''] = request.split(' ');
    if (planned !== undefined && path.startsWith(planned.path)) {
      const { text } = planned;
      planned = undefined;
      return text(open());
    }
    if (path === '/api/login') return goodLogin(open());
    return path === '/api/logout' ? goodLogout : goodRead;
  }
  const { port, drain, stop } = await startListener({ address: '127.0.0.1' }, await authority.issue(), answerTo);

  return {
    host: `127.0.0.1:${port}`,
    certificate: authority.certificate,
    /** Auth tokens of all sessions, the newest last. */
    opened: opened as readonly string[],
    /** During `work`, sends this response to the next request for the path. `text` receives an auth token to open a session with. */
    answering: async (path: string, text: (opened: string) => string, work: () => Promise<unknown>): Promise<void> => {
      planned = { path, text };
      try {
        await work();
        if (planned !== undefined) throw new Error(`The array was not asked for ${path}`);
      } finally {
        planned = undefined;
      }
    },
    /** Everything that it received, without the values of the two headers. */
    heard: (): string => {
      heard += drain().text.replace(TOKEN_HEADERS, '$1: …\r\n');
      return heard;
    },
    stop,
  };
}
