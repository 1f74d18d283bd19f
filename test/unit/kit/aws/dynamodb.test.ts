import { PutItemCommand, TransactWriteItemsCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from 'vitest';
import { awsWithClients } from '../../../kit/aws/clients.ts';
import { properties, put, refused, TableName, withTable } from '../../../kit/aws/table.fixture.ts';

describe('what dynalite lacks', () => {
  test('a failed condition does not return the item, even on request', async () => {
    const { dynamodb } = await withTable();
    await put(dynamodb, { pk: 'lease#1' });
    const again = new PutItemCommand({
      TableName,
      Item: marshall({ pk: 'lease#1' }),
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const error: unknown = await dynamodb.send(again).catch((reason: unknown) => reason);
    expect(error).toMatchObject(refused);
    expect((error as { Item?: unknown }).Item).toBeUndefined();
  });

  test('transactions and TTL are refused, not ignored', async () => {
    const { dynamodb } = await withTable();
    const put = { Put: { TableName, Item: marshall({ pk: 'lease#1' }) } };
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
  test('the test names a table whose name the template computes', async () => {
    const { aws } = await awsWithClients();
    await aws.dynamodb.createTable({ ...properties, TableName: { Ref: 'AWS::StackName' } }, 'computed');
    expect(await aws.dynamodb.scan('computed')).toEqual([]);
  });

  test('properties without a key are refused', async () => {
    const { aws } = await awsWithClients();
    await expect(aws.dynamodb.createTable({ ...properties, KeySchema: undefined })).rejects.toThrow('KeySchema');
  });

  test('a scan returns every item of a table with several pages, and is not logged', async () => {
    const { aws, dynamodb } = await withTable();
    const filler = 'x'.repeat(300_000);
    for (let index = 0; index < 5; index += 1) await put(dynamodb, { pk: `lease#${index}`, filler });

    const items = await aws.dynamodb.scan(TableName);
    expect(items.map(({ pk }) => pk).sort()).toEqual(['lease#0', 'lease#1', 'lease#2', 'lease#3', 'lease#4']);
    expect(aws.calls).toHaveLength(5);
    expect(aws.calls[0]).toMatchObject({ service: 'dynamodb', action: 'PutItem', resource: TableName, status: 200 });
  });
});
