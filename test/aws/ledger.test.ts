/** The ledger's own cases against moto's DynamoDB, through the recording proxy. */
import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createLeaseStore } from '../../lib/aws/lease-store.ts';
import { dynamoDbCases, opening, soon, storeCases } from '../kit/lease-store-cases.ts';
import { LEASE_TABLE } from '../kit/lease-table.ts';
import { patience } from '../unit/aws/patience.ts';
import { type Moto, REGION, startMoto } from './moto.ts';
import { attributeIn, type Recorder, startProxy } from './proxy.ts';

patience();

let moto: Moto;
let proxy: Recorder;
let tables = 0;

const clientOf = (endpoint: string, maxAttempts: number): DynamoDBClient => {
  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not checked here' };
  return new DynamoDBClient({ endpoint, region: REGION, credentials, maxAttempts });
};

beforeAll(async () => {
  moto = await startMoto();
  proxy = await startProxy(moto.url, attributeIn(clientOf(moto.url, 1)));
});

afterAll(async () => {
  await proxy.stop();
  await moto.stop();
});

async function ledger({ maxAttempts = 1, dueShards = 1 } = {}) {
  const dynamodb = clientOf(proxy.url, maxAttempts);
  onTestFinished(() => dynamodb.destroy());
  const table = `leases-${tables++}`;
  await dynamodb.send(new CreateTableCommand({ TableName: table, ...LEASE_TABLE } as never));
  const before = proxy.calls.length;
  return {
    ...{ dynamodb, table, store: createLeaseStore(dynamodb, table, randomUUID, dueShards) },
    lose: (action: string) => proxy.lose(`dynamodb:${action}`),
    count: (name: string) => proxy.calls.slice(before).filter(({ action }) => action === `dynamodb:${name}`).length,
    scan: async () => {
      const items: Record<string, unknown>[] = [];
      for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName: table }))
        items.push(...Items.map((item) => unmarshall(item)));
      return items;
    },
  };
}

describe("the ledger in moto's DynamoDB", () => storeCases(async () => (await ledger()).store));

describe("the ledger in moto's DynamoDB, with shards", () =>
  storeCases(async () => (await ledger({ dueShards: 16 })).store));

describe("the ledger in moto's DynamoDB, whose items", () => dynamoDbCases(ledger));

test('a response that is lost fails the call, if the SDK does not repeat it', async () => {
  const { store, lose } = await ledger();
  lose('PutItem');
  await expect(store.write(opening(), undefined, soon())).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  expect(await store.read(opening().id, soon())).toMatchObject({ state: 'OPENING' });
});
