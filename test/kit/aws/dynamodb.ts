/**
 * A stand-in for DynamoDB: in-memory dynalite behind our own server, which logs calls, runs hooks and injects faults. dynalite lacks
 * transactions, TTL (nothing expires, and UpdateTimeToLive is refused) and point-in-time recovery. It also ignores
 * ReturnValuesOnConditionCheckFailure, so a failed condition never returns the item.
 */
import type { RequestListener } from 'node:http';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import dynalite from 'dynalite';
import { type Credentials, wasMadeWith } from './credentials.ts';
import { type Answer, listen, type RawCall, type ServiceDefinition } from './server.ts';

/** Starts dynalite on a free loopback port. Serves only requests made with the credentials. */
export async function dynamoDbStandIn(region: string, credentials: Credentials) {
  const server = dynalite({ createTableMs: 0 });
  const [serveRequest] = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request').on('request', (request, response) => {
    if (wasMadeWith(credentials, request.headers)) serveRequest?.(request, response);
    else response.writeHead(403).end();
  });
  const { url: endpoint, stop } = await listen(server);
  const client = new DynamoDBClient({ endpoint, region, credentials });

  /** Creates a table from the Properties in its CloudFormation resource, but only with what dynalite supports. The call is not logged. */
  async function createTable(properties: object, tableName: string): Promise<void> {
    const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, BillingMode } =
      properties as CreateTableCommandInput;
    const supported = { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, BillingMode };
    await client.send(new CreateTableCommand({ TableName: tableName, ...supported }));
    const describe = new DescribeTableCommand({ TableName: tableName });
    while ((await client.send(describe)).Table?.TableStatus !== 'ACTIVE');
  }

  /** Returns every item in a table as plain values. The call is not logged. */
  async function scan(tableName: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName, ConsistentRead: true }))
      items.push(...Items.map((item) => unmarshall(item)));
    return items;
  }

  const definition: ServiceDefinition = {
    service: 'dynamodb',
    target: 'DynamoDB_20120810',
    act: (call) => forward(call, endpoint),
  };
  return {
    ...{ definition, endpoint, createTable, scan },
    stop: (): Promise<void> => {
      client.destroy();
      return stop();
    },
  };
}

/** dynalite requires signature headers but does not verify the signature. */
const FORWARDED_HEADERS = ['authorization', 'content-type', 'x-amz-date', 'x-amz-security-token', 'x-amz-target'];

async function forward({ headers, body }: RawCall, endpoint: string): Promise<Answer> {
  const present = FORWARDED_HEADERS.filter((name) => headers[name] !== undefined);
  const sent = present.map((name): [string, string] => [name, String(headers[name])]);
  const answer = await fetch(endpoint, { method: 'POST', headers: sent, body: JSON.stringify(body) });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
}
