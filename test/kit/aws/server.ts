/** AWS's JSON protocol on loopback: one `POST /` per call, with the action in a header. Adds faults, hooks and a log. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError } from './aws-error.ts';
import type { CallHook, CallLog, Service, ServiceCall } from './calls.ts';
import { type Credentials, wasMadeWith } from './credentials.ts';
import { type Fault, type FaultList, refusalOf } from './faults.ts';

/** A call with its raw bytes. */
export type RawCall = ServiceCall & { readonly headers: IncomingHttpHeaders; readonly bytes: Buffer };
export type Answer = {
  readonly status: number;
  readonly reason?: string;
  readonly headers: Record<string, string>;
  readonly body: string;
};

/** One service. `target` is the prefix of the action in `X-Amz-Target`. `act` throws AwsError to refuse a call. */
export type ServiceDefinition = {
  readonly service: Service;
  readonly target: string;
  readonly act: (call: RawCall) => Promise<Answer>;
};

export type Surroundings = {
  /** Only requests made with these credentials are served. */
  readonly credentials: Credentials;
  readonly log: CallLog;
  readonly faults: FaultList;
  readonly hooks: CallHook;
  /** Waits `ms` milliseconds, or until the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

export type RunningService = {
  readonly url: string;
  /** How many connections have been accepted so far. */
  readonly connections: () => number;
  readonly stop: () => Promise<void>;
};

type Outcome = Answer | 'hang' | 'reset';

const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
const JSON_TYPE = { 'Content-Type': 'application/x-amz-json-1.1' };
const GARBAGE: Answer = { status: 200, headers: JSON_TYPE, body: '<html>not the service</html>' };

export const jsonAnswer = (status: number, body: unknown): Answer => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify(body),
});

/** Listens on a free loopback port. `stop` drops calls in progress. */
export async function serve(definition: ServiceDefinition, surroundings: Surroundings): Promise<RunningService> {
  const stopping = new AbortController();
  const server = createServer((request, response) => {
    outcomeOf(definition, surroundings, request, stopping.signal)
      .then((outcome) => send(response, outcome))
      .catch(() => response.destroy()); // the request was cut off, or the server is stopping
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  // If the server closed an idle connection while the client was sending, the test would see a fault that it did not inject.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function stop(): Promise<void> {
    stopping.abort();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, connections: () => connections, stop };
}

async function outcomeOf(
  definition: ServiceDefinition,
  surroundings: Surroundings,
  request: IncomingMessage,
  stopping: AbortSignal,
): Promise<Outcome> {
  const call = toCall(definition, request, await readBytes(request));
  const answered = surroundings.log.received(call);
  const outcome = await decide(definition, surroundings, call, stopping).catch(ownFailure);
  answered(typeof outcome === 'string' ? 0 : outcome.status);
  return outcome;
}

async function decide(
  definition: ServiceDefinition,
  { credentials, faults, hooks, sleep }: Surroundings,
  call: RawCall,
  stopping: AbortSignal,
): Promise<Outcome> {
  const refusal = refusalOfStranger(credentials, call);
  if (refusal) return refused(refusal);
  await hooks('received', call);
  const fault = faults.take(call);
  const instead = fault && insteadOfActing(fault, call);
  if (instead) return instead;
  const answer = await act(definition, call).catch(refusedByService);
  await hooks('done', call);
  if (fault?.kind === 'slow') await sleep(fault.ms, stopping);
  return fault?.kind === 'lost answer' ? 'reset' : answer;
}

/** Returns AWS's error for a request with missing or unknown credentials. */
function refusalOfStranger(credentials: Credentials, { service, headers }: RawCall): AwsError | undefined {
  if (!headers.authorization)
    return new AwsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
  if (wasMadeWith(credentials, headers)) return undefined;
  const name = service === 'sqs' ? 'InvalidClientTokenId' : 'UnrecognizedClientException';
  return new AwsError(name, 'The security token included in the request is invalid.', 403);
}

function insteadOfActing(fault: Fault, call: ServiceCall): Outcome | undefined {
  if (fault.kind === 'hang' || fault.kind === 'reset') return fault.kind;
  if (fault.kind === 'garbage') return GARBAGE;
  if (fault.kind === 'answer') return fault.answer;
  const refusal = refusalOf(fault, call);
  return refusal && refused(refusal);
}

async function act(definition: ServiceDefinition, call: RawCall): Promise<Answer> {
  if (!call.headers['x-amz-target']?.toString().startsWith(`${definition.target}.`))
    throw new AwsError('UnknownOperationException', `X-Amz-Target does not begin with ${definition.target}.`);
  if (call.body === undefined) throw new AwsError('SerializationException', 'The body is not JSON.');
  return definition.act(call);
}

function refusedByService(error: unknown): Answer {
  if (error instanceof AwsError) return refused(error);
  throw error;
}

/** Reports a bug in the stand-in or in a hook. A broken connection would look like an injected fault. */
const ownFailure = (error: unknown): Answer =>
  refused(new AwsError('StandInFailure', error instanceof Error ? error.message : 'unknown', 500));

const refused = ({ name, message, status }: AwsError): Answer => jsonAnswer(status, { __type: name, Message: message });

function send(response: ServerResponse, outcome: Outcome): void {
  if (outcome === 'reset') response.socket?.resetAndDestroy();
  else if (outcome !== 'hang') response.writeHead(outcome.status, outcome.reason, outcome.headers).end(outcome.body);
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_REQUEST_BYTES) throw new Error('The request is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function toCall({ service, target }: ServiceDefinition, request: IncomingMessage, bytes: Buffer): RawCall {
  const { headers, method, url, rawHeaders } = request;
  const action = String(headers['x-amz-target'] ?? '').replace(`${target}.`, '');
  const body = parseJson(bytes);
  const resource = resourceOf(body);
  const head = [method, url, ...rawHeaders].join(' ');
  return { service, action, headers, bytes, body, head, ...(resource === undefined ? {} : { resource }) };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
}

/** Returns only a resource name, because nothing else in the input may reach the log. */
function resourceOf(body: unknown): string | undefined {
  const input = (body ?? {}) as Record<string, unknown>;
  const [entry] = (Array.isArray(input['Entries']) ? input['Entries'] : []) as ({ EventBusName?: unknown } | null)[];
  const names = ['SecretId', 'Name', 'KeyId', 'TableName', 'QueueUrl'].map((key) => input[key]);
  return [...names, entry?.EventBusName].find((value) => typeof value === 'string');
}
