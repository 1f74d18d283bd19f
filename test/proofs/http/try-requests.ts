/** Tries many requests: Node's server must read every written request as exactly that request. */
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { FlashBlade } from '../../../lib/core/model.ts';
import { VERSION, type WireRequest, writeRequest } from '../../../lib/flashblade/http/request.ts';
import { failuresOf } from '../hostile/inputs.ts';
import { hostileText } from '../hostile/values.ts';

export type RequestsSummary = Awaited<ReturnType<typeof tryRequests>>;
type Heard = { readonly line: string; readonly headers: Readonly<Record<string, unknown>>; readonly body: string };

/** The requests that Node's server finds in a text. Throws if it finds anything else. */
async function heardBy(text: string): Promise<readonly Heard[]> {
  const requests: Heard[] = [];
  const refusals: unknown[] = [];
  const wire = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: true }, async (incoming, response) => {
    const { method, url, headers } = incoming;
    try {
      requests.push({ line: `${method} ${url}`, headers: { ...headers }, body: `${await buffer(incoming)}` });
      response.end();
    } catch (error) {
      refusals.push(error);
    }
  });
  server.on('clientError', (error) => refusals.push(error));
  server.emit('connection', wire);
  wire.push(text);
  // Everything is in memory: what was not read by now never will be.
  await setImmediate();
  await setImmediate();
  wire.push('no request\r\n\r\n');
  await setImmediate();
  wire.destroy();
  await setImmediate();
  if (refusals.length !== 1) throw new Error(`something is left of it, or it is none: ${refusals.length} refusals`);
  return requests;
}

const AGENT = `flashblade-sessions/${VERSION} (node/${process.versions.node.split('.')[0]})`;

const words = fc.oneof({ weight: 6, arbitrary: fc.constantFrom('a', 'T-1', 'application/json') }, hostileText);
const array = fc
  .tuple(fc.constantFrom('fb1.example.com', '10.1.2.3', '2001:db8::1', 'fb1\r\nX: y'), fc.constantFrom(443, 8443))
  .map(([host, port]): FlashBlade => ({ name: 'fb1', host, port, trust: { kind: 'public' } }));
const request: fc.Arbitrary<WireRequest> = fc.record({
  method: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE') }, hostileText),
  path: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('/api/login', '/api/2.4/arrays?a=b') },
    hostileText.map((tail) => `/api/${tail}`),
  ),
  headers: fc.dictionary(
    fc
      .oneof({ weight: 9, arbitrary: fc.constantFrom('api-token', 'x-auth-token', 'Content-Type') }, hostileText)
      .filter((name) => name !== '__proto__'),
    words,
    { maxKeys: 3 },
  ),
  body: fc.oneof(fc.constant(''), fc.json(), hostileText),
  requestId: words,
});

/** Tries `count` requests. */
export async function tryRequests(seed: number, count: number, endOnFailure = false) {
  let [written, refused] = [0, 0];
  const property = fc.asyncProperty(array, request, async (to, asked) => {
    const text = writeRequest(to, asked);
    if (text === undefined) {
      refused++;
      return;
    }
    written++;
    const heard = await heardBy(text);
    if (!isDeepStrictEqual(heard, [expected(to, asked)])) throw new Error(`it was heard as ${JSON.stringify(heard)}`);
  });
  const run = await fc.check(property, { seed, numRuns: count, endOnFailure });
  return { inputs: run.numRuns, written, refused, wrong: failuresOf('request', run) };
}

function expected(
  { host, port }: FlashBlade,
  { method, path, headers = {}, body = '', requestId }: WireRequest,
): Heard {
  const name = host.includes(':') ? `[${host}]` : host;
  const trimmed = (value: string) => value.replace(/^[ \t]+|[ \t]+$/g, '');
  const theirs = Object.entries(headers).map(([key, value]) => [key.toLowerCase(), trimmed(value)]);
  return {
    line: `${method} ${path}`,
    headers: {
      host: port === 443 ? name : `${name}:${port}`,
      connection: 'keep-alive',
      'accept-encoding': 'identity',
      ...Object.fromEntries(theirs),
      ...(method === 'GET' && body === '' ? {} : { 'content-length': `${Buffer.byteLength(body)}` }),
      'user-agent': AGENT,
      'x-request-id': trimmed(requestId),
    },
    body: Buffer.from(body).toString(),
  };
}
