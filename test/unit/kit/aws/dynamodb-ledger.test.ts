import { DeleteItemCommand, GetItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from 'vitest';
import { put, refused, TableName, update, withTable } from '../../../kit/aws/table.fixture.ts';

describe('what the ledger needs', () => {
  test('a conditional put of an absent item succeeds once, even among many concurrent puts', async () => {
    const { aws, dynamodb } = await withTable();
    const puts = Array.from({ length: 20 }, (_, attempt) =>
      put(dynamodb, { pk: 'lease#1', attempt }, 'attribute_not_exists(pk)'),
    );
    const results = await Promise.allSettled(puts);
    const winners = results.flatMap(({ status }, attempt) => (status === 'fulfilled' ? [attempt] : []));

    expect(winners).toHaveLength(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused });
    expect(await aws.dynamodb.scan(TableName)).toEqual([{ pk: 'lease#1', attempt: winners[0] }]);
  });

  test('members join a bounded set in a map up to its cap, join again, and leave', async () => {
    const { aws, dynamodb } = await withTable();
    await put(dynamodb, { pk: 'array#fb1', live: {} });
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
    const live = async () => (await aws.dynamodb.scan(TableName)).map((item) => ({ ...item, pk: undefined }));

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
    await put(dynamodb, { pk: 'array#fb1', live: {} });
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
    await put(dynamodb, { pk: 'lease#1', attemptId: 'a', state: 'OPENING' });
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
      dynamodb.send(new DeleteItemCommand({ TableName, Key: marshall({ pk: 'lease#1' }), ...ifAttempt(attemptId) }));

    await expect(open('b')).rejects.toMatchObject(refused);
    await expect(remove('b')).rejects.toMatchObject(refused);
    expect(await aws.dynamodb.scan(TableName)).toEqual([{ pk: 'lease#1', attemptId: 'a', state: 'OPENING' }]);
    await open('a');
    expect(await aws.dynamodb.scan(TableName)).toEqual([{ pk: 'lease#1', attemptId: 'a', state: 'OPEN' }]);
    await remove('a');
    expect(await aws.dynamodb.scan(TableName)).toEqual([]);
  });

  test('a consistent read returns the item, or nothing if it is absent', async () => {
    const { dynamodb } = await withTable();
    await put(dynamodb, { pk: 'lease#1', sealed: new Uint8Array([0, 255]) });
    const get = async (pk: string) =>
      (await dynamodb.send(new GetItemCommand({ TableName, Key: marshall({ pk }), ConsistentRead: true }))).Item;

    expect(unmarshall((await get('lease#1')) ?? {})).toEqual({ pk: 'lease#1', sealed: new Uint8Array([0, 255]) });
    expect(await get('lease#2')).toBeUndefined();
  });

  test('the sparse index lists due items in order, page by page, and drops items that are no longer due', async () => {
    const { dynamodb } = await withTable();
    for (const [pk, dueAt] of [
      ['late', 300],
      ['soon', 100],
      ['next', 200],
    ] as const)
      await put(dynamodb, { pk, dueShard: '0', dueAt });
    await put(dynamodb, { pk: 'other shard', dueShard: '1', dueAt: 1 });
    await put(dynamodb, { pk: 'never due' });
    const allDue = async () => {
      const query = {
        TableName,
        IndexName: 'due',
        KeyConditionExpression: 'dueShard = :shard AND dueAt <= :now',
        ExpressionAttributeValues: marshall({ ':shard': '0', ':now': 200 }),
      };
      const names: unknown[] = [];
      for await (const { Items = [] } of paginateQuery({ client: dynamodb, pageSize: 1 }, query))
        names.push(...Items.map((item) => unmarshall(item)).map(({ pk }) => pk));
      return names;
    };

    expect(await allDue()).toEqual(['soon', 'next']);
    await update(dynamodb, 'soon', { UpdateExpression: 'REMOVE dueShard, dueAt' });
    expect(await allDue()).toEqual(['next']);
  });
});
