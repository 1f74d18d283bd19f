/**
 * The array that the consumer tests call over TLS. It follows a script of requests and responses, and passes the request that an interaction
 * pins on to Pact's mock server, which supports only plain HTTP. It also checks what a pact cannot express: which requests are sent, in which
 * order and how often, that no other header is sent, and that no token is anywhere but in its own header.
 */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FlashBlade } from '../../lib/core/model.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { createAuthority } from '../../simulator/certificates.ts';
import { tokensIn } from '../../test/kit/leaks.ts';

const authority = await createAuthority();
const { certificate: cert, key } = await authority.issue();

export const API_TOKEN = 'T-0a1b2c3d-4e5f-6789-abcd-ef0123456789';
/** The auth token of the session, and of the next one after a relogin. */
export const AUTH_TOKEN = '0f4a1d8e-7c2b-4b55-9d0e-3a6f5b2c1e90';
export const NEXT_AUTH_TOKEN = '5b2c1e90-3a6f-4d0e-8b55-7c2b0f4a1d8e';

export type Reply = {
  /** 0 ends the connection without a response. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};
/** A request line and its response. */
export type Scripted = readonly [line: string, reply: Reply];
export type Step = Scripted | typeof MOCK;
/** A refusal by something in front of the array, such as a proxy. */
export const refusedInFront = (status: number): Reply => ({ status, headers: { 'content-type': 'text/html' } });
export const MOCK = 'the mock server responds';

const IDS = '(id-\\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})';
/** Every header that the client may send, and what it may contain. */
const HEADERS = (port: number, { method = '', url = '' }: IncomingMessage, authToken: string) => ({
  host: new RegExp(`^localhost:${port}$`),
  connection: /^keep-alive$/,
  'accept-encoding': /^identity$/,
  'user-agent': /^flashblade-sessions\/\d+\.\d+\.\d+ \(node\/\d+\)$/,
  'x-request-id': new RegExp(`^${IDS}$`),
  // RFC 9110 asks for this header with methods that usually have a body. Some servers wait for a body without it.
  ...(method === 'GET' ? {} : { 'content-length': /^0$/ }),
  ...(url === '/api/login' ? { 'api-token': new RegExp(`^${API_TOKEN}$`) } : {}),
  ...(['/api/login', '/api/api_version'].includes(url) ? {} : { 'x-auth-token': new RegExp(`^${authToken}$`) }),
});

/** Runs `play`. Throws if it fails, or if the client sent anything that it must not send. */
export async function withArray(
  script: readonly Step[],
  play: (array: FlashBlade) => Promise<void>,
  mockPort = 0,
): Promise<void> {
  const faults: string[] = [];
  const ids = new Set<string>();
  let [sent, authToken] = [0, AUTH_TOKEN];
  /** The request that got no response, which may be repeated. */
  let broken: string | undefined;

  const server = createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, async (request, response) => {
    const body = await text(request).catch(() => 'an incomplete body');
    const line = `${request.method} ${request.url}`;
    faults.push(...faultsOf(request, body, HEADERS(port, request, authToken)).map((fault) => `${line}: ${fault}`));
    const { 'x-request-id': id } = request.headers;
    if (ids.has(`${id}`) && line !== broken)
      faults.push(`${line}: the X-Request-ID of an earlier request is sent again`);
    ids.add(`${id}`);
    const step = script[sent++] ?? `${line} is sent, although the work is done`;
    if (step === MOCK) return passOn(request, body, response, mockPort);
    const [expected, reply] = typeof step === 'string' ? [step, { status: 500 }] : step;
    if (expected !== line) faults.push(`${line} is sent instead of ${expected}`);
    broken = reply.status === 0 ? line : undefined;
    authToken = reply.headers?.['x-auth-token'] ?? authToken;
    send(response, expected === line ? reply : { status: 0 });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const trust = { kind: 'ca', ca: authority.certificate } as const;
  const played = await play({ name: 'fb1', host: 'localhost', port, trust }).then(
    () => [],
    (error: unknown) => [error],
  );
  closeConnections();
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
  if (sent < script.length) faults.push(`${sent} requests are sent instead of ${script.length}`);
  if (faults.length > 0) throw new Error(faults.join('; '), { cause: played[0] });
  if (played.length > 0) throw played[0];
}

function faultsOf(
  { url = '', httpVersion, rawHeaders }: IncomingMessage,
  body: string,
  allowed: Readonly<Record<string, RegExp>>,
): string[] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const values = rawHeaders.filter((_, index) => index % 2 === 1);
  const isTokens = (index: number) => ['api-token', 'x-auth-token'].includes(names[index] ?? '');
  const elsewhere = [url, body, ...names, ...values.filter((_, index) => !isTokens(index))].join('\n');
  return [
    ...(httpVersion === '1.1' ? [] : [`the version of HTTP is ${httpVersion}`]),
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `the header ${name} is sent twice`),
    ...names.flatMap((name, index) => {
      const rule = allowed[name];
      if (rule === undefined) return [`the header ${name} must not be sent`];
      return rule.test(values[index] ?? '') ? [] : [`the header ${name} has an unexpected value`];
    }),
    ...Object.keys(allowed).flatMap((name) => (names.includes(name) ? [] : [`the header ${name} is missing`])),
    ...(body === '' ? [] : ['a body is sent']),
    ...(tokensIn(elsewhere, [API_TOKEN, AUTH_TOKEN, NEXT_AUTH_TOKEN]).length === 0
      ? []
      : ['a token is sent outside its header']),
  ];
}

/** Passes a request on unchanged, and its response back. */
function passOn({ method, url, rawHeaders }: IncomingMessage, body: string, response: ServerResponse, port: number) {
  const passed = httpRequest({ host: '127.0.0.1', port, method, path: url, headers: rawHeaders }, (received) => {
    response.writeHead(received.statusCode ?? 0, received.rawHeaders);
    received.pipe(response);
  });
  passed.on('error', () => response.destroy());
  passed.end(body);
}

function send(response: ServerResponse, { status, headers = {}, body }: Reply): void {
  if (status === 0) return void response.destroy();
  const [content, type] =
    body === undefined ? ['', {}] : [JSON.stringify(body), { 'content-type': 'application/json' }];
  response.writeHead(status, { ...type, ...headers, 'content-length': Buffer.byteLength(content) }).end(content);
}
