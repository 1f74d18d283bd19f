/** Handles one request: reads and records the request, lets the array act, applies any fault, and sends the response. */
import type { ApiRequest, SimulatedArray } from './array.ts';
import type { Connection } from './connections.ts';
import { changeReply, deliver } from './delivery.ts';
import type { Fault, Faults } from './faults.ts';
import type { Incoming, Response } from './http.ts';
import type { OnRequest } from './options.ts';
import { htmlPage, type Reply } from './reply.ts';
import { respond } from './routes.ts';

/** The simulator's record of a request. A record never contains a token. */
export type RequestRecord = {
  /** Time at which the request arrived, by the array's clock (milliseconds since the epoch). */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The query string without the question mark. Anything that looks like a token is masked. */
  readonly query: string;
  readonly requestId: string | undefined;
  readonly userAgent: string | undefined;
  readonly hasApiToken: boolean;
  readonly hasAuthToken: boolean;
  /** The names of all headers, in lowercase. */
  readonly headerNames: readonly string[];
  readonly bodyBytes: number;
  readonly connectionId: number;
  readonly protocol: Connection['protocol'];
  /** The server name (SNI) from the TLS handshake. */
  readonly serverName: string | undefined;
  /** The status of the intended response, absent until the array acts. A delivery fault may still drop the response. */
  readonly status?: number;
  /** The fault applied to this request. */
  readonly fault?: Fault['kind'];
};

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const MAX_RECORDS = 10_000;

/** Keeps the 10,000 most recent requests. */
export function createRequestLog() {
  const records: RequestRecord[] = [];
  const add = (record: RequestRecord): void => {
    records.push(record);
    if (records.length > MAX_RECORDS) records.shift();
  };
  return { records, add };
}

export type Surroundings = {
  readonly array: SimulatedArray;
  readonly faults: Faults;
  readonly onRequest: OnRequest | undefined;
  readonly note: (record: RequestRecord) => void;
};

/** Resolves once it begins to send the response. If the client disconnects early, the array does not act on the incomplete request. */
export async function exchange(
  { array, faults, onRequest, note }: Surroundings,
  connection: Connection,
  incoming: Incoming,
  response: Response,
): Promise<void> {
  const body = await readBody(incoming);
  if (body === undefined) return;
  const request = toRequest(incoming, connection, body);
  const record = recordOf(request, connection, array.settings.now());
  note(record);
  await onRequest?.('received', record);
  const fault = faults.takeForRequest(request.method, request.path);
  const intended = fault?.act === false ? unreached() : respond(request, array);
  const reply = fault?.kind === 'answer' ? changeReply(intended, fault) : intended;
  record.status = reply.status;
  if (fault !== undefined) record.fault = fault.kind;
  await onRequest?.('done', record);
  deliver({ connection, response }, reply, fault);
}

/** The response to a request that does not reach the array. */
const unreached = (): Reply => htmlPage(503, 'Service Unavailable');

async function readBody(incoming: Incoming): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}

function toRequest(incoming: Incoming, { socket }: Connection, body: Buffer): ApiRequest {
  const [path = '', ...query] = (incoming.url ?? '').split('?');
  const headers = Object.entries(incoming.headers).filter(([name]) => !name.startsWith(':'));
  return {
    method: incoming.method ?? '',
    path,
    query: new URLSearchParams(query.join('?')),
    headers: Object.fromEntries(headers.map(([name, value]) => [name, value?.toString()])),
    body: body.toString(),
    location: socket.remoteAddress ?? '',
  };
}

const recordOf = (request: ApiRequest, { id, protocol, socket }: Connection, at: number): Mutable<RequestRecord> => ({
  at,
  method: request.method,
  path: maskTokens(request.path),
  query: maskTokens(request.query.toString()),
  requestId: request.headers['x-request-id'],
  userAgent: request.headers['user-agent'],
  hasApiToken: request.headers['api-token'] !== undefined,
  hasAuthToken: request.headers['x-auth-token'] !== undefined,
  headerNames: Object.keys(request.headers),
  bodyBytes: Buffer.byteLength(request.body),
  connectionId: id,
  protocol,
  serverName: typeof socket.servername === 'string' ? socket.servername : undefined,
});

const maskTokens = (text: string): string => text.replace(/(T-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '****');
