/** Inputs as large as AWS and the transport allow, and larger. Runs in a worker with little memory, which posts the outcome per input. */
import { parentPort } from 'node:worker_threads';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { isFlashBladeError } from '../../../lib/core/errors.ts';
import { apiToken, type FlashBlade } from '../../../lib/core/model.ts';
import { UnreadableResponse } from '../../../lib/flashblade/http/input.ts';
import { readResponse } from '../../../lib/flashblade/http/response.ts';
import { toWire } from '../../../lib/flashblade/requests.ts';
import { authTokenOf, sessionOf, versionsOf } from '../../../lib/flashblade/responses.ts';
import { allowedCalls, refuseUnlessAllowed } from '../../../lib/leases/call-array.ts';
import { parseEvent } from '../../../lib/leases/events.ts';
import { parseCallRequest, parseFleetRequest, parseLoginRequest } from '../../../lib/leases/requests.ts';

const MIB = 1024 * 1024;
const DEPTH = 10_000;
const array: FlashBlade = { name: 'fb1', host: 'fb1', port: 443, trust: { kind: 'public' } };

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const MANY_NAMES = Object.fromEntries(Array.from({ length: 150_000 }, (_, n) => [`x${n}`, []]));
const call = (more: object) => parseCallRequest({ leaseId: 'job', method: 'GET', path: '/api/2.4/arrays', ...more });
const event = (text: string) =>
  parseEvent(`{"id":"1","source":"s","detail-type":"Session Requested","detail":${text}}`);
const secret = (text: string) => parseSecret('fb1', 'flashblade/fb1', { SecretString: text });
const trusting = (trust: object) => secret(JSON.stringify({ host: 'a', apiToken: 'T', trust }));
const answer = (text: string) => ({
  status: 200,
  headers: { 'x-auth-token': 'x' },
  body: Buffer.from(text),
  requestId: 'r',
  certificateEndsAt: undefined,
});
const login = (text: string) => sessionOf(array, answer(text), apiToken('T'), authTokenOf(answer(text)));
const allowed = (list: string, path: string) =>
  refuseUnlessAllowed(allowedCalls(list), { leaseId: 'job', method: 'GET', path });

/** Reads a response that starts with `head`. Its body arrives one byte at a time, each in its own buffer, and is one byte too long. */
function dripped(head: string): void {
  const reader = readResponse(() => {});
  reader.next();
  reader.next(Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n`));
  for (let n = 1; n < MIB; n++) reader.next(Buffer.from(new ArrayBuffer(1)));
  reader.next(Buffer.from('xx'));
}

const GIANTS: Readonly<Record<string, () => unknown>> = {
  'a login request with a field of 6 MiB': () => parseLoginRequest({ array: 'a'.repeat(6 * MIB) }, 'i'),
  'a login request with 150,000 fields': () => parseLoginRequest(MANY_NAMES, 'i'),
  'a deeply nested login request': () => parseLoginRequest({ array: JSON.parse(nested(MIB / 8)) }, 'i'),
  'a fleet request with 3,000,000 names': () => parseFleetRequest({ arrays: new Array(3_000_000).fill(1) }),
  'a call with 150,000 names in its query': () => call({ query: MANY_NAMES }),
  'a call with a query of 6 MiB of text': () => call({ query: 'a'.repeat(6 * MIB) }),
  'a call whose query is a list of 3,000,000 items': () => call({ query: new Array(3_000_000).fill(1) }),
  'a call with a path of 6 MiB': () => call({ path: `/api/${'a/'.repeat(3 * MIB)}` }),
  'a call with a deeply nested body': () =>
    toWire({ method: 'POST', path: '/api/2.4/x', body: JSON.parse(nested(MIB / 8)) }),
  'a call that almost matches an allow-list entry with many stars': () =>
    allowed(`GET /api/*${'a*'.repeat(100)}b`, `/api/${'a'.repeat(1019)}`),
  'a deeply nested event': () => event(nested(DEPTH)),
  'an event of 256 KiB of brackets': () => parseEvent('['.repeat(MIB / 4)),
  'an event of 1 MiB of escapes': () => event(`"${'\\u0000'.repeat(MIB / 6)}"`),
  'a deeply nested secret': () => secret(`{"host":${nested(DEPTH)}}`),
  'a secret with a host of 1 MiB of dots': () => secret(JSON.stringify({ host: 'a.'.repeat(MIB / 2), apiToken: 'T' })),
  'a secret with 1 MiB of unfinished certificates': () =>
    trusting({ ca: '-----BEGIN CERTIFICATE-----a'.repeat(MIB / 28) }),
  'a secret with 1 MiB of invalid certificates': () =>
    trusting({ ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'.repeat(MIB / 60) }),
  'a secret with 500,000 fingerprints': () => trusting({ fingerprints: new Array(500_000).fill(1) }),
  'a deeply nested login response': () => login(`{"username":"u","x":${nested(MIB / 2 - 20)}}`),
  'a login response with a username of 1 MiB': () => login(JSON.stringify({ username: 'u'.repeat(MIB) })),
  'a list of 300,000 versions': () =>
    versionsOf(array, answer(JSON.stringify({ versions: new Array(300_000).fill(1) }))),
  'a body of known length that arrives byte by byte': () => dripped(`Content-Length: ${MIB}\r\n`),
};

/** The code that each input was refused with; `taken` or the error itself if it was not. */
export function refusals(): Record<string, string> {
  return Object.fromEntries(Object.entries(GIANTS).map(([name, give]) => [name, refusal(give)]));
}

function refusal(give: () => unknown): string {
  try {
    give();
    return 'taken';
  } catch (error) {
    // The sender of the request reports it with this code.
    if (error instanceof UnreadableResponse) return 'ANSWER_INVALID';
    return isFlashBladeError(error) ? error.code : `${error}`;
  }
}

parentPort?.postMessage(refusals());
