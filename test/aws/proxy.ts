/**
 * A recording proxy between the functions and moto. It records who called what on which resource, loses responses on request, and
 * corrects the faults of moto that the product would otherwise meet. README.md in this folder lists them with their sources.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type DynamoDBClient, GetItemCommand, type GetItemCommandInput } from '@aws-sdk/client-dynamodb';
import { listen } from '../kit/aws/server.ts';
import { ACCOUNT, REGION } from './moto.ts';

/** `resource` is undefined if the recorder does not know the action. `code` is the code of an error response. */
export type Call = {
  readonly accessKeyId: string;
  readonly action: string;
  readonly resource: string | undefined;
  readonly code: string | undefined;
};

type Json = Readonly<Record<string, unknown>>;
type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

const arn = (service: string, rest: unknown): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const table = ({ TableName }: Json): string => arn('dynamodb', `table/${TableName}`);
const key = ({ KeyId }: Json): string => String(KeyId);
const queue = ({ QueueUrl }: Json): string => arn('sqs', String(QueueUrl).split('/').at(-1));

/** The ARN of the resource that IAM checks, for every action that the recorder knows. */
const RESOURCES: Readonly<Record<string, (input: Json, output: Json) => string>> = {
  'dynamodb:GetItem': table,
  'dynamodb:PutItem': table,
  'dynamodb:UpdateItem': table,
  'dynamodb:DeleteItem': table,
  'dynamodb:Query': (input) => `${table(input)}/index/${input['IndexName']}`,
  'kms:GenerateDataKey': key,
  'kms:Decrypt': key,
  // The ARN ends with six random characters, which the caller does not know.
  'secretsmanager:GetSecretValue': ({ SecretId }, { ARN }) =>
    String(ARN ?? arn('secretsmanager', `secret:${SecretId}`)),
  'secretsmanager:ListSecrets': () => '*',
  'events:PutEvents': ({ Entries }) => arn('events', `event-bus/${(Entries as Json[])[0]?.['EventBusName']}`),
  'sqs:SendMessage': queue,
  'sqs:ReceiveMessage': queue,
  'sqs:DeleteMessage': queue,
  'sqs:GetQueueAttributes': queue,
  'states:DescribeExecution': ({ executionArn }) => String(executionArn),
};

export type Recorder = Awaited<ReturnType<typeof startProxy>>;

/** Whether the item that an input of DynamoDB names has an attribute. */
type HasAttribute = (input: Json, attribute: string) => Promise<boolean>;

export const attributeIn =
  (dynamodb: DynamoDBClient): HasAttribute =>
  async ({ TableName, Key }, attribute) => {
    const { Item = {} } = await dynamodb.send(new GetItemCommand({ TableName, Key } as GetItemCommandInput));
    return attribute in Item;
  };

export async function startProxy(target: string, hasAttribute: HasAttribute) {
  const calls: Call[] = [];
  const losses: string[] = [];
  let last: Promise<unknown> = Promise.resolve();

  /** moto's conditional writes are not atomic, so DynamoDB gets one call at a time. */
  function inTurn(work: () => Promise<Answer>): Promise<Answer> {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  }

  async function corrected(answer: Answer, action: string, input: Json): Promise<Answer> {
    const [, size] = /\bsize\((\w+)\)/.exec(String(input['ConditionExpression'])) ?? [];
    if (answer.status === 500 && size !== undefined && !(await hasAttribute(input, size)))
      return refusal('ConditionalCheckFailedException', 'The conditional request failed');
    const text = answer.body.toString();
    const [, code] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
    if (answer.status !== 403 || code === undefined) return answer;
    return refusal(code === 'AccessDenied' ? 'AccessDeniedException' : code, `moto refused ${action}`);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { accessKeyId, service, name } = nameOf(request);
    const action = `${service}:${name}`;
    const input = parsed(body);
    const pass = async () => corrected(await forward(target, request, body), action, input);
    const answer = await (service === 'dynamodb' ? inTurn(pass) : pass());
    const output = parsed(answer.body);
    const code = answer.status < 400 ? undefined : String(output['__type'] ?? answer.status).replace(/^.*#/, '');
    calls.push({ accessKeyId, action, resource: RESOURCES[action]?.(input, output), code });
    const lost = losses.indexOf(action);
    if (lost < 0) return void response.writeHead(answer.status, answer.headers).end(answer.body);
    losses.splice(lost, 1);
    response.socket?.resetAndDestroy();
  }
  const server = createServer((request, response) => {
    // The caller was ended during its request, or moto was.
    serve(request, response).catch(() => response.destroy());
  });
  const { url, stop } = await listen(server);

  return {
    url,
    /** The calls, oldest first. */
    calls: calls as readonly Call[],
    /** The losses that have not happened yet. */
    losses: losses as readonly string[],
    /** The next call with this action acts, but its response is lost. */
    lose: (action: string): void => void losses.push(action),
    stop,
  };
}

/** Who calls what. The credential's scope names the service. */
function nameOf({ headers }: IncomingMessage) {
  const [, accessKeyId = '', service = ''] =
    /Credential=([^/]+)\/[^/]+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  return { accessKeyId, service, name: String(headers['x-amz-target'] ?? '').replace(/^.*\./, '') };
}

/** Sends the request unchanged: the signature includes the Host header. */
async function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = { method, path: url, headers };
  send(target, options as object, resolve)
    .on('error', reject)
    .end(body);
  const response = await promise;
  const { connection: _connection, ...rest } = response.headers;
  return { status: response.statusCode ?? 500, headers: rest, body: await buffer(response) };
}

function parsed(body: Buffer): Json {
  try {
    return JSON.parse(body.toString()) as Json;
  } catch {
    return {};
  }
}

const refusal = (type: string, message: string): Answer => ({
  status: 400,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: Buffer.from(JSON.stringify({ __type: type, message })),
});
