/** dynalite behind the stand-in for DynamoDB: what the ledger needs, and what dynalite lacks. */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';
import { LEASE_TABLE } from '../../../kit/lease-table.ts';

const TableName = 'ledger';
const refused = { name: 'ConditionalCheckFailedException' };

async function withTable() {
  const { aws, dynamodb } = await awsWithClients();
  await aws.dynamodb.createTable(LEASE_TABLE, TableName);
  return { aws, dynamodb };
}

const put = (client: DynamoDBClient, item: Record<string, unknown>, ConditionExpression?: string) =>
  client.send(new PutItemCommand({ TableName, Item: marshall(item), ConditionExpression }));

const update = (client: DynamoDBClient, id: string, input: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>) =>
  client.send(new UpdateItemCommand({ TableName, Key: marshall({ id }), ...input }));

describe('what the ledger needs', () => {
  test('a conditional put of an absent item succeeds once, even among many concurrent puts', async () => {
    const { aws, dynamodb } = await withTable();
    const puts = Array.from({ length: 20 }, (_, attempt) =>
      put(dynamodb, { id: 'lease#1', attempt }, 'attribute_not_exists(id)'),
    );
    const results = await Promise.allSettled(puts);
    const winners = results.flatMap(({ status }, attempt) => (status === 'fulfilled' ? [attempt] : []));

    expect(winners).toHaveLength(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused });
    expect(await aws.dynamodb.scan(TableName)).toEqual([{ id: 'lease#1', attempt: winners[0] }]);
  });

  test('members join a bounded set in a map up to its cap, join again, and leave', async () => {
    const { aws, dynamodb } = await withTable();
    await put(dynamodb, { id: 'array#fb1', live: {} });
    const join = (id: string, until: number) =>
      update(dynamodb, 'array#fb1', {
        UpdateExpression: 'SET live.#id = :until',
        ConditionExpression: 'size(live) < :cap OR attribute_exists(live.#id)',
        ExpressionAttributeNames: { '#id': id },
        ExpressionAttributeValues: marshall({ ':until': until, ':cap': 2 }),
      });
    const leave = (id: string) =>
      update(dynamodb, 'array#fb1', {
        UpdateExpression: 'REMOVE live.#id',
        ExpressionAttributeNames: { '#id': id },
      });
    const live = async () => (await aws.dynamodb.scan(TableName)).map((item) => ({ ...item, id: undefined }));

    await join('lease.one', 1);
    await join('lease#2', 2);
    await expect(join('lease-3', 3)).rejects.toMatchObject(refused);
    await join('lease#2', 4);
    expect(await live()).toEqual([{ live: { 'lease.one': 1, 'lease#2': 4 } }]);
    await leave('lease.one');
    await leave('never joined');
    await join('lease-3', 5);
    expect(await live()).toEqual([{ live: { 'lease#2': 4, 'lease-3': 5 } }]);
  });

  test('many members that join at the same time never exceed the cap', async () => {
    const { aws, dynamodb } = await withTable();
    await put(dynamodb, { id: 'array#fb1', live: {} });
    const joins = Array.from({ length: 20 }, (_, index) =>
      update(dynamodb, 'array#fb1', {
        UpdateExpression: 'SET live.#id = :until',
        ConditionExpression: 'size(live) < :cap',
        ExpressionAttributeNames: { '#id': `lease-${index}` },
        ExpressionAttributeValues: marshall({ ':until': 1, ':cap': 5 }),
      }),
    );
    const joined = (await Promise.allSettled(joins)).filter(({ status }) => status === 'fulfilled');
    expect(joined).toHaveLength(5);
    const [{ live = {} } = {}] = await aws.dynamodb.scan(TableName);
    expect(Object.keys(live as object)).toHaveLength(5);
  });

  test('a nested path is refused while the map is missing', async () => {
    const { dynamodb } = await withTable();
    const set = { UpdateExpression: 'SET live.x = :one', ExpressionAttributeValues: marshall({ ':one': 1 }) };
    await expect(update(dynamodb, 'array#fb1', set)).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'The document path provided in the update expression is invalid for update',
    });
  });

  test('an update and a delete apply only while the item is the expected one', async () => {
    const { aws, dynamodb } = await withTable();
    await put(dynamodb, { id: 'lease#1', attemptId: 'a', state: 'OPENING' });
    const ifAttempt = (attemptId: string) => ({
      ConditionExpression: 'attemptId = :attemptId',
      ExpressionAttributeValues: marshall({ ':attemptId': attemptId }),
    });
    const open = (attemptId: string) => {
      const { ConditionExpression, ExpressionAttributeValues } = ifAttempt(attemptId);
      return update(dynamodb, 'lease#1', {
        UpdateExpression: 'SET #state = :open',
        ConditionExpression,
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ...ExpressionAttributeValues, ...marshall({ ':open': 'OPEN' }) },
      });
    };
    const remove = (attemptId: string) =>
      dynamodb.send(new DeleteItemCommand({ TableName, Key: marshall({ id: 'lease#1' }), ...ifAttempt(attemptId) }));

    await expect(open('b')).rejects.toMatchObject(refused);
    await expect(remove('b')).rejects.toMatchObject(refused);
    expect(await aws.dynamodb.scan(TableName)).toEqual([{ id: 'lease#1', attemptId: 'a', state: 'OPENING' }]);
    await open('a');
    expect(await aws.dynamodb.scan(TableName)).toEqual([{ id: 'lease#1', attemptId: 'a', state: 'OPEN' }]);
    await remove('a');
    expect(await aws.dynamodb.scan(TableName)).toEqual([]);
  });

  test('a consistent read returns the item, or nothing if it is absent', async () => {
    const { dynamodb } = await withTable();
    await put(dynamodb, { id: 'lease#1', sealed: new Uint8Array([0, 255]) });
    const get = async (id: string) =>
      (await dynamodb.send(new GetItemCommand({ TableName, Key: marshall({ id }), ConsistentRead: true }))).Item;

    expect(unmarshall((await get('lease#1')) ?? {})).toEqual({ id: 'lease#1', sealed: new Uint8Array([0, 255]) });
    expect(await get('lease#2')).toBeUndefined();
  });

  test('the sparse index lists due items in order, page by page, and drops items that are no longer due', async () => {
    const { dynamodb } = await withTable();
    for (const [id, dueAt] of [
      ['late', 300],
      ['soon', 100],
      ['next', 200],
    ] as const)
      await put(dynamodb, { id, duePartition: '0', dueAt });
    await put(dynamodb, { id: 'other shard', duePartition: '1', dueAt: 1 });
    await put(dynamodb, { id: 'never due' });
    const allDue = async () => {
      const query = {
        TableName,
        IndexName: 'due',
        KeyConditionExpression: 'duePartition = :shard AND dueAt <= :now',
        ExpressionAttributeValues: marshall({ ':shard': '0', ':now': 200 }),
      };
      const names: unknown[] = [];
      for await (const { Items = [] } of paginateQuery({ client: dynamodb, pageSize: 1 }, query))
        names.push(...Items.map((item) => unmarshall(item)).map(({ id }) => id));
      return names;
    };

    expect(await allDue()).toEqual(['soon', 'next']);
    await update(dynamodb, 'soon', { UpdateExpression: 'REMOVE duePartition, dueAt' });
    expect(await allDue()).toEqual(['next']);
  });
});

describe('what dynalite lacks', () => {
  test('a failed condition does not return the item, even on request', async () => {
    const { dynamodb } = await withTable();
    await put(dynamodb, { id: 'lease#1' });
    const again = new PutItemCommand({
      TableName,
      Item: marshall({ id: 'lease#1' }),
      ConditionExpression: 'attribute_not_exists(id)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const error: unknown = await dynamodb.send(again).catch((reason: unknown) => reason);
    expect(error).toMatchObject(refused);
    expect((error as { Item?: unknown }).Item).toBeUndefined();
  });

  test('transactions and TTL are refused, not ignored', async () => {
    const { dynamodb } = await withTable();
    const put = { Put: { TableName, Item: marshall({ id: 'lease#1' }) } };
    await expect(dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [put] }))).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
    const TimeToLiveSpecification = { AttributeName: 'purgeAt', Enabled: true };
    await expect(
      dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification })),
    ).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });
});

describe('tables', () => {
  test('a table is created without the properties that only CloudFormation supports', async () => {
    const { aws } = await awsWithClients();
    const more = {
      TimeToLiveSpecification: { AttributeName: 'purgeAt', Enabled: true },
      SSESpecification: { SSEEnabled: true },
    };
    await aws.dynamodb.createTable({ ...LEASE_TABLE, TableName: { Ref: 'AWS::StackName' }, ...more }, 'computed');
    expect(await aws.dynamodb.scan('computed')).toEqual([]);
  });

  test('properties without a key are refused', async () => {
    const { aws } = await awsWithClients();
    await expect(aws.dynamodb.createTable({ ...LEASE_TABLE, KeySchema: undefined }, TableName)).rejects.toThrow(
      'keySchema',
    );
  });

  test('a scan returns every item of a table with several pages, and is not logged', async () => {
    const { aws, dynamodb } = await withTable();
    const filler = 'x'.repeat(300_000);
    for (let index = 0; index < 5; index += 1) await put(dynamodb, { id: `lease#${index}`, filler });

    const items = await aws.dynamodb.scan(TableName);
    expect(items.map(({ id }) => id).sort()).toEqual(['lease#0', 'lease#1', 'lease#2', 'lease#3', 'lease#4']);
    expect(aws.calls).toHaveLength(5);
    expect(aws.calls[0]).toMatchObject({ service: 'dynamodb', action: 'PutItem', resource: TableName, status: 200 });
  });
});
