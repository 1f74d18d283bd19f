/** AWS's JSON protocol on loopback: one `POST /` per call, with the action in a header. Adds faults, hooks and a log. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Credentials, wasMadeWith } from './credentials.ts';
import type { Fault, FaultList } from './faults.ts';

/** The prefix of the service's IAM actions. */
export type Service = 'secretsmanager' | 'kms' | 'dynamodb' | 'events' | 'sqs' | 'states';

/** One request. `body` is the parsed input and `head` is the rest. Both can contain secret values, so the log omits them. */
export type ServiceCall = {
  readonly service: Service;
  readonly action: string;
  /** The secret, key, table or queue that the input names. */
  readonly resource?: string;
  readonly body?: unknown;
  readonly head?: string;
};

/** One log line. `status` is 0 until there is a response. */
export type LoggedCall = Pick<ServiceCall, 'service' | 'action' | 'resource'> & { status: number };

/**
 * Called when a request arrives (`received`), and after the service acts but before it responds (`done`). The service waits for the
 * hook. Faults are looked up after `received`, so a hook can add a fault for the same call.
 */
export type CallHook = (phase: 'received' | 'done', call: ServiceCall) => Promise<void> | void;

export type RawCall = ServiceCall & { readonly headers: IncomingHttpHeaders };
export type Answer = {
  readonly status: number;
  readonly reason?: string;
  readonly headers: Record<string, string>;
  readonly body: string;
};
type Outcome = Answer | 'hang' | 'reset';

/** An error response from a service. `name` is the exception that the SDK throws, and `status` is the HTTP status. */
export class AwsError extends Error {
  readonly status: number;

  constructor(name: string, message: string, status = 400) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** One service. `target` is the prefix of the action in `X-Amz-Target`. `act` throws AwsError to refuse a call. */
export type ServiceDefinition = {
  readonly service: Service;
  readonly target: string;
  readonly act: (call: RawCall) => Promise<Answer>;
};

export type Surroundings = {
  /** Only requests made with these credentials are served. */
  readonly credentials: Credentials;
  /** The log. */
  readonly calls: LoggedCall[];
  readonly faults: FaultList;
  readonly hooks: ReadonlySet<CallHook>;
};

/** Serves on a free loopback port. `stop` drops calls in progress. */
export async function serve(definition: ServiceDefinition, surroundings: Surroundings) {
  const stopping = new AbortController();
  let connections = 0;
  const server = createServer((request, response) => {
    outcomeOf(definition, surroundings, request, stopping.signal)
      .then((outcome) => send(response, outcome))
      .catch(() => response.destroy()); // the request was cut off, or the server is stopping
  }).on('connection', () => {
    connections += 1;
  });
  const { url, stop } = await listen(server);
  return {
    url,
    /** How many connections have been accepted so far. */
    connections: (): number => connections,
    stop: (): Promise<void> => {
      stopping.abort();
      return stop();
    },
  };
}

/** Listens on a free loopback port. `stop` closes the server and every connection. */
export async function listen(server: Server): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  // If the server closed an idle connection while the client was sending, the test would see a fault that it did not inject.
  server.keepAliveTimeout = 0;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

async function outcomeOf(
  definition: ServiceDefinition,
  surroundings: Surroundings,
  request: IncomingMessage,
  stopping: AbortSignal,
): Promise<Outcome> {
  const call = toCall(definition, request, await text(request));
  const { service, action, resource } = call;
  const logged = {
    service,
    action,
    ...(resource === undefined ? {} : { resource }),
    status: 0,
  };
  surroundings.calls.push(logged);
  const outcome = await decide(definition, surroundings, call, stopping).catch(refused);
  if (typeof outcome !== 'string') logged.status = outcome.status;
  return outcome;
}

async function decide(
  definition: ServiceDefinition,
  { credentials, faults, hooks }: Surroundings,
  call: RawCall,
  stopping: AbortSignal,
): Promise<Outcome> {
  refuseStranger(credentials, call);
  for (const hook of hooks) await hook('received', call);
  const fault = faults.take(call);
  const instead = fault && insteadOfActing(fault, call);
  if (instead) return instead;
  const answer = await act(definition, call).catch(refused);
  for (const hook of hooks) await hook('done', call);
  if (fault?.kind === 'slow') await sleep(fault.ms, undefined, { signal: stopping });
  return fault?.kind === 'lost answer' ? 'reset' : answer;
}

/** Throws AWS's error for a request with missing or unknown credentials. */
function refuseStranger(credentials: Credentials, { service, headers }: RawCall): void {
  if (!headers.authorization)
    throw new AwsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
  if (wasMadeWith(credentials, headers)) return;
  const name = service === 'sqs' ? 'InvalidClientTokenId' : 'UnrecognizedClientException';
  throw new AwsError(name, 'The security token included in the request is invalid.', 403);
}

function insteadOfActing(fault: Fault, { service, action }: ServiceCall): Outcome | undefined {
  switch (fault.kind) {
    case 'hang':
    case 'reset':
      return fault.kind;
    case 'garbage':
      return { status: 200, headers: JSON_TYPE, body: '<html>not the service</html>' };
    case 'answer':
      return fault.answer;
    case 'throttle':
      throw new AwsError('ThrottlingException', 'Rate exceeded');
    case 'deny':
      throw new AwsError('AccessDeniedException', `User is not authorized to perform: ${service}:${action}`);
    case 'error':
      throw new AwsError(fault.name, 'A fault was injected here.', fault.status);
    default:
      return undefined;
  }
}

async function act(definition: ServiceDefinition, call: RawCall): Promise<Answer> {
  if (!call.headers['x-amz-target']?.toString().startsWith(`${definition.target}.`))
    throw new AwsError('UnknownOperationException', `X-Amz-Target does not begin with ${definition.target}.`);
  if (call.body === undefined) throw new AwsError('SerializationException', 'The body is not JSON.');
  return definition.act(call);
}

const JSON_TYPE = { 'Content-Type': 'application/x-amz-json-1.1' };

export const jsonAnswer = (status: number, body: unknown): Answer => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify(body),
});

/** Any other error is a bug in the stand-in or in a hook. A broken connection would look like an injected fault. */
function refused(thrown: unknown): Answer {
  const bug = thrown instanceof Error ? thrown.message : 'unknown';
  const { name, message, status } = thrown instanceof AwsError ? thrown : new AwsError('StandInFailure', bug, 500);
  return jsonAnswer(status, { __type: name, Message: message });
}

function send(response: ServerResponse, outcome: Outcome): void {
  if (outcome === 'reset') response.socket?.resetAndDestroy();
  else if (outcome !== 'hang') response.writeHead(outcome.status, outcome.reason, outcome.headers).end(outcome.body);
}

function toCall({ service, target }: ServiceDefinition, request: IncomingMessage, json: string): RawCall {
  const { headers, method, url, rawHeaders } = request;
  const action = String(headers['x-amz-target'] ?? '').replace(`${target}.`, '');
  const body = parseJson(json);
  const resource = resourceOf(body);
  const head = [method, url, ...rawHeaders].join(' ');
  return { service, action, headers, body, head, ...(resource === undefined ? {} : { resource }) };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

/** Returns only a resource name, because nothing else in the input may reach the log. */
function resourceOf(body: unknown): string | undefined {
  const input = (body ?? {}) as Record<string, unknown>;
  const names = ['SecretId', 'Name', 'KeyId', 'TableName', 'QueueUrl'].map((key) => input[key]);
  return names.find((value) => typeof value === 'string');
}
