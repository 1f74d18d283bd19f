/**
 * A stand-in for DynamoDB: in-memory dynalite behind our own server, which logs calls, runs hooks and injects faults. dynalite lacks
 * transactions, TTL (nothing expires, and UpdateTimeToLive is refused) and point-in-time recovery. It also ignores
 * ReturnValuesOnConditionCheckFailure, so a failed condition never returns the item.
 */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import dynalite from 'dynalite';
import { z } from 'zod';
import { type Credentials, wasMadeWith } from './credentials.ts';
import type { Answer, RawCall, ServiceDefinition } from './server.ts';

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));
const index = z.object({
  IndexName: z.string(),
  KeySchema: keySchema,
  Projection: z.object({
    ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
    NonKeyAttributes: z.array(z.string()).optional(),
  }),
});
/** The AWS::DynamoDB::Table properties that dynalite supports. All others are dropped. */
const tableProperties = z.object({
  TableName: z.string(),
  KeySchema: keySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  GlobalSecondaryIndexes: z.array(index).optional(),
  LocalSecondaryIndexes: z.array(index).optional(),
  BillingMode: z.literal('PAY_PER_REQUEST'),
});

export type DynamoDb = Awaited<ReturnType<typeof dynamoDbStandIn>>;

/** Starts dynalite on a free loopback port. Serves only requests made with the credentials. */
export async function dynamoDbStandIn(region: string, credentials: Credentials) {
  const server = dynalite({ createTableMs: 0 });
  const [serveRequest] = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request').on('request', (request, response) => {
    if (wasMadeWith(credentials, request.headers)) serveRequest?.(request, response);
    else response.writeHead(403).end();
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({ endpoint, region, credentials });

  /**
   * Creates a table from the Properties in its CloudFormation resource. The call is not logged. Pass `tableName` if the template
   * computes the name.
   */
  async function createTable(properties: object, tableName?: string): Promise<void> {
    const input = tableProperties.parse(tableName === undefined ? properties : { ...properties, TableName: tableName });
    await client.send(new CreateTableCommand(input as ConstructorParameters<typeof CreateTableCommand>[0]));
    const describe = new DescribeTableCommand({ TableName: input.TableName });
    while ((await client.send(describe)).Table?.TableStatus !== 'ACTIVE');
  }

  /** Returns every item in a table as plain values. The call is not logged. */
  async function scan(tableName: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName, ConsistentRead: true }))
      items.push(...Items.map((item) => unmarshall(item)));
    return items;
  }

  async function stop(): Promise<void> {
    client.destroy();
    const closed = new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
    server.closeAllConnections();
    await closed;
  }

  const definition: ServiceDefinition = {
    service: 'dynamodb',
    target: 'DynamoDB_20120810',
    act: (call) => forward(call, endpoint),
  };
  return { definition, endpoint, createTable, scan, stop };
}

/** dynalite requires signature headers but does not verify the signature. */
const FORWARDED_HEADERS = ['authorization', 'content-type', 'x-amz-date', 'x-amz-security-token', 'x-amz-target'];
const RETURNED_HEADERS = ['content-type', 'x-amz-crc32', 'x-amzn-requestid'];

async function forward({ headers, bytes }: RawCall, endpoint: string): Promise<Answer> {
  const present = FORWARDED_HEADERS.filter((name) => headers[name] !== undefined);
  const sent = present.map((name): [string, string] => [name, String(headers[name])]);
  const answer = await fetch(endpoint, { method: 'POST', headers: sent, body: new Uint8Array(bytes) });
  const returned = RETURNED_HEADERS.map((name): [string, string] => [name, answer.headers.get(name) ?? '']);
  return { status: answer.status, headers: Object.fromEntries(returned), body: await answer.text() };
}
